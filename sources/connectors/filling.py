"""Put values into the templates of a connector file, without ever running a format string."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sources.connectors.errors import ConnectorError

PLACEHOLDER = re.compile(r"\{([a-z_]+(?:\.[A-Za-z0-9_]+)*)\}")


def look_up(path: str, values: Mapping[str, Any]) -> Any:
    """Return the value at a dotted path, or None."""
    found: Any = values
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """Return `template` with its placeholders replaced.

    A string that is one placeholder becomes the value itself, with its type; an entry of a mapping whose
    value is None is left out, so that an unset setting sends nothing.
    """
    if isinstance(template, Mapping):
        filled = {fill(key, values): fill(value, values) for key, value in template.items()}
        return {key: value for key, value in filled.items() if value is not None}
    if isinstance(template, list):
        return [fill(entry, values) for entry in template]
    if not isinstance(template, str):
        return template
    if whole := PLACEHOLDER.fullmatch(template):
        return look_up(whole[1], values)
    return PLACEHOLDER.sub(lambda match: _text(look_up(match[1], values)), template)


def fill_path(template: str, values: Mapping[str, Any]) -> str:
    """Return a URL path whose values are quoted, so that none of them can leave its place.

    Raises ConnectorError where a value is missing: another path would be asked for.
    """

    def quoted(match: re.Match[str]) -> str:
        value = look_up(match[1], values)
        if value is None or value == "" or str(value) in (".", ".."):
            raise ConnectorError(f"A value is missing for {match[1]}.", permanent=True)
        return quote(str(value), safe="")

    return PLACEHOLDER.sub(quoted, template)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
