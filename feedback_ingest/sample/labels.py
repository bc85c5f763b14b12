"""What each sample text truly speaks of, for measuring the analysis; the product itself never reads it."""

from dataclasses import dataclass
from typing import Any

import msgspec

from feedback_ingest.sample.feedback import SOURCES
from feedback_ingest.sample.files import read_lines


@dataclass(frozen=True, slots=True)
class Theme:
    """A subject that several people speak of; `trend` is rising, fading or steady."""

    id: str
    kind: str
    title: str
    trend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledText:
    """The body of one item or part with its themes.

    `aside` says why the text should be set aside (low_signal, gibberish, spam); `copy_of` names the item that
    this one repeats, word for word or nearly. `person` is equal for all texts of one person; `language` is
    that of the item, also for its parts.
    """

    unique_id: str
    source: str
    person: str
    body: str
    language: str
    days_ago: float
    about: tuple[str, ...]
    aside: str | None
    copy_of: str | None


def sample_themes() -> list[Theme]:
    """Return every theme that the sample holds."""
    return msgspec.convert(read_lines("themes"), type=list[Theme])


def labelled_texts() -> list[LabelledText]:
    """Return every item body and part of the sample with its labels; Vanfold's own people have no themes."""
    items = [(source.key, item) for source in SOURCES for item in read_lines(source.key)]
    emails = _emails_by_user_id([item for _, item in items])
    texts = [_labelled(key, item, entry, emails) for key, item in items for entry in _entries(item)]
    return [text for text in texts if text.body]


def _entries(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [item, *item.get("conversation_parts", [])]


def _emails_by_user_id(items: list[dict[str, Any]]) -> dict[str, str]:
    entries = [entry for item in items for entry in _entries(item)]
    return {entry["user_id"]: entry["email"] for entry in entries if "user_id" in entry and "email" in entry}


def _labelled(source: str, item: dict[str, Any], entry: dict[str, Any], emails: dict[str, str]) -> LabelledText:
    email = emails.get(entry.get("user_id", ""), entry.get("email", ""))
    return LabelledText(
        unique_id=entry["unique_id"],
        source=source,
        person=email or f"{source}:{entry['author']}",
        body=entry.get("body", ""),
        language=item["language"],
        days_ago=entry["days_ago"],
        about=tuple(entry["about"]),
        aside=entry.get("aside"),
        copy_of=entry.get("copy_of"),
    )
