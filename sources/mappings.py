"""What a person says about the fields of foreign JSON: checked in words, tried on a sample, kept in the settings."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jmespath
import msgspec
from django.db import transaction

from config.errors import DomainError
from projects import audit
from projects.access import require
from projects.models import User
from projects.roles import Permission
from sources import generic_mapping
from sources.connectors import Account, ConnectorError, Engine
from sources.connectors.configured import REST, connector_of
from sources.connectors.expressions import compiled, search
from sources.connectors.paging import Page, call_for
from sources.files.results import RowResult
from sources.items import RawItem
from sources.models import Source

ROWS_SHOWN: Final = 20
# What a sample keeps of a long answer: so many entries of a list, so many characters of a text.
ENTRIES_KEPT: Final = 25
CHARACTERS_KEPT: Final = 2_000
NAMES_SHOWN: Final = 40
DEEPEST_NAME: Final = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """What a mapping makes of a sample: its first rows, how many there are, and the names in the first one."""

    rows: Sequence[RowResult]
    count: int
    refused: int
    names: Sequence[str]


def try_mapping(payload: Any, mapping: generic_mapping.Mapping) -> Trial:
    """Map a decoded sample and keep nothing."""
    items, errors = generic_mapping.map_rows(payload, mapping)
    rows = list(_in_order(items, errors))
    return Trial(rows[:ROWS_SHOWN], len(rows), len(errors), names_in(payload, mapping.rows))


def _in_order(items: Sequence[RawItem], errors: Sequence[generic_mapping.RowError]) -> Iterator[RowResult]:
    """Put items and refusals back into the order of the rows."""
    reasons = {error.number: error.reason for error in errors}
    following = iter(items)
    for number in range(1, len(items) + len(errors) + 1):
        if number in reasons:
            yield RowResult(number, None, (reasons[number],))
        else:
            yield RowResult(number, next(following))


def names_in(payload: Any, rows: str) -> list[str]:
    """Return the expressions that find something in the first row, such as `user.name`."""
    found = search(rows, payload) if rows else payload
    first = found[0] if isinstance(found, list) and found else found
    return list(_paths(first, "", DEEPEST_NAME))[:NAMES_SHOWN] if isinstance(first, dict) else []


def _paths(value: Mapping[str, Any], before: str, depth: int) -> Iterator[str]:
    for name, inner in value.items():
        path = before + (name if name.isidentifier() and name.isascii() else json.dumps(name))
        if isinstance(inner, dict) and depth > 1:
            yield from _paths(inner, f"{path}.", depth - 1)
        else:
            yield path


def first_answer(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Any:
    """Return the first page of a REST list as it comes, whatever is said so far of its rows; keep nothing.

    Raises DomainError with the reason in words where it cannot be read.
    """
    asked = {name: value for name, value in settings.items() if name != "rows" and not name.startswith("map_")}
    described = asked | {"map_body": "@"}
    try:
        engine = Engine(connector_of(REST, described), Account(settings=described, secrets=dict(secrets)), patience=5)
        stream = engine.connector.streams[engine.streams[0]]
        values = engine.account.values(each={"key": ""})
        call = call_for(engine.client, stream.listing, Page(), values, stream.cursor)
        return engine.client.fetch(call).data
    except ConnectorError as error:
        raise DomainError(error.message, code="connection_failed") from error


def read_sample(text: str) -> Any:
    """Decode a pasted sample. Raises DomainError that says where it is no JSON."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DomainError(
            f"This is not JSON: line {error.lineno}, character {error.colno} cannot be read.", code="not_json"
        ) from None
    except (ValueError, RecursionError):
        raise DomainError("This JSON cannot be read.", code="not_json") from None


def written_sample(payload: Any) -> str:
    """Write an answer as a sample that fits a form: long lists and texts are cut.

    Raises DomainError for one that is nested too deeply.
    """
    try:
        return json.dumps(_shortened(payload), ensure_ascii=False, indent=2)
    except RecursionError:
        raise DomainError("The answer is nested too deeply.", code="not_json") from None


def _shortened(value: Any) -> Any:
    if isinstance(value, str):
        return value[:CHARACTERS_KEPT]
    if isinstance(value, list):
        return [_shortened(entry) for entry in value[:ENTRIES_KEPT]]
    if isinstance(value, dict):
        return {name: _shortened(entry) for name, entry in value.items()}
    return value


def problem_of(expression: str) -> str:
    """Say in words what is wrong with an expression; an empty text where it can be read."""
    if len(expression) > generic_mapping.LONGEST_EXPRESSION:
        return f"It is longer than {generic_mapping.LONGEST_EXPRESSION} characters."
    try:
        compiled(expression)
        generic_mapping.check_mapping(generic_mapping.Mapping(body=expression))
    except jmespath.exceptions.LexerError as error:
        return f"Character {error.lexer_position + 1}, “{error.lexer_value}”, does not belong here."
    except jmespath.exceptions.ParseError as error:
        if not error.token_value:
            return "Something is missing at its end."
        return f"At character {error.lex_position + 1}, “{error.token_value}” does not belong here."
    except RecursionError:
        return "It is nested too deeply."
    except DomainError as error:
        return _function_problem(error)
    return ""


def _function_problem(error: DomainError) -> str:
    match error.__cause__:
        case jmespath.exceptions.UnknownFunctionError():
            return "It calls a function that does not exist."
        case jmespath.exceptions.ArityError():
            return "It gives a function too few or too many values."
    return error.message


@transaction.atomic
def save_mapping(source: Source, mapping: generic_mapping.Mapping, *, actor: User) -> None:
    """Keep how what is sent to a source is read. Raises DomainError where an expression cannot be read."""
    require(actor, Permission.MANAGE_SOURCES, source.project)
    generic_mapping.check_mapping(mapping)
    locked = Source.objects.select_for_update().get(pk=source.pk)
    locked.settings[generic_mapping.SETTING] = msgspec.to_builtins(mapping)
    locked.save(update_fields=["settings"])
    audit.record("source.changed", source, actor=actor, project=source.project, fields=["mapping"])
