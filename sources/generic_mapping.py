"""From any JSON to raw items, by expressions that a person typed in: pure, for webhooks and their live preview."""

from collections.abc import Iterable
from collections.abc import Mapping as SettingsMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import jmespath
import msgspec

from config.errors import DomainError
from sources.connectors.expressions import OPTIONS, compiled, search
from sources.connectors.mapping import MAX_METADATA_TEXT, WEB_ADDRESS
from sources.connectors.positions import parse_time
from sources.files.identity import ContentIds, clean_text
from sources.files.ratings import parse_rating
from sources.items import LONGEST, RawItem

MAX_ROWS = 1_000
LONGEST_EXPRESSION = 500
SETTING = "mapping"  # its place in the settings of a source
FIELDS = ("unique_id", "body", "author", "email", "user_id", "account", "created_at", "url", "rating", "language")
TEXTS = ("author", "email", "user_id", "url", "language")


class Mapping(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where in a payload the rows are, and what of a row is what; every entry is a JMESPath expression.

    Blank `rows`: the payload itself is the row, or the list of rows. Blank `unique_id`: made from the row's words.
    """

    rows: str = ""
    body: str = ""
    unique_id: str = ""
    author: str = ""
    email: str = ""
    user_id: str = ""
    account: str = ""
    created_at: str = ""
    url: str = ""
    rating: str = ""
    language: str = ""
    metadata: dict[str, str] = {}

    @property
    def expressions(self) -> Iterable[str]:
        """All expressions that are given."""
        named = (getattr(self, name) for name in ("rows", *FIELDS))
        return [each for each in (*named, *self.metadata.values()) if each]


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that cannot be taken: its number, from 1 on, and why in words."""

    number: int
    reason: str


@dataclass(slots=True)
class _Rows:
    items: list[RawItem] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    ids: ContentIds = field(default_factory=ContentIds)


def check_mapping(mapping: Mapping) -> None:
    """Raise DomainError where the text is not mapped or an expression cannot be read."""
    if not mapping.body:
        raise DomainError("Say where the text of the feedback is.", code="mapping_incomplete")
    for expression in mapping.expressions:
        _check(expression)


def _check(expression: str) -> None:
    shown = expression if len(expression) <= 60 else expression[:60] + "…"
    unreadable = DomainError(f"“{shown}” is not an expression that can be read.", code="bad_expression")
    if len(expression) > LONGEST_EXPRESSION:
        raise unreadable
    try:
        compiled(expression).search({}, options=OPTIONS)
    except jmespath.exceptions.JMESPathTypeError:
        return  # it reads, and only misses the data
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        raise unreadable from error


def mapping_in(settings: SettingsMapping[str, Any]) -> Mapping | None:
    """Return the mapping that a source's settings hold, as `msgspec.to_builtins` wrote it; None where there is none."""
    try:
        return msgspec.convert(settings[SETTING], Mapping)
    except (KeyError, msgspec.ValidationError):
        return None


def map_rows(payload: object, mapping: Mapping) -> tuple[list[RawItem], list[RowError]]:
    """Return the items in a decoded JSON payload, and the rows that cannot be taken, in the order of the rows.

    Equal rows without an id stay apart. Expressions that cannot be read find nothing: see `check_mapping`.
    """
    found = search(mapping.rows, payload) if mapping.rows else payload
    if found is None:
        return [], [RowError(1, "Nothing is where the rows should be.")]
    rows = found if isinstance(found, list) else [found]
    taken = _Rows()
    for number, row in enumerate(rows[:MAX_ROWS], start=1):
        _take(row, number, mapping, taken)
    if len(rows) > MAX_ROWS:
        taken.errors.append(RowError(MAX_ROWS + 1, f"Only the first {MAX_ROWS} rows of a request are taken."))
    return taken.items, taken.errors


def _take(row: Any, number: int, mapping: Mapping, taken: _Rows) -> None:
    body = _text("body", search(mapping.body, row))
    if not body:
        taken.errors.append(RowError(number, "The feedback is empty."))
        return
    texts = {name: _text(name, search(expression, row)) for name in TEXTS if (expression := getattr(mapping, name))}
    unique_id = _text("unique_id", search(mapping.unique_id, row)) if mapping.unique_id else None
    if mapping.unique_id and not unique_id:
        taken.errors.append(RowError(number, "The id is missing."))
        return
    moment = parse_time(search(mapping.created_at, row)) if mapping.created_at else None
    rating = parse_rating(str(search(mapping.rating, row))) if mapping.rating else None
    fields: dict[str, Any] = {"created_at": moment, "rating": rating, "metadata": _metadata(mapping, row), **texts}
    given = {name: value for name, value in fields.items() if value not in (None, {})}
    unique_id = unique_id or taken.ids.next_id(_content(body, texts, moment))
    taken.items.append(RawItem(unique_id=unique_id, body=body, **given))


def _content(body: str, texts: dict[str, str | None], moment: datetime | None) -> Iterable[str]:
    return (body, *(value or "" for value in texts.values()), moment.isoformat() if moment else "")


def _text(name: str, value: Any) -> str | None:
    if value is None or isinstance(value, bool | dict):
        return None
    if isinstance(value, list):
        value = "\n".join(str(each) for each in value if isinstance(each, str | int | float))
    text = clean_text(str(value)).strip()
    # A cut address or id would be another one; a cut text says the same as far as it goes.
    if len(text) > LONGEST[name] and name not in ("body", "author"):
        return None
    if name == "url" and not WEB_ADDRESS.match(text):
        return None
    return text[: LONGEST[name]] or None


def _metadata(mapping: Mapping, row: Any) -> dict[str, str]:
    named = dict(mapping.metadata) | ({"account": mapping.account} if mapping.account else {})
    values = {name: search(expression, row) for name, expression in named.items()}
    return {
        name: clean_text(str(value))[:MAX_METADATA_TEXT]
        for name, value in values.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""
    }
