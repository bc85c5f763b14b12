"""Places in a list as plain integers: microseconds for times, the number itself for ids, so that they compare."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from sources.connectors.spec import Cursor
from sources.items import YEARS

MICRO = 1_000_000
DISCORD_EPOCH = 1_420_070_400_000
NUMBER = re.compile(r"-?\d+(\.\d+)?")
COMPACT_OFFSET = re.compile(r"([+-]\d{2})(\d{2})$")


def parse_time(value: Any) -> datetime | None:
    """Read a time as any vendor writes it: ISO with any offset, RFC 822, or seconds or milliseconds since 1970.

    A time without an offset is taken as UTC. Returns None for what is no time, or one that nothing was said at.
    """
    if isinstance(value, bool) or value in (None, ""):
        return None
    text = str(value).strip()
    try:
        if NUMBER.fullmatch(text):
            parsed = _from_epoch(text)
        elif text[:3].isalpha():
            parsed = parsedate_to_datetime(text)
        else:
            parsed = datetime.fromisoformat(COMPACT_OFFSET.sub(r"\1:\2", text))
        return parsed.replace(tzinfo=parsed.tzinfo or UTC) if parsed.year in YEARS else None
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _from_epoch(text: str) -> datetime:
    """Split the fraction off as text: a float loses the last digits that tell two Slack messages apart."""
    whole, _, fraction = text.partition(".")
    seconds, micro = int(whole), int((fraction + "000000")[:6])
    if abs(seconds) > 100_000_000_000:
        seconds, micro = seconds // 1000, seconds % 1000 * 1000
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micro)


def read(value: Any, cursor: Cursor) -> int | None:
    """Return the position a row's value stands for, or None where it has none."""
    if cursor.kind in ("integer", "snowflake"):
        return int(value) if isinstance(value, int) or str(value).isdigit() else None
    moment = parse_time(value)
    return from_time(moment) if moment else None


def from_time(moment: datetime) -> int:
    """Return a time in microseconds since 1970."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * MICRO + delta.microseconds


def from_seconds(seconds: float) -> int:
    """Return a moment, in seconds since 1970, in microseconds."""
    return int(seconds * MICRO)


def render(position: int | None, cursor: Cursor) -> str | int | None:
    """Write a position as the vendor's request wants it."""
    if position is None or cursor.kind in ("integer", "snowflake"):
        return position
    seconds, micro = divmod(position, MICRO)
    if cursor.kind == "epoch":
        return seconds
    if cursor.kind == "epoch_ms":
        return str(position // 1000)
    if cursor.kind == "epoch_text":
        return f"{seconds}.{micro:06}"
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return text if cursor.kind == "iso_naive" else text + "Z"


def back(position: int, cursor: Cursor) -> int:
    """Return the position a run starts from, so that it reads the last stretch again."""
    if cursor.kind == "integer":
        return max(position - cursor.lookback, 0)
    if cursor.kind == "snowflake":
        return max(position - (cursor.lookback * 1000 << 22), 0)
    return position - cursor.lookback * MICRO


def at_time(seconds: float, cursor: Cursor) -> int | None:
    """Return the position of a moment (seconds since 1970), or None where ids do not tell the time."""
    if cursor.kind == "integer":
        return None
    if cursor.kind == "snowflake":
        return max(int(seconds * 1000) - DISCORD_EPOCH, 0) << 22
    return from_seconds(seconds)
