"""How the input and output of a run read as text."""

import json
from collections.abc import Iterator
from typing import Any


def render(value: Any) -> str:
    """Return JSON as a person reads it: text as it is, everything else indented with its keys kept."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, indent=2)


def headline(value: Any) -> str:
    """Return the first text that JSON holds, as a list or a page shows it; JSON without any as it is rendered."""
    return next(texts_in(value), "") or render(value)


def line(text: str) -> str:
    """Return the first text of JSON that was rendered, as a list shows it; any other text as it is."""
    if not text.startswith(("{", "[")):
        return text
    try:
        return headline(json.loads(text))
    except (ValueError, RecursionError):
        return text


def texts_in(value: Any) -> Iterator[str]:
    """Yield the texts of JSON in their order, keys left out."""
    if isinstance(value, str):
        yield value
        return
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts_in(inner)
