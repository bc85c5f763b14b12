"""JSON rows of any application as a table: each row's fields are its cells, under names such as user.name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from sources.files.columns import MAX_METADATA
from sources.files.delimited import Record
from sources.files.json_rows import json_rows

DEEPEST = 3
UNREADABLE = "The row is not a JSON object."


@dataclass(frozen=True, slots=True)
class JsonTable:
    """The rows of a JSON file under given headers; read anew, as a stream, each time it is iterated.

    A row that cannot be read has no cells. Iterating raises FileRefused as `json_rows` does.
    """

    stream: BinaryIO
    headers: tuple[str, ...]

    def __iter__(self) -> Iterator[Record]:
        for row in json_rows(self.stream):
            yield Record(row.number, None if row.value is None else cells_of(row.value, self.headers), UNREADABLE)


def headers_of(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the names of all fields in the rows, in the order they come up; as many as a mapping can use."""
    names: dict[str, None] = {}
    for row in rows:
        names |= dict.fromkeys(name for name, _ in _fields(row, "", DEEPEST))
    return tuple(names)[: 2 * MAX_METADATA]


def cells_of(row: Mapping[str, Any], headers: Sequence[str]) -> list[str]:
    """Return the values of a row in the order of the headers, as text; one that is not there is empty."""
    values = dict(_fields(row, "", DEEPEST))
    return [values.get(header, "") for header in headers]


def _fields(value: Mapping[str, Any], before: str, depth: int) -> Iterator[tuple[str, str]]:
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            if depth > 1:
                yield from _fields(inner, f"{before}{name}.", depth - 1)
        else:
            yield before + name, _text(inner)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(entry) for entry in value if isinstance(entry, str | int | float))
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
