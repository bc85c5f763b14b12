"""How one upload is read: its columns or its cuts, a first look at it, and its rows."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import islice
from pathlib import PurePath
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from sources import exports
from sources.exports import ExampleResult, Shape
from sources.files import (
    DateColumn,
    FileRefused,
    Mapping,
    RowResult,
    Split,
    document_items,
    guess_split,
    inspect,
    inspect_document,
    known_tables,
    rows,
    text_items,
)
from sources.files.columns import guess_mapping
from sources.files.delimited import Layout, detect_layout
from sources.files.identity import ContentIds
from sources.files.json_rows import JsonRow, json_rows, sample_rows
from sources.files.json_tables import JsonTable, cells_of, headers_of
from sources.files.limits import DEFAULT_LIMITS
from sources.files.tables import rows_of_cells
from sources.models import FileImport, Source
from sources.uploads import open_upload

PREVIEW_ROWS = 20
FORMATS = {
    ".csv": FileImport.Format.CSV,
    ".tsv": FileImport.Format.CSV,
    ".txt": FileImport.Format.CSV,
    ".docx": FileImport.Format.DOCX,
    ".json": FileImport.Format.JSON,
    ".jsonl": FileImport.Format.JSON,
    ".ndjson": FileImport.Format.JSON,
}


class Reading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person confirmed about an upload: what its columns mean, and how its text is cut.

    With an `export` its application's rows are read as that application means them.
    """

    columns: Mapping | None = None
    split: Split | None = None
    export: str | None = None

    @property
    def shape(self) -> Shape | None:
        """The shape of the export, if it is one."""
        return exports.shape_of(self.export)

    @property
    def holds_examples(self) -> bool:
        """Whether the rows become examples of questions and answers rather than feedback."""
        return self.shape is not None and self.shape.example is not None

    def stored(self) -> dict[str, object]:
        """Return it as JSON-able values."""
        values: dict[str, object] = msgspec.to_builtins(self)
        return values


@dataclass(frozen=True, slots=True)
class Look:
    """What an upload turned out to be. `headers` is empty without columns to choose from, `samples` has the
    first cell of each.

    `remembered` says that the reading is the one confirmed for the same columns before, `application` whose
    export it looks like.
    """

    rows: int
    guessed: Reading
    headers: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    encoding: str = ""
    delimiter: str = ""
    has_header: bool = True
    dates: DateColumn | None = None
    remembered: bool = False
    application: str = ""


def format_of(filename: str) -> FileImport.Format:
    """Tell the format by the ending of a name. Raises FileRefused for one that cannot be read."""
    found = FORMATS.get(PurePath(filename).suffix.lower())
    if found is None:
        raise FileRefused(
            "Only CSV, JSON and DOCX files can be read. Save it as one of them and upload that.", "wrong_type"
        )
    return found


def stored_reading(file_import: FileImport) -> Reading:
    """Return the reading kept with an import."""
    return msgspec.convert(file_import.mapping, Reading)


def look_at(
    stream: BinaryIO, form: FileImport.Format, chosen: Mapping | None = None, *, counted: int | None = None
) -> Look:
    """Find out what an upload holds, as a person chose to read it (`chosen`) or as it looks.

    `counted` is how many rows a former look at the same JSON found. Raises FileRefused for a file that could not
    be read to its end, or has nothing to read.
    """
    look = _look_at(stream, form, chosen, counted)
    if not look.rows:
        raise FileRefused("The file has no rows: there is nothing in it to read.", "empty")
    return look


def _look_at(stream: BinaryIO, form: FileImport.Format, chosen: Mapping | None, counted: int | None) -> Look:
    if form == FileImport.Format.TEXT:
        split = guess_split(_text(stream))
        return Look(sum(1 for _ in text_items(_text(stream), split=split)), Reading(split=split))
    if form == FileImport.Format.DOCX:
        document = inspect_document(stream)
        guessed = Reading(columns=document.guessed_mapping, split=document.split)
        return Look(document.items, guessed, document.headers, ("",) * len(document.headers))
    if form == FileImport.Format.JSON:
        return _look_at_json(stream, counted)
    return _look_at_table(stream, chosen or Mapping())


def _look_at_json(stream: BinaryIO, counted: int | None) -> Look:
    sample = sample_rows(stream)
    shape = exports.recognise(sample)
    rows = sum(1 for _ in json_rows(stream)) if counted is None else counted
    if shape is None:
        return _look_at_fields(sample, rows)
    return Look(rows, Reading(export=shape.kind), application=shape.title)


def _look_at_fields(sample: Sequence[dict[str, Any]], rows: int) -> Look:
    headers = headers_of(sample)
    if rows and not headers:
        raise FileRefused("The rows of the file are empty: no field has a name.", "no_fields")
    cells = [cells_of(row, headers) for row in sample]
    return Look(rows, Reading(columns=guess_mapping(headers, cells)), headers, _samples(len(headers), cells))


