"""The records of a CSV or TSV file, read as a stream: dialect, header and one list of cells at a time."""

import csv
import io
import statistics
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from sources.files.columns import is_known_header, looks_like_data
from sources.files.encodings import check_encoding, detect_encoding
from sources.files.export import restore_cell
from sources.files.limits import DEFAULT_LIMITS, FileRefused, Limits, too_many_rows

# The limit is one for the whole process. Records are bounded below, so that a long cell is told by its row.
csv.field_size_limit(DEFAULT_LIMITS.record_characters)

DELIMITERS = (",", ";", "\t", "|")
# For csv a table needs some delimiter: this one never occurs in text that people write.
ONE_COLUMN = "\x1f"
SAMPLE_CHARACTERS = 64 * 1024
SAMPLE_RECORDS = 200
LONGEST_HEADER = 100
# A delimiter that fewer records agree on than this is punctuation.
AGREEMENT = 0.5


@dataclass(frozen=True, slots=True)
class Layout:
    """How the bytes of a file become named cells; `sample` is the first records after the header."""

    encoding: str
    delimiter: str
    skipped_lines: int
    has_header: bool
    headers: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One row; `number` counts as a spreadsheet does. `cells` is None when it cannot be read, `problem` says why."""

    number: int
    cells: list[str] | None
    problem: str = "A quotation mark is neither closed nor doubled."


def detect_layout(
    stream: BinaryIO,
    limits: Limits,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    has_header: bool | None = None,
) -> Layout:
    """Find out what is not given. Raises FileRefused for a file that is no table within the limits."""
    encoding = check_encoding(stream, encoding, limits) if encoding else detect_encoding(stream, limits)
    text, complete = _sample(stream, encoding)
    skipped = 0
    if text[:4].lower() == "sep=" and text[4:5] and text[5:6] in ("\r", "\n", ""):
        delimiter, skipped = text[4], 1
        text = text[5:].lstrip("\r\n")
    chosen = delimiter or _detect_delimiter(text, complete=complete)
    records = _sample_records(text, chosen, complete=complete)
    if not records:
        raise FileRefused("The file is empty.", "empty")
    if has_header is None:
        has_header = starts_with_header(records)
    headers = unique_headers(records[0], named=has_header)
    if len(headers) > limits.columns:
        raise _too_many_columns(limits)
    sample = tuple(tuple(record) for record in records[1 if has_header else 0 :])
    return Layout(encoding, chosen, skipped, has_header, headers, sample)


def read_records(stream: BinaryIO, layout: Layout, limits: Limits) -> Iterator[Record]:
    """Yield the records below the header, blank ones left out, in memory that does not grow with the file.

    Raises FileRefused when a limit is passed or a quotation mark is never closed.
    """
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=layout.encoding, errors="replace", newline="")
    try:
        for _ in range(layout.skipped_lines):
            text.readline(limits.record_characters)
        records = _number_records(text, layout.delimiter, limits)
        if layout.has_header:
            next(records, None)
        for count, record in enumerate(records):
            if count == limits.rows:
                raise too_many_rows(limits.rows)
            yield record
    finally:
        # The stream belongs to the caller, and a wrapper closes what it wraps when it is collected.
        if not stream.closed:
            text.detach()


def _number_records(text: TextIO, delimiter: str, limits: Limits) -> Iterator[Record]:
    lines = _Lines(text, delimiter, limits)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells: list[str] | None = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = lines.recover(one_column=delimiter == ONE_COLUMN)
        lines.finish_record()
        if cells is not None and not any(cells):
            continue
        yield Record(number, None if cells is None else [_clean_cell(cell) for cell in cells])


class _Lines:
    """Feeds physical lines to csv, which asks for more only in the middle of a quoted cell."""

    def __init__(self, text: TextIO, delimiter: str, limits: Limits) -> None:
        self._text = text
        self._delimiter = delimiter
        self._limits = limits
        self._again: deque[str] = deque()
        self._record: list[str] = []
        self._characters = 0
        self._line = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._text.readline(self._limits.record_characters + 1)
        if not line:
            if self._record:
                raise self._unclosed()
            raise StopIteration
        self._line += 1
        self._record.append(line)
        self._characters += len(line)
        self._check(line)
        return line

    def _check(self, line: str) -> None:
        if line.count(self._delimiter) >= self._limits.columns and '"' not in line:
            raise _too_many_columns(self._limits)
        if self._characters <= self._limits.record_characters:
            return
        if len(self._record) > 1 or '"' in line:
            raise self._unclosed()
        raise FileRefused(
            f"Line {self._line:,} is longer than {self._limits.record_characters:,} characters. "
            "Save the file as CSV with one row to a line and upload it again.",
            "row_too_long",
        )

    def _unclosed(self) -> FileRefused:
        first = self._line - len(self._record) + 1
        return FileRefused(
            f"A quotation mark that opens a cell on line {first:,} is not closed, or only after more than "
            f"{self._limits.record_characters:,} characters. Close it, or double the quotation marks inside "
            "the cell, and upload the file again.",
            "unclosed_quote",
        )

    def finish_record(self) -> None:
        self._record.clear()
        self._characters = 0

    def recover(self, *, one_column: bool) -> list[str] | None:
        """Give up the first line of a record whose quoting is broken and read the rest afresh.

        Without this one stray quotation mark would swallow every row up to the next one. A file with one
        column needs no quoting, so there the line stands as it is.
        """
        first, *rest = self._record
        self._again.extendleft(reversed(rest))
        self._line -= len(rest)
        return [first.rstrip("\r\n")] if one_column else None


def _too_many_columns(limits: Limits) -> FileRefused:
    return FileRefused(
        f"The file has more than {limits.columns:,} columns. "
        "Keep the columns with feedback and what belongs to it, and upload it again.",
        "too_many_columns",
    )


def _clean_cell(cell: str) -> str:
    # A decoder yields no half surrogates, so NUL is all that has to go.
    return restore_cell(cell.replace("\x00", "") if "\x00" in cell else cell)


def _sample(stream: BinaryIO, encoding: str) -> tuple[str, bool]:
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")
    try:
        sample = text.read(SAMPLE_CHARACTERS)
        return sample, not text.read(1)
    finally:
        text.detach()


def _sample_records(text: str, delimiter: str, *, complete: bool) -> list[list[str]]:
    """Parse the sample leniently; its last record is left out when the sample cuts the file there."""
    lines = io.StringIO(text, newline="")
    records = [
        [_clean_cell(cell) for cell in record]
        for record in csv.reader(lines, delimiter=delimiter)
        if any(cell.strip() for cell in record)
    ]
    if not complete and len(records) > 1:
        records.pop()
    return records[: SAMPLE_RECORDS + 1]


def _detect_delimiter(text: str, *, complete: bool) -> str:
    """Take the delimiter by which most records are as wide as the first one, and the wider on a tie."""
    best, best_score = ONE_COLUMN, (0.0, 0)
    for delimiter in DELIMITERS:
        records = _sample_records(text, delimiter, complete=complete)
        width = len(records[0]) if records else 0
        if width < 2:
            continue
        agreement = sum(len(record) == width for record in records) / len(records)
        known = any(map(is_known_header, records[0]))
        score = (agreement + known, width)
        plausible = known or (agreement >= AGREEMENT and not _is_prose(records))
        if plausible and score > best_score:
            best, best_score = delimiter, score
    return best


def _is_prose(records: Sequence[Sequence[str]]) -> bool:
    """A comma in a sentence has a space behind it, one between cells seldom has."""
    later = [cell for record in records for cell in record[1:] if cell]
    return sum(cell.startswith(" ") for cell in later) > 0.8 * len(later)


def starts_with_header(records: Sequence[Sequence[str]]) -> bool:
    """Whether the first record names the columns: by a name we know, or by looking unlike the rest."""
    first, rest = records[0], records[1:]
    if any(map(is_known_header, first)):
        return True
    named = [cell for cell in first if cell.strip()]
    if any(len(cell) > LONGEST_HEADER or looks_like_data(cell) for cell in named):
        return False
    if len(set(named)) < len(named) or not rest:
        return False
    if len(first) > 1:
        return True
    # One column: a header is a few words above sentences.
    usual = statistics.median(len(record[0]) for record in rest)
    return len(first[0].split()) <= 3 and usual > 3 * len(first[0])


def unique_headers(cells: Sequence[str], *, named: bool) -> tuple[str, ...]:
    """Name every column once: blank ones by their position, repeated ones by their count."""
    used: Counter[str] = Counter()
    headers = []
    for position, cell in enumerate(cells, start=1):
        name = " ".join(cell.split())[:LONGEST_HEADER] if named else ""
        name = name or f"Column {position}"
        used[name] += 1
        while used[name] > 1:
            name = f"{name} ({used[name]})"
            used[name] += 1
        headers.append(name)
    return tuple(headers)
