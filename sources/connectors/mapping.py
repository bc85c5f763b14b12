"""From a vendor's row to a raw item with its parts: pure, and within the limits of what can be stored."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sources.connectors.expressions import search
from sources.connectors.filling import fill
from sources.connectors.positions import parse_time
from sources.connectors.spec import Stream
from sources.files.identity import clean_text
from sources.items import LONGEST, RawItem, RawPart

TEMPLATE = re.compile(r"\{((row|part|settings|each)\.|base_url)")
WEB_ADDRESS = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
MAX_PARTS = 1_000
MAX_METADATA_TEXT = 1_000


@dataclass(slots=True)
class Mapped:
    """What a row became: an item, the ids of what is gone, or nothing where it says nothing or is not wanted (`empty`).

    None of these: the row has no id and cannot be read.
    """

    item: RawItem | None = None
    empty: bool = False
    deleted: list[str] = field(default_factory=list)
    deleted_parts: list[str] = field(default_factory=list)


def map_row(stream: Stream, row: Mapping[str, Any], values: Mapping[str, Any]) -> Mapped:
    """Return what the row says by the stream's mapping."""
    known = {**values, "row": row}
    unique_id = id_of(stream, row, values)
    if not unique_id:
        return Mapped()
    if "deleted" in stream.map and evaluate(stream.map["deleted"], row, known):
        return Mapped(deleted=[unique_id])
    fields = _fields(stream.map, row, known)
    _set_role(stream.map, row, known, fields)
    mapped = Mapped()
    if stream.parts and (parts := _parts(stream, row, known, mapped)):
        fields["conversation_parts"] = parts
    if stream.partial:
        fields = {name: value for name, value in fields.items() if value not in (None, {})}
    says_nothing = not fields.get("body") and not fields.get("conversation_parts")
    mapped.empty = says_nothing or not (stream.partial or _is_wanted(fields, values.get("settings") or {}))
    if not mapped.empty:
        mapped.item = RawItem(unique_id=unique_id, **fields)
    return mapped


def _is_wanted(fields: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Tell whether an item passes the filters of its source."""
    languages = {str(each).casefold() for each in settings.get("only_languages") or ()}
    stated = re.split("[-_]", (fields.get("language") or "").casefold())[0]
    if languages and stated and stated not in languages:
        return False
    wanted = {str(each).casefold() for each in settings.get("only_tags") or ()}
    tags = (fields.get("metadata") or {}).get("tags") or ()
    return not wanted or not wanted.isdisjoint(str(tag).casefold() for tag in tags)


def id_of(stream: Stream, row: Mapping[str, Any], values: Mapping[str, Any]) -> str | None:
    """Return the unique id of the item that the row is, or belongs to."""
    return _text("unique_id", evaluate(stream.map["unique_id"], row, {**values, "row": row}))


def evaluate(expression: Any, row: Any, values: Mapping[str, Any]) -> Any:
    """Return a mapping entry's value: a template where it names `{row.…}`, a JMESPath otherwise."""
    if not isinstance(expression, str):
        return expression
    return fill(expression, values) if TEMPLATE.search(expression) else search(expression, row)


def _fields(mapping: Mapping[str, Any], row: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the item's fields; only those that the mapping names, so that the others keep what is stored."""
    fields: dict[str, Any] = {}
    for name, expression in mapping.items():
        if name in LONGEST and name != "unique_id":
            fields[name] = _text(name, evaluate(expression, row, values))
        elif name == "created_at" and (moment := parse_time(evaluate(expression, row, values))):
            fields[name] = moment
        elif name == "rating":
            fields[name] = _number(evaluate(expression, row, values))
        elif name == "metadata":
            fields[name] = _metadata(expression, row, values)
    return fields


def _parts(stream: Stream, row: Mapping[str, Any], values: Mapping[str, Any], mapped: Mapped) -> list[RawPart]:
    found = search(stream.parts, row)
    parts: dict[str, RawPart] = {}
    for entry in found if isinstance(found, list) else []:
        known = {**values, "part": entry}
        unique_id = _text("unique_id", evaluate(stream.part["unique_id"], entry, known))
        if unique_id and "deleted" in stream.part and evaluate(stream.part["deleted"], entry, known):
            mapped.deleted_parts.append(unique_id)
        elif unique_id:
            fields = _fields(stream.part, entry, known)
            _set_role(stream.part, entry, known, fields)
            if fields.get("body"):
                parts[unique_id] = RawPart(unique_id=unique_id, **fields)
    # The newest say what a long conversation came to.
    return list(parts.values())[-MAX_PARTS:]


def _set_role(mapping: Mapping[str, Any], entry: Any, values: Mapping[str, Any], fields: dict[str, Any]) -> None:
    """Keep the role that the vendor states; a user id marks a customer, so nobody else may carry one."""
    role = evaluate(mapping["role"], entry, values) if "role" in mapping else None
    if role is None:
        return
    fields["metadata"] = (fields.get("metadata") or {}) | {"role": role}
    if role != "customer":
        fields["user_id"] = None


def _text(name: str, value: Any) -> str | None:
    if value is None or isinstance(value, bool | dict | list):
        return None
    text = clean_text(str(value)).strip()
    if name == "url" and not WEB_ADDRESS.match(text):
        return None
    return text[: LONGEST[name]] or None


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _metadata(expressions: Mapping[str, Any], row: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: evaluate(expression, row, values) for name, expression in expressions.items()}
    return {
        name: _short(value) for name, value in found.items() if value not in (None, "", [], {}) and value is not False
    }


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")[:MAX_METADATA_TEXT]
    if isinstance(value, list):
        return [_short(entry) for entry in value[:50] if isinstance(entry, str | int | float)]
    return value if isinstance(value, int | float | bool) else str(value)[:MAX_METADATA_TEXT]
