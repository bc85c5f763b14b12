"""The newest requests that brought a source feedback, or tried to: when, how they ended, and their outline."""

import re
import time
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from django.db import DatabaseError, connection
from django.utils import timezone

from sources.models import ReceivedRequest, Source

log = structlog.get_logger()

SHOWN: Final = 10
KEPT: Final = 20
# Of one source and status at most one in so many seconds is written by a process: whoever sends a hundred a
# second looks at the newest, and pays nothing for the others.
PAUSE: Final = 0.25
LONGEST_OUTLINED: Final = 256 * 1024  # bytes
LONGEST_OUTLINE: Final = 600
MOST_NAMES: Final = 30
DEEPEST: Final = 5
# Whatever else stands where a name should may be somebody's address.
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,40}")

ADD: Final = f"""
WITH added AS (
    INSERT INTO sources_receivedrequest (source_id, received_at, status, items, refused, size, reason, outline)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
)
DELETE FROM sources_receivedrequest WHERE source_id = %s AND id <= (
    SELECT id FROM sources_receivedrequest WHERE source_id = %s ORDER BY id DESC OFFSET {KEPT - 1} LIMIT 1
)
"""  # noqa: S608

_written: dict[tuple[UUID, int], float] = {}


def note(
    source_id: UUID, status: int, *, body: bytes = b"", items: int = 0, refused: int = 0, reason: str = ""
) -> None:
    """Keep a request among the newest of its source; to be called once its own transaction has ended.

    Of many in a quarter of a second one is kept. Nothing of the body but its outline is; `reason` has to be
    our own words. A failure to write is logged and changes nothing for who sent the request.
    """
    moment = time.monotonic()
    if moment - _written.get((source_id, status), -PAUSE) < PAUSE:
        return
    if len(_written) > 10_000:
        _written.clear()
    _written[source_id, status] = moment
    outline = outline_of(body)
    values: list[Any] = [source_id, timezone.now(), status, items, refused, len(body), reason[:200], outline]
    try:
        with connection.cursor() as cursor:
            cursor.execute(ADD, [*values, source_id, source_id])
    except DatabaseError:
        log.exception("request_not_noted", source=str(source_id))


def newest(source: Source) -> list[ReceivedRequest]:
    """Return the newest requests of a source, the last one first."""
    return list(ReceivedRequest.objects.filter(source=source).order_by("-id")[:SHOWN])


def outline_of(body: bytes) -> str:
    """Return names and types in a JSON body without any of its values, or an empty text."""
    if not body or len(body) > LONGEST_OUTLINED:
        return ""
    try:
        return _outline(msgspec.json.decode(body), DEEPEST)[:LONGEST_OUTLINE]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "not JSON"


def _outline(value: Any, depth: int) -> str:
    match value:
        case bool():
            return "yes/no"
        case None:
            return "null"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            inner = _outline(value[0], depth - 1) if value and depth else ""
            return f"[{inner}] × {len(value)}"
        case dict() if depth:
            names = list(value)[:MOST_NAMES]
            pairs = (f"{_name(name)}: {_outline(value[name], depth - 1)}" for name in names)
            return "{" + ", ".join(pairs) + (", …}" if len(value) > MOST_NAMES else "}")
    return "…"


def _name(name: str) -> str:
    return name if NAME.fullmatch(name) else "…"
