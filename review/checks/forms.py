"""The kinds of checks as they are stored with an example, and what a check may hold."""

import json
import re
import warnings
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from jsonschema import Draft202012Validator, SchemaError  # type: ignore[import-untyped]
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from config.errors import DomainError

MOST_CHECKS: Final = 20
PATTERN_CHARACTERS: Final = 500
SCHEMA_CHARACTERS: Final = 20_000
SIMILAR_ENOUGH: Final = 0.75


def _storable(text: str) -> str:
    if "\x00" in text or not text.strip():
        raise ValueError("say what is looked for")
    return text


def _pattern(text: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(text)
    except (re.error, RecursionError, OverflowError, Warning) as error:
        raise ValueError(f"this is not a regular expression: {error}") from error
    return text


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    written = json.dumps(schema)
    if len(written) > SCHEMA_CHARACTERS or "\\u0000" in written:
        raise ValueError(f"a schema has at most {SCHEMA_CHARACTERS:,} characters")
    if any(not reference.startswith("#") for reference in _references(schema)):
        raise ValueError("a schema may refer only to itself")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"this is not a JSON schema: {error.message[:200]}") from error
    return schema


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [str(node[name]) for name in ("$ref", "$dynamicRef", "$recursiveRef") if name in node]
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []


Words = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_storable)]
Pattern = Annotated[
    str, StringConstraints(max_length=PATTERN_CHARACTERS), AfterValidator(_storable), AfterValidator(_pattern)
]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Contains(_Form):
    """The answer holds these words; runs of white space are alike, and so are cases unless they matter."""

    kind: Literal["contains"]
    text: Words
    case_sensitive: bool = False


class ContainsNot(_Form):
    """The answer does not hold these words."""

    kind: Literal["not_contains"]
    text: Words
    case_sensitive: bool = False


class Matches(_Form):
    """Python's `re` finds the pattern somewhere in the answer."""

    kind: Literal["regex"]
    pattern: Pattern


class FitsSchema(_Form):
    """The answer is JSON that fits a schema (draft 2020-12)."""

    kind: Literal["json_schema"]
    json_schema: Annotated[dict[str, Any], Field(alias="schema"), AfterValidator(_schema)]


class IsSimilar(_Form):
    """The answer means what the golden answer means: the least cosine between both."""

    kind: Literal["similarity"]
    floor: Annotated[float, Field(ge=0, le=1)] = SIMILAR_ENOUGH


Check = Contains | ContainsNot | Matches | FitsSchema | IsSimilar
_CHECKS: TypeAdapter[list[Check]] = TypeAdapter(list[Annotated[Check, Field(discriminator="kind")]])


def validate_checks(given: Any) -> list[dict[str, Any]]:
    """Return checks as they are stored. Raises DomainError that names the first which is wrong, and why."""
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) > MOST_CHECKS:
        raise DomainError(f"Checks are a list of at most {MOST_CHECKS}.", code="bad_checks")
    try:
        return [check.model_dump(by_alias=True) for check in read_checks(given)]
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        number = int(first["loc"][0]) + 1 if first["loc"] else 1
        reason = first["msg"].removeprefix("Value error, ")
        raise DomainError(f"Check {number}: {reason}.", code="bad_checks") from error
    except RecursionError:
        raise DomainError("A check is nested too deeply.", code="bad_checks") from None


def read_checks(stored: Any) -> list[Check]:
    """Return stored checks as objects. Raises pydantic's ValidationError for what no check is."""
    return _CHECKS.validate_python(list(stored))
