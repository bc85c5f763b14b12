"""JSON schemas of agents: which of them can be used, and what of a value does not fit."""

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, ValidationError, validators  # type: ignore[import-untyped]
from referencing import Registry
from referencing.exceptions import Unresolvable

from config.errors import DomainError

MOST_BYTES = 256 * 1024
MOST_PROBLEMS = 5
MOST_WORDS = 300


def _unchecked(*arguments: Any) -> Iterator[ValidationError]:
    """Let everything pass: a regular expression can be such that it never ends. The model gets to read it."""
    return iter(())


def _additional_properties(validator: Any, allowed: Any, value: Any, schema: dict[str, Any]) -> Iterator[Any]:
    """Check what is named in no other place, unless patterns say what else there may be."""
    if "patternProperties" not in schema:
        yield from Draft202012Validator.VALIDATORS["additionalProperties"](validator, allowed, value, schema)


_Validator = validators.extend(
    Draft202012Validator,
    {"pattern": _unchecked, "patternProperties": _unchecked, "additionalProperties": _additional_properties},
)


def refuse_unusable(schema: dict[str, Any]) -> None:
    """Raise DomainError for what is no JSON schema, is too large, or refers to something outside of itself."""
    if len(json.dumps(schema)) > MOST_BYTES:
        raise _unsupported(f"A schema may have {MOST_BYTES} bytes.")
    if any(not reference.startswith("#") for reference in _references(schema)):
        raise _unsupported("A schema may refer to its own parts only.")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise _unsupported(f"{error.json_path}: {error.message[:MOST_WORDS]}") from error


def misfits(value: Any, schema: dict[str, Any]) -> list[str]:
    """Return the first few reasons why a value does not fit. Raises DomainError for a schema that cannot be used."""
    # With a registry of its own nothing is ever fetched.
    validator = _Validator(schema, registry=Registry())
    found = []
    try:
        for error in validator.iter_errors(value):
            found.append(f"{error.json_path}: {error.message[:MOST_WORDS]}")
            if len(found) == MOST_PROBLEMS:
                break
    except (Unresolvable, RecursionError) as error:
        raise _unsupported("A reference in this schema leads nowhere, or to itself.") from error
    return found


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for part in schema:
            yield from _references(part)
    if not isinstance(schema, dict):
        return
    for name, part in schema.items():
        if name in ("$ref", "$dynamicRef") and isinstance(part, str):
            yield part
        else:
            yield from _references(part)


def _unsupported(why: str) -> DomainError:
    return DomainError(f"This JSON schema cannot be used. {why}", code="unsupported_json_schema")
