"""What arrives from anywhere, before it becomes feedback: items and the parts of a conversation."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

AwareDatetime = Annotated[datetime, msgspec.Meta(tz=True)]

# The longest of each field that is stored, in characters.
LONGEST: Final = {
    "unique_id": 512,
    "body": 100_000,
    "author": 256,
    "email": 254,
    "user_id": 512,
    "url": 2_048,
    "language": 8,
}
# A moment at either end of the calendar, as programs write it for "none", is no date in every time zone.
YEARS: Final = range(1900, 2200)


class RawPart(Struct, kw_only=True, forbid_unknown_fields=False, gc=False):
    """One turn of a conversation.

    A field that was not sent is `UNSET`, one sent as null `None`; both leave what is stored as it is.
    """

    unique_id: str
    body: str | UnsetType | None = UNSET
    author: str | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET
    user_id: str | UnsetType | None = UNSET
    created_at: AwareDatetime | UnsetType | None = UNSET
    url: str | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType | None = UNSET


class RawItem(Struct, kw_only=True, forbid_unknown_fields=False, gc=False):
    """One piece of feedback; here a field that was sent as null clears what is stored.

    `language` is a hint from the sender, checked against the text later on.
    """

    unique_id: str
    body: str | UnsetType | None = UNSET
    author: str | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET
    user_id: str | UnsetType | None = UNSET
    created_at: AwareDatetime | UnsetType | None = UNSET
    url: str | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType | None = UNSET
    conversation_parts: list[RawPart] | UnsetType | None = UNSET
    rating: float | UnsetType | None = UNSET
    language: str | UnsetType | None = UNSET
