"""The connector that a person describes: any REST list whose rows are mapped by expressions typed in."""

from collections.abc import Mapping
from typing import Any

import jmespath
import msgspec

from sources.connectors.catalogue import connectors
from sources.connectors.errors import ConnectorError
from sources.connectors.expressions import OPTIONS, compiled
from sources.connectors.spec import Connector, Stream

REST = "rest"
FIELDS = ("unique_id", "body", "author", "email", "user_id", "created_at", "url", "rating", "language")


def connector_of(kind: str, settings: Mapping[str, Any]) -> Connector:
    """Return the connector of a kind; for REST the one that the settings describe.

    Raises ConnectorError where there is no such kind or an expression cannot be read.
    """
    if kind == REST:
        return _described(connectors()[REST], settings)
    if kind not in connectors():
        raise ConnectorError(f"There is no connector for {kind}.", permanent=True)
    return connectors()[kind]


def _described(base: Connector, settings: Mapping[str, Any]) -> Connector:
    """Return the base connector with the list that the person described in place of its own."""
    mapping = {name: settings[f"map_{name}"] for name in FIELDS if settings.get(f"map_{name}")}
    for expression in (*mapping.values(), settings.get("rows") or "@", settings.get("next_at") or "@"):
        _check(expression)
    stream: dict[str, Any] = {
        "row_id": mapping.get("unique_id", "id"),
        "map": mapping,
        "listing": {
            "path": "",
            "method": settings.get("method") or "GET",
            "params": _parameters(settings.get("parameters") or []),
            "rows": settings.get("rows") or "@",
            "next": _next(settings),
        },
    }
    if settings.get("cursor_field"):
        _check(settings["cursor_field"])
        stream["cursor"] = {
            "field": settings["cursor_field"],
            "kind": settings.get("cursor_kind") or "iso",
            "order": settings.get("cursor_order") or "none",
            "lookback": 3600,
        }
    return msgspec.structs.replace(base, streams={"rows": msgspec.convert(stream, Stream)})


def _next(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    by = settings.get("next_by") or "none"
    if by == "none":
        return None
    size = int(settings.get("page_size") or 0)
    return {"by": by, "at": settings.get("next_at") or "", "into": settings.get("next_into") or "", "size": size}


def _parameters(lines: list[str]) -> dict[str, str]:
    """Read `name=value` lines; `{since}` in a value is where reading goes on."""
    pairs = (line.partition("=") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def _check(expression: str) -> None:
    try:
        compiled(expression).search({}, options=OPTIONS)
    except jmespath.exceptions.JMESPathTypeError:
        return
    except jmespath.exceptions.JMESPathError as error:
        raise ConnectorError(f"“{expression}” is not an expression that can be read.", permanent=True) from error
