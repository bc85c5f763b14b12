"""What an export's file cannot say: rows that have to be put together before they are mapped."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from sources.connectors.expressions import html_to_text

Row = dict[str, Any]
STAFF = ("agent", "admin")
AGENT_ADDRESS = re.compile(r"(https://[a-z0-9.-]+)/api/v2/tickets/(\d+)\.json")


def zendesk_ticket(row: Row) -> Row:
    """Say who opened a ticket and who replied: only the requester and end users are customers."""
    people = _people(row)
    requester = row.get("requester_id") or _id(row.get("requester"))
    opener = row.get("submitter_id") or _id(row.get("submitter")) or requester
    comments = [comment for comment in row.get("comments") or [] if isinstance(comment, dict)]
    address = AGENT_ADDRESS.fullmatch(str(row.get("url") or ""))
    return row | {
        "opener": people.get(opener) or {"id": opener},
        "role": _role(people.get(opener), opener, requester),
        "link": f"{address[1]}/agent/tickets/{address[2]}" if address else row.get("url"),
        "replies": [_reply(comment, people, requester) for comment in _replies(row, comments)],
    }


def _people(row: Row) -> dict[Any, Row]:
    known = [row.get(name) for name in ("requester", "submitter", "assignee")] + list(row.get("users") or [])
    known += list(row.get("collaborators") or row.get("collaborator") or [])
    return {person["id"]: person for person in known if isinstance(person, dict) and "id" in person}


def _id(person: Any) -> Any:
    return person.get("id") if isinstance(person, dict) else None


def _role(person: Row | None, number: Any, requester: Any) -> str:
    stated = (person or {}).get("role")
    if stated:
        return "agent" if stated in STAFF else "customer"
    return "customer" if number is not None and number == requester else "agent"


def _replies(row: Row, comments: list[Row]) -> Iterable[Row]:
    """Leave out the first comment where it is the description."""
    first = _text(comments[0]) if comments else ""
    is_description = first and first == str(row.get("description") or "").strip()
    return comments[1:] if is_description else comments


def _reply(comment: Row, people: dict[Any, Row], requester: Any) -> Row:
    author = comment.get("author") if isinstance(comment.get("author"), dict) else None
    number = comment.get("author_id") or _id(author)
    person = author or people.get(number)
    is_internal = comment.get("public") is False
    return {
        "id": comment.get("id"),
        "text": _text(comment),
        "author": person or {"id": number},
        "created_at": comment.get("created_at"),
        "role": "agent" if is_internal else _role(person, number, requester),
        "internal": is_internal,
    }


def _text(comment: Row) -> str:
    plain = comment.get("plain_body") or comment.get("body")
    if isinstance(plain, str) and plain.strip():
        return plain.strip()
    written = comment.get("html_body")
    return html_to_text(written) if isinstance(written, str) else ""


HOOKS: dict[str, Callable[[Row], Row]] = {"zendesk_ticket": zendesk_ticket}
