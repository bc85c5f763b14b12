"""How one upload is read: its columns or its cuts, a first look at it, and its rows."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import islice
from pathlib import PurePath
from typing import BinaryIO

import msgspec
from msgspec import Struct

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
    rows,
    text_items,
)
from sources.files.delimited import detect_layout
from sources.files.limits import DEFAULT_LIMITS
from sources.models import FileImport, Source
from sources.uploads import open_upload

PREVIEW_ROWS = 20
FORMATS = {
    ".csv": FileImport.Format.CSV,
    ".tsv": FileImport.Format.CSV,
    ".txt": FileImport.Format.CSV,
    ".docx": FileImport.Format.DOCX,
}


class Reading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person confirmed about an upload: what its columns mean, and how its text is cut."""

    columns: Mapping | None = None
    split: Split | None = None

    def stored(self) -> dict[str, object]:
        """Return it as JSON-able values."""
        values: dict[str, object] = msgspec.to_builtins(self)
        return values


@dataclass(frozen=True, slots=True)
class Look:
    """What an upload turned out to be. `headers` is empty without a table, `samples` has the first cell of each.

    `remembered` says that the reading is the one confirmed for the same columns before.
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


def format_of(filename: str) -> FileImport.Format:
    """Tell the format by the ending of a name. Raises FileRefused for one that cannot be read."""
    found = FORMATS.get(PurePath(filename).suffix.lower())
    if found is None:
        raise FileRefused("Only CSV and DOCX files can be read. Save it as one of them and upload that.", "wrong_type")
    return found


def stored_reading(file_import: FileImport) -> Reading:
    """Return the reading kept with an import."""
    return msgspec.convert(file_import.mapping, Reading)


def look_at(stream: BinaryIO, form: FileImport.Format, chosen: Mapping | None = None) -> Look:
    """Find out what an upload holds, as a person chose to read it (`chosen`) or as it looks.

    Raises FileRefused for a file that could not be read to its end.
    """
    if form == FileImport.Format.TEXT:
        split = guess_split(_text(stream))
        return Look(sum(1 for _ in text_items(_text(stream), split=split)), Reading(split=split))
    if form == FileImport.Format.DOCX:
        document = inspect_document(stream)
        guessed = Reading(columns=document.guessed_mapping, split=document.split)
        return Look(document.items, guessed, document.headers, ("",) * len(document.headers))
    return _look_at_table(stream, chosen or Mapping())


def _look_at_table(stream: BinaryIO, chosen: Mapping) -> Look:
    overrides = {"encoding": chosen.encoding, "delimiter": chosen.delimiter, "has_header": chosen.has_header}
    table = inspect(stream, **overrides)  # type: ignore[arg-type]
    sample = detect_layout(stream, DEFAULT_LIMITS, **overrides).sample  # type: ignore[arg-type]
    return Look(
        table.rows,
        Reading(columns=table.guessed_mapping),
        table.headers,
        _samples(len(table.headers), sample),
        table.encoding,
        table.delimiter,
        table.has_header,
        table.dates,
    )


def _samples(width: int, records: Sequence[Sequence[str]]) -> tuple[str, ...]:
    filled = (
        next((record[place].strip() for record in records if place < len(record) and record[place].strip()), "")
        for place in range(width)
    )
    return tuple(cell[:80] for cell in filled)


def rows_of(stream: BinaryIO, form: FileImport.Format, reading: Reading, zone: tzinfo) -> Iterator[RowResult]:
    """Yield every row of an upload. Raises FileRefused, also while iterating."""
    if form == FileImport.Format.TEXT:
        return text_items(_text(stream), split=reading.split)
    if form == FileImport.Format.DOCX:
        return document_items(stream, split=reading.split, mapping=reading.columns, zone=zone)
    return rows(stream, reading.columns or Mapping(), zone=zone)


def first_rows(file_import: FileImport, reading: Reading, zone: tzinfo) -> list[RowResult]:
    """Return what reading an import this way would give first. Raises FileRefused."""
    with open_upload(file_import.path) as stream:
        form = FileImport.Format(file_import.format)
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
