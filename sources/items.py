"""What arrives from anywhere, before it becomes feedback: items and the parts of a conversation."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

AwareDatetime = Annotated[datetime, msgspec.Meta(tz=True)]


class RawPart(Struct, kw_only=True, forbid_unknown_fields=False, gc=False):
    """One turn of a conversation.

    A field that was not sent is `UNSET` and leaves what is stored as it is; a field sent as null is `None`
    and clears it.
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
    """One piece of feedback, with the same meaning of `UNSET` and `None` as a part.

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
