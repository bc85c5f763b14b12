"""What a connector file cannot say: rows that have to be put together before they are mapped."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sources.connectors.positions import parse_time

Row = dict[str, Any]
Hook = Callable[[Row], Row]


def gong_call(row: Row) -> Row:
    """Join a call's transcript with its parties: one part for each turn, with who spoke and on which side."""
    parties = {party.get("speakerId"): party for party in row.get("parties") or [] if party.get("speakerId")}
    turns = [_turn(row["metaData"], monologue, parties) for monologue in _monologues(row)]
    row["turns"] = [turn for turn in turns if turn["text"]]
    row["customer"] = next((party for party in parties.values() if party.get("affiliation") == "External"), None)
    return row


def _monologues(row: Row) -> list[Row]:
    return [turn for transcript in row.get("transcripts") or [] for turn in transcript.get("transcript") or []]


def _turn(call: Row, monologue: Row, parties: dict[str, Row]) -> Row:
    """Return one turn; its sentences count milliseconds from the call's start."""
    sentences = monologue.get("sentences") or []
    party = parties.get(monologue.get("speakerId") or "", {})
    start = sentences[0].get("start", 0) if sentences else 0
    started = parse_time(call.get("started"))
    return {
        "id": f"{call['id']}:{start}:{monologue.get('speakerId') or ''}",
        "at": (started + timedelta(milliseconds=start)).isoformat() if started else None,
        "text": " ".join(sentence.get("text", "") for sentence in sentences).strip(),
        "party": party,
        "role": {"External": "customer", "Internal": "agent"}.get(party.get("affiliation", "")),
    }


def google_review(row: Row) -> Row:
    """Tell the user's comment from the developer's answer, and the title from the text around the tab."""
    comments = row.get("comments") or []
    row["user"] = next((entry["userComment"] for entry in comments if entry.get("userComment")), {})
    row["answers"] = [entry["developerComment"] for entry in comments if entry.get("developerComment")]
    text = row["user"].get("originalText") or row["user"].get("text") or ""
    row["text"] = "\n".join(part.strip() for part in text.split("\t") if part.strip())
    return row


HOOKS: dict[str, Hook] = {"gong_call": gong_call, "google_review": google_review}
