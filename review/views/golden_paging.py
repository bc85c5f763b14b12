"""Pages of a list that is ordered by time, and the address of each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import QueryDict

from config.errors import DomainError
from projects.pagination import decode, encode

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """One page, the newest first, and the addresses of those beside it."""

    rows: list[Any]
    previous_url: str | None
    next_url: str | None


def page_of(rows: QuerySet[Any], data: QueryDict, *, size: int = PAGE_SIZE) -> Page:
    """Return the page of `rows` that the parameters `after` or `before` name, the first for a place that is none."""
    if place := _place(data.get("before")):
        found = list(_beside(rows, ">", place).order_by("created_at", "id")[: size + 1])
        page, more = found[:size][::-1], len(found) > size
        return Page(page, _url(data, "before", page[0]) if more and page else None, _url(data, "after", page[-1]))
    place = _place(data.get("after"))
    narrowed = _beside(rows, "<", place) if place else rows
    found = list(narrowed.order_by("-created_at", "-id")[: size + 1])
    page = found[:size]
    return Page(
        page,
        _url(data, "before", page[0]) if place and page else None,
        _url(data, "after", page[-1]) if len(found) > size else None,
    )


def without(data: QueryDict, *names: str) -> str:
    """Return the address of the first page without some of its parameters."""
    left = data.copy()
    for name in (*names, "after", "before"):
        left.pop(name, None)
    return f"?{left.urlencode()}"


def _place(cursor: str | None) -> list[Any] | None:
    try:
        return decode(cursor, (datetime, UUID)) if cursor else None
    except DomainError:
        return None


def _beside(rows: QuerySet[Any], sign: str, place: list[Any]) -> QuerySet[Any]:
    table = rows.model._meta.db_table
    pair = f'("{table}"."created_at", "{table}"."id")'
    return rows.extra(where=[f"{pair} {sign} (%s::timestamptz, %s)"], params=place)  # noqa: S610


def _url(data: QueryDict, name: str, row: Any) -> str:
    left = data.copy()
    left.pop("after", None)
    left.pop("before", None)
    left[name] = encode([row.created_at, row.pk])
    return f"?{left.urlencode()}"
