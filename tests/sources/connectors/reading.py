"""What a test reads out of a vendor: stored items, with the cursors as they were saved beside them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from msgspec import UNSET

from sources.connectors import Account, Batch, ConnectorError, Engine, connectors
from sources.items import RawItem
from tests.sources.connectors.loopback import FakeClock, Vendor


class Killed(Exception):
    """The process went away."""


@dataclass
class Store:
    """Items and parts by their ids, as storing them over each other leaves them, and the cursors."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    states: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    saved: list[RawItem] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    batches: int = 0

    def take(self, stream: str, key: str, batch: Batch) -> None:
        for item in batch.items:
            self.saved.append(item)
            known = self.items.setdefault(item.unique_id, {})
            known |= {name: value for name in item.__struct_fields__ if (value := getattr(item, name)) is not UNSET}
            for part in item.conversation_parts or () if item.conversation_parts is not UNSET else ():
                values = {name: getattr(part, name) for name in part.__struct_fields__}
                self.parts[part.unique_id] = values | {"item": item.unique_id}
        for unique_id in batch.deleted:
            self.items.pop(unique_id, None)
        for unique_id in batch.deleted_parts:
            self.parts.pop(unique_id, None)
        self.states[stream, key] = batch.state
        self.batches += 1

    def known(self, kind: str, since: float) -> Iterator[str]:
        return iter(list(self.items if kind == "items" else self.parts))


def engine_for(vendor: Vendor, store: Store, *, patience: float = 1e9, **settings: Any) -> Engine:
    connector = connectors()[vendor.kind]
    secrets = {**vendor.secrets, **store.secrets}
    account = Account(
        settings={**vendor.settings, "loopback": vendor.base, **settings},
        secrets=secrets,
        save=store.secrets.update,
        reload=lambda: {**vendor.secrets, **store.secrets},
    )
    return Engine(connector, account, known=store.known, clock=vendor.clock, patience=patience)


def read_all(
    vendor: Vendor, store: Store, *, kill: Callable[[int], bool] = lambda count: False, **settings: Any
) -> Engine:
    """Run every stream once; where `kill` says so of the number of stored batches, the process goes away."""
    engine = engine_for(vendor, store, **settings)
    for stream in engine.streams:
        for record in engine.keys(stream):
            for batch in engine.walk(stream, record, store.states.get((stream, record["key"]), {})):
                if kill(store.batches):
                    raise Killed
                store.take(stream, record["key"], batch)
    for batch in engine.recheck(store.states.get(("recheck", ""), {})):
        if kill(store.batches):
            raise Killed
        store.take("recheck", "", batch)
    return engine


__all__ = ["ConnectorError", "FakeClock", "Killed", "Store", "engine_for", "read_all"]
