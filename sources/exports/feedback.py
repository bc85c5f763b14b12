"""The rows of an export as feedback, each with its conversation."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from sources.connectors.mapping import Mapped, map_row
from sources.exports.hooks import HOOKS
from sources.exports.shapes import Shape, shapes
from sources.files.columns import EMAIL
from sources.files.json_rows import JsonRow
from sources.files.results import RowResult
from sources.items import RawItem, RawPart

Voice = TypeVar("Voice", RawItem, RawPart)

UNREADABLE = "The row cannot be read."
# In the metadata of what came by an export: its kind, so that the roles it states can be told from other words.
EXPORT = "export"


def feedback_results(shape: Shape, rows: Iterable[JsonRow]) -> Iterator[RowResult]:
    """Yield every row as an item, or with the reason why it is none."""
    for row in rows:
        yield RowResult(row.number, None, (UNREADABLE,)) if row.value is None else _result(shape, row.number, row.value)


def _result(shape: Shape, number: int, row: dict[str, Any]) -> RowResult:
    mapped = _mapped(shape, row)
    if mapped is None:
        return RowResult(number, None, (UNREADABLE,))
    if mapped.deleted:
        return RowResult(number, None, (f"It is deleted in {shape.title}.",))
    if mapped.empty:
        return RowResult(number, None, (shape.empty or "The feedback is empty.",))
    if mapped.item is None:
        return RowResult(number, None, ("The row has no id.",))
    item, reasons = _checked(_marked(mapped.item, shape))
    return RowResult(number, item, reasons)


def is_exported(metadata: Mapping[str, Any]) -> bool:
    """Whether these are the metadata of what came by an export."""
    return metadata.get(EXPORT) in shapes()


def _marked(item: RawItem, shape: Shape) -> RawItem:
    parts = [_with_mark(part, shape) for part in item.conversation_parts or ()]
    return msgspec.structs.replace(_with_mark(item, shape), conversation_parts=parts or UNSET)


def _with_mark(voice: Voice, shape: Shape) -> Voice:
    return msgspec.structs.replace(voice, metadata={**(voice.metadata or {}), EXPORT: shape.kind})


def _mapped(shape: Shape, row: dict[str, Any]) -> Mapped | None:
    hook = HOOKS[shape.hook] if shape.hook else dict
    try:
        return map_row(shape.stream, hook(shape.keyed(row)), {"settings": {}, "each": {"key": ""}})
    except (AttributeError, KeyError, TypeError, ValueError):
        # A row of another form than its application writes.
        return None


def _checked(item: RawItem) -> tuple[RawItem, tuple[str, ...]]:
    """Leave out an address that is none: the feedback is worth more than the field."""
    if not item.email or EMAIL.fullmatch(item.email):
        return item, ()
    return msgspec.structs.replace(item, email=UNSET), ("The e-mail address is none and is left out.",)
