"""JSON as the APIs read and write it: no body too deep to work with, no answer that cannot be sent."""

from collections.abc import Iterable
from typing import Any, Final

from rest_framework import parsers, renderers
from rest_framework.exceptions import ParseError
from rest_framework.utils import json

# Levels of lists and objects. What holds more cannot be checked and stored again within the interpreter's own depth.
DEEPEST: Final = 100


def read_json(body: bytes) -> Any:
    """Return what a body says. Raises ParseError for what is no JSON, or is nested deeper than DEEPEST levels."""
    try:
        value = json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise ParseError(f"JSON parse error - {error}") from error
    if body.count(b"[") + body.count(b"{") > DEEPEST and _is_too_deep(value):
        raise ParseError(f"JSON parse error - nested deeper than {DEEPEST} levels")
    return value


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [child for each in level for child in _children(each)]
    return bool(level)


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


class JSONParser(parsers.JSONParser):
    """Reads a JSON body, which is UTF-8 whatever its header says."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return what the body says. Raises ParseError."""
        return read_json(stream.read())


class JSONRenderer(renderers.JSONRenderer):
    """Writes JSON; an answer that repeats half a character, which UTF-8 has no bytes for, in ASCII."""

    def render(self, data: Any, *arguments: Any, **options: Any) -> Any:
        """Return the answer's bytes."""
        try:
            return super().render(data, *arguments, **options)
        except UnicodeEncodeError:
            return _AsciiRenderer().render(data, *arguments, **options)


class _AsciiRenderer(renderers.JSONRenderer):
    ensure_ascii = True
