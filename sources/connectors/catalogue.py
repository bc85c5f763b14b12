"""The connectors there are, read from the YAML files beside this module, and what a person sees of them."""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from sources.connectors.spec import Connector, Field

FOLDER = Path(__file__).parent
HISTORY = Field(
    name="history_days",
    label="Days to read back at first",
    help="Later runs read only what is added or changed.",
    type="number",
    default=90,
)


class Entry(msgspec.Struct, frozen=True):
    """What the console shows of a connector before it is connected."""

    kind: str
    title: str
    tags: list[str]
    summary: str
    settings: list[Field]
    secrets: list[Field]
    scopes: list[str]
    setup: list[str]
    limitations: list[str]
    sign_in: bool
    webhook: str


ONLY_LANGUAGES = Field(
    name="only_languages",
    label="Only in these languages",
    help="Codes such as en or de. Empty takes all; what states no language is taken.",
    type="list",
    required=False,
)
ONLY_TAGS = Field(
    name="only_tags", label="Only with one of these tags", help="Empty takes all.", type="list", required=False
)


@cache
def connectors() -> dict[str, Connector]:
    """Return every connector by its kind. Raises msgspec.ValidationError where a file is not as it should be."""
    loaded = [load(yaml.safe_load(path.read_text("utf-8"))) for path in sorted(FOLDER.glob("*.yaml"))]
    return {connector.kind: connector for connector in loaded}


def load(document: dict[str, Any]) -> Connector:
    """Return a checked connector; the settings that others have too are added."""
    connector = msgspec.convert(document, Connector)
    maps = [stream.map for stream in connector.streams.values()]
    filters = [ONLY_LANGUAGES] if any("language" in each for each in maps) else []
    filters += [ONLY_TAGS] if any("tags" in (each.get("metadata") or {}) for each in maps) else []
    return msgspec.structs.replace(connector, settings=[*connector.settings, *filters, HISTORY])


def catalogue() -> list[Entry]:
    """Return an entry for every connector, by title."""
    return sorted(map(describe, connectors().values()), key=lambda entry: entry.title.lower())


def describe(connector: Connector) -> Entry:
    """Return what a person needs to know to connect it."""
    return Entry(
        kind=connector.kind,
        title=connector.title,
        tags=list(connector.tags),
        summary=connector.summary,
        settings=connector.settings,
        secrets=connector.secrets,
        scopes=connector.scopes,
        setup=connector.setup,
        limitations=connector.limitations,
        sign_in=connector.oauth is not None,
        webhook=connector.webhook,
    )
