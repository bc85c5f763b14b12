"""The JSON of the ingest API: its limits, and how it becomes raw items."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from sources.items import LONGEST, YEARS, RawItem, RawPart

MAX_BYTES = 5 * 1024 * 1024
MAX_ITEMS = 100
MAX_PARTS = 1_000
MAX_METADATA_KEYS = 50
MAX_METADATA_BYTES = 16_384
MAX_SOURCE_ID = 128  # characters

EMAIL = re.compile(r"[^\s@<>\"]{1,64}@[^\s@<>\"]{1,189}")
URL = re.compile(r"https?://[^\s/?#]+[^\s]*", re.IGNORECASE)
# What escapes in JSON: a backslash, a surrogate pair, or (as the group) half a pair, which a cut text ends with.
ESCAPES = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)

Text = str | None | UnsetType
Metadata = dict[str, Any] | None | UnsetType


class WirePart(Struct):
    """A conversation part as it is sent."""

    unique_id: str
    body: str
    author: Text = UNSET
    email: Text = UNSET
    user_id: Text = UNSET
    created_at: Text = UNSET
    url: Text = UNSET
    metadata: Metadata = UNSET
    conversation_parts: Any = UNSET


class WireItem(Struct):
    """An item as it is sent."""

    unique_id: str
    body: Text = UNSET
    author: Text = UNSET
    email: Text = UNSET
    user_id: Text = UNSET
    created_at: Text = UNSET
    url: Text = UNSET
    metadata: Metadata = UNSET
    rating: float | None | UnsetType = UNSET
    language: Text = UNSET
    conversation_parts: list[WirePart] | None | UnsetType = UNSET


class Envelope(Struct):
    """The body of an ingest request; items are decoded one by one, so that a bad one spoils no other."""

    source_id: str
    items: list[Raw]


class _Named(Struct):
    unique_id: Any = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """An item that was refused, and why; `unique_id` is None where it has none that can be read."""

    unique_id: str | None
    error: str
    outcome: Literal["rejected", "suppressed"] = "rejected"


class BadRequest(ValueError):
    """The request as a whole cannot be read; its message says why."""


class BadItem(ValueError):
    """One item cannot be taken; its message says why."""


_envelope = msgspec.json.Decoder(Envelope)
_item = msgspec.json.Decoder(WireItem)
_named = msgspec.json.Decoder(_Named)


def read_envelope(body: bytes) -> Envelope:
    """Decode a request. Raises BadRequest where it is not JSON of the right shape, or holds too few or many items."""
    try:
        envelope = _decode(body)
    except msgspec.ValidationError as error:
        raise BadRequest(_explain(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest("The body is not valid JSON.") from None
    if not 1 <= len(envelope.source_id) <= MAX_SOURCE_ID:
        raise BadRequest(f"source_id must have 1 to {MAX_SOURCE_ID} characters.")
    if not 1 <= len(envelope.items) <= MAX_ITEMS:
        raise BadRequest(f"items must hold 1 to {MAX_ITEMS} items, got {len(envelope.items)}.")
    return envelope


def _decode(body: bytes) -> Envelope:
    """Decode a request; half a surrogate pair, which JSON may hold and no text can, becomes a replacement character."""
    try:
        return _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        whole = ESCAPES.sub(lambda escape: b"\\ufffd" if escape[1] else escape[0], body)
        if whole == body:
            raise
        return _envelope.decode(whole)


def read_items(envelope: Envelope) -> tuple[list[RawItem], list[Rejection]]:
    """Decode and check each item; what cannot be taken comes back with its reason."""
    items: list[RawItem] = []
    rejections: list[Rejection] = []
    for place, raw in enumerate(envelope.items):
        try:
            items.append(_to_item(_item.decode(raw)))
        except msgspec.ValidationError as error:
            rejections.append(_rejection(place, raw, _explain(error)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            rejections.append(_rejection(place, raw, "The item is not valid JSON."))
        except BadItem as error:
            rejections.append(_rejection(place, raw, str(error)))
    return items, rejections


def _rejection(place: int, raw: Raw, error: str) -> Rejection:
    """Refuse an item by its id, or by its place (from 0) where it has none."""
    name = _name_of(raw)
    return Rejection(name, error if name else f"items[{place}]: {error}")


def _explain(error: msgspec.ValidationError) -> str:
    message, _, place = str(error).partition(" - at `$")
    place = place.rstrip("`").lstrip(".")
    return f"{place}: {message}" if place else message


def _name_of(raw: Raw) -> str | None:
    try:
        name = _named.decode(raw).unique_id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return name[: LONGEST["unique_id"]] if isinstance(name, str) else None


def _to_item(wire: WireItem) -> RawItem:
    parts: list[RawPart] | UnsetType = UNSET
    if wire.conversation_parts:
        if len(wire.conversation_parts) > MAX_PARTS:
            raise BadItem(f"conversation_parts exceeds {MAX_PARTS} parts")
        parts = [_to_part(part) for part in wire.conversation_parts]
    rating = wire.rating
    if isinstance(rating, float) and not -1000 <= rating <= 1000:
        raise BadItem("rating must lie between -1000 and 1000")
    return RawItem(
        unique_id=_unique_id(wire.unique_id),
        body=_text(wire.body, "body"),
        rating=rating,
        language=_text(wire.language, "language"),
        conversation_parts=parts,
        **_common(wire),
    )


def _to_part(wire: WirePart) -> RawPart:
    body = _text(wire.body, "body")
    if not body:
        raise BadItem(f"conversation part {wire.unique_id[:80]!r}: body must have at least 1 character")
    if wire.conversation_parts:
        raise BadItem(f"conversation part {wire.unique_id[:80]!r}: conversation_parts cannot be nested")
    return RawPart(unique_id=_unique_id(wire.unique_id), body=body, **_common(wire))


def _common(wire: WireItem | WirePart) -> dict[str, Any]:
    email = _text(wire.email, "email")
    if email and not EMAIL.fullmatch(email):
        raise BadItem("email is not an e-mail address")
    url = _text(wire.url, "url")
    if url and not URL.fullmatch(url):
        raise BadItem("url must begin with http:// or https://")
    return {
        "author": _text(wire.author, "author"),
        "email": email,
        "user_id": _text(wire.user_id, "user_id"),
        "created_at": _moment(wire.created_at),
        "url": url,
        "metadata": _metadata(wire.metadata),
    }


def _unique_id(value: str) -> str:
    if not value.strip() or "\x00" in value:
        raise BadItem("unique_id must have at least 1 character")
    if len(value) > LONGEST["unique_id"]:
        raise BadItem(f"unique_id exceeds maximum length of {LONGEST['unique_id']}")
    return value


def _text(value: Text, field: str) -> Text:
    if not isinstance(value, str):
        return value
    if len(value) > LONGEST[field]:
        raise BadItem(f"{'Body text' if field == 'body' else field} exceeds maximum length")
    # PostgreSQL text cannot hold NUL, and no reader can see it.
    return value.replace("\x00", "") or None


def _moment(value: Text) -> datetime | None | UnsetType:
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        raise BadItem("created_at is not an ISO 8601 time such as 2026-03-15T10:30:00Z") from None
    if moment.year not in YEARS:
        raise BadItem(f"created_at must lie in the years {YEARS[0]} to {YEARS[-1]}")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _metadata(value: Metadata) -> Metadata:
    if not isinstance(value, dict):
        return value
    if len(value) > MAX_METADATA_KEYS:
        raise BadItem(f"metadata exceeds {MAX_METADATA_KEYS} keys")
    encoded = msgspec.json.encode(value)
    if len(encoded) > MAX_METADATA_BYTES:
        raise BadItem(f"metadata exceeds {MAX_METADATA_BYTES} bytes")
    if b"\\u0000" in encoded:
        raise BadItem("metadata contains a NUL character")
    return value
