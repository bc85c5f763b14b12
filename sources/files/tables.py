"""Feedback from tables: what a file looks like, a preview of its rows, and the rows as items."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import BinaryIO

import msgspec
from msgspec import UNSET, UnsetType

from sources.files.columns import EMAIL, MAX_METADATA, URL, Delimiter, Mapping, guess_mapping
from sources.files.dates import DateColumn, DateEvidence, DateOrder, DateUnreadable, parse_date
from sources.files.delimited import Layout, Record, detect_layout, read_records
from sources.files.identity import ContentIds
from sources.files.limits import DEFAULT_LIMITS, FileRefused, Limits
from sources.files.ratings import parse_rating
from sources.files.results import RowResult
from sources.items import LONGEST, RawItem

QUOTED_IN_REASON = 40
# The fields that must look like something, and what a reason calls that.
SHAPES = {"email": (EMAIL, "an e-mail address"), "url": (URL, "a web address")}


@dataclass(frozen=True, slots=True)
class TableSummary:
    """What a file turned out to be. `rows` counts those below the header, also the ones that cannot be read.

    `dates` is None without a date column; when it is ambiguous, a person must say which of day and month is
    first.
    """

    encoding: str
    delimiter: str
    has_header: bool
    headers: tuple[str, ...]
    guessed_mapping: Mapping
    rows: int
    dates: DateColumn | None


def inspect(
    stream: BinaryIO,
    *,
    encoding: str | None = None,
    delimiter: Delimiter | None = None,
    has_header: bool | None = None,
    limits: Limits = DEFAULT_LIMITS,
    now: datetime | None = None,
) -> TableSummary:
    """Read a whole CSV or TSV file once and describe it, as a person chose to read it or as it looks.

    The order of day and month in the guessed mapping is settled where the column settles it, so that the
    mapping can be kept. Raises FileRefused for a file that `rows` could not read to its end.
    """
    layout = detect_layout(stream, limits, encoding=encoding, delimiter=delimiter, has_header=has_header)
    guessed = msgspec.structs.replace(
        guess_mapping(layout.headers, layout.sample),
        encoding=encoding,
        delimiter=delimiter,
        has_header=has_header,
    )
    count = 0
    evidence = DateEvidence(now=now or datetime.now(UTC))
    position = layout.headers.index(guessed.created_at) if guessed.created_at else None
    for record in read_records(stream, layout, limits):
        count += 1
        if position is not None and record.cells is not None and position < len(record.cells):
            evidence.add(record.cells[position])
    dates = evidence.column() if position is not None else None
    if dates is not None and dates.settled:
        guessed = msgspec.structs.replace(guessed, date_order=dates.order)
    return TableSummary(layout.encoding, layout.delimiter, layout.has_header, layout.headers, guessed, count, dates)


def preview(
    stream: BinaryIO,
    mapping: Mapping,
    *,
    limit: int = 20,
    zone: tzinfo = UTC,
    limits: Limits = DEFAULT_LIMITS,
    now: datetime | None = None,
) -> list[RowResult]:
    """Return what `rows` would yield first. Raises FileRefused."""
    return list(islice(rows(stream, mapping, zone=zone, limits=limits, now=now), limit))


def rows(
    stream: BinaryIO,
    mapping: Mapping,
    *,
    zone: tzinfo = UTC,
    limits: Limits = DEFAULT_LIMITS,
    now: datetime | None = None,
) -> Iterator[RowResult]:
    """Yield every row of a CSV or TSV file as an item, or with the reasons why it is none.

    Dates without a zone are in `zone`. Raises FileRefused when the mapping does not fit the file, before the
    first row, and while iterating when the file passes a limit: `inspect` finds out beforehand.
    """
    layout = detect_layout(
        stream,
        limits,
        encoding=mapping.encoding,
        delimiter=mapping.delimiter,
        has_header=mapping.has_header,
    )
    check_mapping(mapping, layout.headers)
    now = now or datetime.now(UTC)
    order = mapping.date_order
    if order == "auto":
        order = _order_of_file(stream, layout, limits, mapping=mapping, now=now)
    reader = RowReader(layout.headers, mapping, order=order, ids=ContentIds(), zone=zone, limits=limits, now=now)
    return map(reader.read, read_records(stream, layout, limits))


def rows_of_cells(
    headers: Sequence[str],
    records: Iterable[Record],
    mapping: Mapping,
    *,
    ids: ContentIds,
    zone: tzinfo,
    limits: Limits,
    now: datetime,
) -> Iterator[RowResult]:
    """Do what `rows` does for records that can be iterated twice, of one of several tables that share `ids`.

    Raises FileRefused.
    """
    check_mapping(mapping, headers)
    order = mapping.date_order
    if order == "auto":
        order = _order_of_records(headers, records, mapping=mapping, now=now)
    reader = RowReader(headers, mapping, order=order, ids=ids, zone=zone, limits=limits, now=now)
    return map(reader.read, records)


def check_mapping(mapping: Mapping, headers: Sequence[str]) -> None:
    """Raise FileRefused unless the mapping has a feedback column and the headers have all its columns."""
    if not mapping.feedback:
        raise FileRefused("Choose the column that holds the feedback.", "no_feedback_column")
    missing = sorted(set(mapping.columns()) - set(headers))
    if missing:
        names = ", ".join(f"“{name}”" for name in missing[:5])
        raise FileRefused(f"The file has no column {names}. Choose the columns again.", "missing_column")
    if len(mapping.metadata) > MAX_METADATA - (mapping.account is not None):
        raise FileRefused(
            f"At most {MAX_METADATA} columns can be kept as metadata. Choose fewer.",
            "too_many_metadata_columns",
        )


def _order_of_file(stream: BinaryIO, layout: Layout, limits: Limits, *, mapping: Mapping, now: datetime) -> DateOrder:
    if mapping.created_at is None:
        return "day_first"
    return _order_of_records(layout.headers, read_records(stream, layout, limits), mapping=mapping, now=now)


def _order_of_records(
    headers: Sequence[str], records: Iterable[Record], *, mapping: Mapping, now: datetime
) -> DateOrder:
    evidence = DateEvidence(now=now)
    if mapping.created_at is not None:
        position = headers.index(mapping.created_at)
        for record in records:
            if record.cells is not None and position < len(record.cells):
                evidence.add(record.cells[position])
    return evidence.column().order


class RowReader:
    """Turns the records of one table into items."""

    def __init__(
        self,
        headers: Sequence[str],
        mapping: Mapping,
        *,
        order: DateOrder,
        ids: ContentIds,
        zone: tzinfo,
        limits: Limits,
        now: datetime,
    ) -> None:
        self._mapping = mapping
        self._positions = {header: position for position, header in enumerate(headers)}
        self._width = len(headers)
        self._order = order
        self._zone = zone
        self._limits = limits
        self._now = now
        self._ids = ids
        self._seen: set[str] = set()

    def read(self, record: Record) -> RowResult:
        """Return the item of one record, or why there is none."""
        reason = self._refusal(record)
        if record.cells is None or reason:
            return RowResult(record.number, None, (reason,))
        row = _Row(record.cells, self._positions, self._mapping)
        body = "\n\n".join(filter(None, map(row.cell, self._mapping.feedback)))
        if not body:
            return RowResult(record.number, None, ("The feedback is empty.",))
        if len(body) > self._limits.body_characters:
            limit = self._limits.body_characters
            return RowResult(record.number, None, (f"The feedback is longer than {limit:,} characters.",))
        return self._item(record.number, row, body)

    def _refusal(self, record: Record) -> str:
        if record.cells is None:
            return record.problem
        if any(record.cells[self._width :]):
            return f"The row has {len(record.cells)} cells, the header {self._width}."
        return ""

    def _item(self, number: int, row: "_Row", body: str) -> RowResult:
        reasons: list[str] = []
        item = RawItem(
            unique_id=self._unique_id(row, reasons) or self._content_id(row, body),
            body=body,
            author=_text(row, "author", reasons),
            email=_text(row, "email", reasons),
            user_id=_text(row, "user_id", reasons),
            created_at=self._moment(row, reasons),
            url=_text(row, "url", reasons) or _id_as_url(row),
            metadata=row.metadata() or UNSET,
            rating=_rating(row, reasons),
            language=_language(row),
        )
        if "\ufffd" in body:
            reasons.append("Some characters could not be read.")
        return RowResult(number, item, tuple(reasons))

    def _unique_id(self, row: "_Row", reasons: list[str]) -> str | UnsetType:
        unique_id = _text(row, "unique_id", reasons)
        if unique_id is not UNSET:
            if unique_id in self._seen:
                reasons.append(f"{_quoted(unique_id)} is the id of an earlier row too, which this one replaces.")
            self._seen.add(unique_id)
        return unique_id

    def _content_id(self, row: "_Row", body: str) -> str:
        fields = ("author", "email", "user_id", "account", "created_at", "url")
        return self._ids.next_id((body, *map(row.value, fields)))

    def _moment(self, row: "_Row", reasons: list[str]) -> datetime | UnsetType:
        text = row.value("created_at")
        if not text:
            return UNSET
        try:
            return parse_date(text, order=self._order, zone=self._zone, now=self._now)
        except DateUnreadable as error:
            reasons.append(f"{_quoted(text)} {error}; the time of the upload is used.")
            return UNSET


class _Row:
    """The cells of one record by header and by field; what the record lacks is empty."""

    def __init__(self, cells: Sequence[str], positions: dict[str, int], mapping: Mapping) -> None:
        self._cells = cells
        self._positions = positions
        self._mapping = mapping

    def cell(self, header: str) -> str:
        position = self._positions[header]
        return self._cells[position].strip() if position < len(self._cells) else ""

    def value(self, field: str) -> str:
        header = getattr(self._mapping, field)
        return self.cell(header) if header is not None else ""

    def metadata(self) -> dict[str, str]:
        pairs = {header: self.cell(header) for header in self._mapping.metadata}
        pairs["account"] = self.value("account") or pairs.get("account", "")
        return {header: value for header, value in pairs.items() if value}


def _text(row: _Row, field: str, reasons: list[str]) -> str | UnsetType:
    """Leave out an address that is none and what is too long: the feedback is worth more than the field."""
    text = row.value(field)
    pattern, kind = SHAPES.get(field, (None, ""))
    if pattern is not None and text and not pattern.fullmatch(text):
        reasons.append(f"{_quoted(text)} is not {kind} and is left out.")
        return UNSET
    if len(text) > LONGEST[field]:
        reasons.append(f"{_quoted(text)} is longer than {LONGEST[field]} characters and is left out.")
        return UNSET
    return text or UNSET


def _language(row: _Row) -> str | UnsetType:
    """Return what is short enough to be the code of a language; it is a hint, and the words themselves decide."""
    text = row.value("language")
    return text if 0 < len(text) <= LONGEST["language"] else UNSET


def _id_as_url(row: _Row) -> str | UnsetType:
    """Return the id where it is a web address, as that of a review at Google Play is."""
    unique_id = row.value("unique_id")
    return unique_id if URL.fullmatch(unique_id) else UNSET


def _rating(row: _Row, reasons: list[str]) -> float | UnsetType:
    text = row.value("rating")
    if not text:
        return UNSET
    rating = parse_rating(text)
    if rating is None:
        reasons.append(f"{_quoted(text)} is not a rating and is left out.")
        return UNSET
    return rating


def _quoted(text: str) -> str:
    return f"“{text[:QUOTED_IN_REASON]}{'…' if len(text) > QUOTED_IN_REASON else ''}”"
