"""JMESPath with the few functions that mapping needs beside the built-in ones."""

import html
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jmespath
from inscriptis import get_text
from jmespath import functions
from jmespath.parser import ParsedResult


class Functions(functions.Functions):
    """What connector files may call in their expressions."""

    @functions.signature({"types": ["string", "null"]})
    def _func_html_text(self, value: str | None) -> str | None:
        """Return HTML as the text a reader sees."""
        return html_to_text(value) if value else value

    @functions.signature({"types": ["array", "null"]})
    def _func_lines(self, values: list[Any] | None) -> str:
        """Join what is not empty, one to a line; what is said twice in a row once."""
        texts = [str(value).strip() for value in values or [] if value not in (None, "", False)]
        return "\n".join(text for place, text in enumerate(texts) if place == 0 or text != texts[place - 1])

    @functions.signature({"types": ["object", "array", "null"]}, {"types": ["array"]})
    def _func_leaves(self, value: Any, names: list[str]) -> list[str]:
        """Return every text below a value; of an object that has one of the `names`, only what is under those."""
        return list(_leaves(value, names))

    @functions.signature({"types": ["string", "null"]})
    def _func_last_segment(self, value: str | None) -> str | None:
        """Return what follows the last slash."""
        return value.rstrip("/").rsplit("/", 1)[-1] if value else None

    @functions.signature({"types": ["string", "null"]}, {"types": ["string"]})
    def _func_before(self, value: str | None, separator: str) -> str | None:
        """Return what stands before the first `separator`, or the whole text."""
        return value.split(separator, 1)[0] if value else value

    @functions.signature({"types": ["object", "null"]}, {"types": ["string"]})
    def _func_get(self, value: dict[str, Any] | None, name: str) -> Any:
        """Return the entry of a name that is itself a value."""
        return (value or {}).get(name)


def _leaves(value: Any, names: list[str]) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for entry in value:
            yield from _leaves(entry, names)
    elif isinstance(value, dict):
        chosen = [value[name] for name in names if name in value] or list(value.values())
        for entry in chosen:
            yield from _leaves(entry, names)


def html_to_text(value: str) -> str:
    """Return HTML as the text a reader sees."""
    if "<" not in value:
        return html.unescape(value).strip()
    return str(get_text(value)).strip()


OPTIONS = jmespath.Options(custom_functions=Functions())


# Bounded: what people type is compiled too.
@lru_cache(maxsize=2_000)
def compiled(expression: str) -> ParsedResult:
    """Return the parsed expression. Raises jmespath.exceptions.ParseError where it is none."""
    return jmespath.compile(expression)


def search(expression: str, data: Any) -> Any:
    """Return what the expression finds, or None where the data is not as the expression expects it."""
    try:
        return compiled(expression).search(data, options=OPTIONS)
    except (jmespath.exceptions.JMESPathError, AttributeError, TypeError):
        return None