def _look_at_table(stream: BinaryIO, chosen: Mapping) -> Look:
    overrides = {"encoding": chosen.encoding, "delimiter": chosen.delimiter, "has_header": chosen.has_header}
    layout = detect_layout(stream, DEFAULT_LIMITS, **overrides)  # type: ignore[arg-type]
    if shape := exports.recognise([exports.named(layout.headers, record) for record in layout.sample]):
        return _look_at_exported_table(stream, chosen, layout, shape)
    table = inspect(stream, **overrides)  # type: ignore[arg-type]
    known = known_tables.recognise(table.headers)
    return Look(
        table.rows,
        Reading(columns=table.guessed_mapping),
        table.headers,
        _samples(len(table.headers), layout.sample),
        table.encoding,
        table.delimiter,
        table.has_header,
        table.dates,
        application=known.title if known else "",
    )


def _look_at_exported_table(stream: BinaryIO, chosen: Mapping, layout: Layout, shape: Shape) -> Look:
    return Look(
        sum(1 for _ in exports.table_rows(stream, chosen)),
        Reading(columns=chosen, export=shape.kind),
        encoding=layout.encoding,
        delimiter=layout.delimiter,
        has_header=layout.has_header,
        application=shape.title,
    )


def _samples(width: int, records: Sequence[Sequence[str]]) -> tuple[str, ...]:
    filled = (
        next((record[place].strip() for record in records if place < len(record) and record[place].strip()), "")
        for place in range(width)
    )
    return tuple(cell[:80] for cell in filled)


def rows_of(
    stream: BinaryIO, form: FileImport.Format, reading: Reading, zone: tzinfo, *, skip: int = 0
) -> Iterator[RowResult]:
    """Yield the rows of an upload as feedback, but for the first `skip`. Raises FileRefused, also while iterating."""
    if reading.shape:
        # Passed over before they are mapped: that takes most of the time, and each row stands for itself.
        return exports.feedback_results(reading.shape, islice(_records(stream, form, reading), skip, None))
    return islice(_rows_of(stream, form, reading, zone), skip, None)


def _rows_of(stream: BinaryIO, form: FileImport.Format, reading: Reading, zone: tzinfo) -> Iterator[RowResult]:
    if form == FileImport.Format.TEXT:
        return text_items(_text(stream), split=reading.split)
    if form == FileImport.Format.DOCX:
        return document_items(stream, split=reading.split, mapping=reading.columns, zone=zone)
    columns = reading.columns or Mapping()
    if form == FileImport.Format.JSON:
        table = JsonTable(stream, headers_of(sample_rows(stream)))
        return rows_of_cells(
            table.headers, table, columns, ids=ContentIds(), zone=zone, limits=DEFAULT_LIMITS, now=datetime.now(UTC)
        )
    return rows(stream, columns, zone=zone)


def examples_of(stream: BinaryIO, form: FileImport.Format, reading: Reading) -> Iterator[ExampleResult]:
    """Yield every row of an upload as an example. Raises FileRefused, also while iterating."""
    if reading.shape is None:
        return iter(())
    return exports.example_results(reading.shape, _records(stream, form, reading))


def _records(stream: BinaryIO, form: FileImport.Format, reading: Reading) -> Iterator[JsonRow]:
    if form == FileImport.Format.JSON:
        return json_rows(stream)
    return exports.table_rows(stream, reading.columns or Mapping())


def first_rows(file_import: FileImport, reading: Reading, zone: tzinfo) -> list[RowResult] | list[ExampleResult]:
    """Return what reading an import this way would give first. Raises FileRefused."""
    with open_upload(file_import.path) as stream:
        form = FileImport.Format(file_import.format)
        if reading.holds_examples:
            return list(islice(examples_of(stream, form, reading), PREVIEW_ROWS))
        return list(islice(rows_of(stream, form, reading, zone), PREVIEW_ROWS))


def _text(stream: BinaryIO) -> str:
    stream.seek(0)
    return stream.read().decode("utf-8", "replace")


def fingerprint(headers: Sequence[str]) -> str:
    """Name a set of columns, so that their mapping is found again at the next upload."""
    return hashlib.sha256(json.dumps(list(headers)).encode()).hexdigest()[:16]


def remembered(source: Source, look: Look) -> Reading | None:
    """Return the reading that was confirmed for the same columns in this source, if there is one."""
    kept = source.settings.get("mappings", {}).get(fingerprint(look.headers)) if look.headers else None
    if kept is None:
        return None
    try:
        return msgspec.convert(kept, Reading)
    except msgspec.ValidationError:
        return None
