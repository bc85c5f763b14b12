"""The rows of an exported table as objects, as the JSON of the same export has them."""

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from sources.files import Mapping
from sources.files.delimited import detect_layout, read_records
from sources.files.json_rows import JsonRow
from sources.files.limits import DEFAULT_LIMITS


def table_rows(stream: BinaryIO, chosen: Mapping) -> Iterator[JsonRow]:
    """Yield every row of a table as an object, read as a person chose or as it looks.

    Raises FileRefused, also while iterating.
    """
    layout = detect_layout(
        stream,
        DEFAULT_LIMITS,
        encoding=chosen.encoding,
        delimiter=chosen.delimiter,
        has_header=chosen.has_header,
    )
    for record in read_records(stream, layout, DEFAULT_LIMITS):
        yield JsonRow(record.number, None if record.cells is None else named(layout.headers, record.cells))


def named(headers: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    """Return the cells by their headers; a blank one is None."""
    return {header: cell.strip() or None for header, cell in zip(headers, cells, strict=False)}
