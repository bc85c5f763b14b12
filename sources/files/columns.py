"""Which column of a table holds what: the mapping a person confirms, and the first guess at it."""

import re
import statistics
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from sources.files.dates import DateOrder
from sources.files.headers import HEADER_NAMES
from sources.files.known_tables import KnownTable, columns_of, plain, recognise

MAX_METADATA = 50
# Mean number of characters from which a column without a telling name is text rather than names or codes.
SHORTEST_TEXT = 15

# The last one, which nobody types, reads every line as one cell.
Delimiter = Literal[",", ";", "\t", "|", "\x1f"]

# The single-valued fields that a column can fill.
FIELDS = ("unique_id", "author", "email", "user_id", "account", "created_at", "rating", "url", "language")

EMAIL = re.compile(r"[^\s@<>,;]{1,64}@[^\s@<>,;]{1,255}\.[^\s@<>,;.]{2,63}")
URL = re.compile(r"https?://[^\s]{1,2040}", re.IGNORECASE)
NUMBER = re.compile(r"[+-]?\d{1,15}(?:[.,]\d{1,9})?\s?%?")
DAY = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:\D.{0,40})?")

RANKS = {
    field: {name: rank for rank, name in reversed(list(enumerate(names.split())))}
    for field, names in HEADER_NAMES.items()
}
KNOWN_HEADERS = frozenset(name for names in RANKS.values() for name in names)


class Mapping(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the columns of a table mean, by header; JSON-able, so that it can be kept for the next upload.

    Several feedback columns become one body, in this order, with a blank line between. `encoding`,
    `delimiter` and `has_header` are set only by a person who overrules what is detected.
    """

    feedback: tuple[str, ...] = ()
    unique_id: str | None = None
    author: str | None = None
    email: str | None = None
    user_id: str | None = None
    account: str | None = None
    created_at: str | None = None
    date_order: DateOrder | Literal["auto"] = "auto"
    rating: str | None = None
    url: str | None = None
    language: str | None = None
    metadata: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: Delimiter | None = None
    has_header: bool | None = None

    def columns(self) -> tuple[str, ...]:
        """Every header the mapping names, in no particular order, each as often as it is used."""
        single = (getattr(self, field) for field in FIELDS)
        return (*self.feedback, *self.metadata, *(name for name in single if name is not None))


def is_known_header(cell: str) -> bool:
    """Whether a cell is a name that tables give to one of our fields."""
    return len(cell) <= 60 and plain(cell) in KNOWN_HEADERS


def looks_like_data(cell: str) -> bool:
    """Whether a cell is a value and so cannot be the name of a column."""
    text = cell.strip()[:400]
    return any(pattern.fullmatch(text) for pattern in (NUMBER, EMAIL, URL, DAY))


def guess_mapping(headers: Sequence[str], sample: Sequence[Sequence[str]]) -> Mapping:
    """Guess from the names of the columns, then from what is in them; what is left becomes metadata.

    The table of a well-known application needs no guess. Without any column of text `feedback` stays empty,
    and a person has to choose.
    """
    if table := recognise(headers):
        return _mapping_of(table, headers, sample)
    columns = {header: _cells(sample, position) for position, header in enumerate(headers)}
    chosen: dict[str, str] = {}
    for field in ("email", "created_at", "url", *HEADER_NAMES):
        free = [header for header in headers if header not in chosen.values()]
        header = chosen.get(field) or _by_name(field, free, columns) or _by_content(field, free, columns)
        if header is not None:
            chosen[field] = header
    feedback = chosen.pop("feedback", None)
    used = {feedback, *chosen.values()}
    rest = [header for header in headers if header not in used and any(columns[header])]
    mapping = Mapping(
        feedback=(feedback,) if feedback else (), metadata=tuple(rest[: MAX_METADATA - ("account" in chosen)])
    )
    return msgspec.structs.replace(mapping, **chosen)


def _mapping_of(table: KnownTable, headers: Sequence[str], sample: Sequence[Sequence[str]]) -> Mapping:
    feedback, fields = columns_of(table, headers)
    used = {*feedback, *fields.values()}
    rest = [header for place, header in enumerate(headers) if header not in used and _cells(sample, place)]
    mapping = Mapping(feedback=feedback, metadata=tuple(rest[: MAX_METADATA - ("account" in fields)]))
    return msgspec.structs.replace(mapping, **fields)


def _cells(sample: Sequence[Sequence[str]], position: int) -> list[str]:
    cells = (row[position].strip() for row in sample if position < len(row))
    return [cell for cell in cells if cell]


def _by_name(field: str, free: Sequence[str], columns: dict[str, list[str]]) -> str | None:
    ranks = RANKS[field]
    named = [header for header in free if plain(header) in ranks and _suits(field, columns[header])]
    return min(named, key=lambda header: ranks[plain(header)], default=None)


def _suits(field: str, cells: Sequence[str]) -> bool:
    """A name can mislead: `note` is a grade in French and a text in English."""
    if not cells:
        return True
    if field == "feedback":
        return not _mostly(cells, looks_like_data)
    if field == "rating":
        return statistics.median(map(len, cells)) <= 12
    if field == "email":
        return _mostly(cells, _is_email)
    return True


def _by_content(field: str, free: Sequence[str], columns: dict[str, list[str]]) -> str | None:
    if field == "feedback":
        return _longest_text(free, columns)
    test = {"email": _is_email, "url": _is_url, "created_at": _is_day}.get(field)
    if test is None:
        return None
    return next((header for header in free if columns[header] and _mostly(columns[header], test)), None)


def _longest_text(free: Sequence[str], columns: dict[str, list[str]]) -> str | None:
    """The column with the longest cells, as long as they are text and not codes or names."""
    lengths = {
        header: statistics.mean(map(len, columns[header]))
        for header in free
        if columns[header] and not _mostly(columns[header], looks_like_data)
    }
    header = max(lengths, key=lambda name: lengths[name], default=None)
    # A lone column is the feedback, however short.
    is_text = header is not None and (len(columns) == 1 or lengths[header] >= SHORTEST_TEXT)
    return header if is_text else None


def _mostly(cells: Sequence[str], test: Callable[[str], bool]) -> bool:
    return sum(map(test, cells)) > 0.7 * len(cells)


def _is_email(cell: str) -> bool:
    return EMAIL.fullmatch(cell[:400]) is not None


def _is_url(cell: str) -> bool:
    return URL.fullmatch(cell) is not None


def _is_day(cell: str) -> bool:
    return len(cell) <= 60 and DAY.fullmatch(cell) is not None
