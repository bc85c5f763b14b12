"""Keyset pages: a page begins after the last row of the one before, however deep it lies."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec
from django.db.models import QuerySet
from rest_framework.request import Request

from config.errors import DomainError

DEFAULT_LIMIT = 50
MAX_LIMIT = 100


def limit_of(request: Request) -> int:
    """Return the page size asked for. Raises DomainError unless it is 1 to 100."""
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not text.isdecimal() or len(text) > 3 or not 1 <= int(text) <= MAX_LIMIT:
        raise DomainError(f"limit must be a whole number from 1 to {MAX_LIMIT}.", code="bad_limit")
    return int(text)


def encode(place: Sequence[Any]) -> str:
    """Return the cursor of a place: the ordering values of a page's last row."""
    return base64.urlsafe_b64encode(msgspec.json.encode(list(place))).decode().rstrip("=")


def decode(cursor: str, kinds: Sequence[type]) -> list[Any]:
    """Return the place of a cursor, its values converted to `kinds`. Raises DomainError for one that is not ours."""
    try:
        values = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or len(values) != len(kinds):
            raise ValueError(cursor)
        return [msgspec.convert(value, kind) for value, kind in zip(values, kinds, strict=True)]
    except (ValueError, binascii.Error, msgspec.MsgspecError, RecursionError):
        raise DomainError("This cursor is not valid. Begin with the first page.", code="bad_cursor") from None


def page_of(
    rows: QuerySet[Any], request: Request, *, order: Sequence[str], kinds: Sequence[type]
) -> tuple[list[Any], str | None]:
    """Return one page of `rows`, newest first by the fields of `order`, and the cursor of the next or None.

    The values are compared as one row, which an index on those fields answers at any depth.
    """
    limit = limit_of(request)
    ordered = rows.order_by(*(f"-{name}" for name in order))
    if cursor := request.query_params.get("cursor"):
        place = decode(cursor, kinds)
        table = rows.model._meta.db_table
        columns = ", ".join(f'"{table}"."{rows.model._meta.get_field(name).column}"' for name in order)
        marks = ", ".join(["%s"] * len(order))
        ordered = ordered.extra(where=[f"({columns}) < ({marks})"], params=place)  # noqa: S610
    found = list(ordered[: limit + 1])
    more = len(found) > limit
    page = found[:limit]
    return page, encode([getattr(page[-1], name) for name in order]) if more else None
