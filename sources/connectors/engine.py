"""Read one connection: what its streams are walked for, their walks, and the check for what was deleted."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import requests

from sources.connectors import positions
from sources.connectors.auth import Account
from sources.connectors.client import Client
from sources.connectors.errors import ConnectorError
from sources.connectors.expressions import search
from sources.connectors.filling import fill
from sources.connectors.paging import Page, fetch_pages
from sources.connectors.spec import Connector, Each, Field, Listing, Recheck, Stream
from sources.connectors.transport import Clock, SystemClock, open_session
from sources.connectors.walk import Batch, Known, Walk

__all__ = ["Account", "Batch", "Engine", "Known"]


class Engine:
    """Reads one connection.

    `known(kind, since)` yields the unique ids of stored items or parts that were created since then (seconds
    since 1970); without it, deletions that the vendor does not announce are not looked for. Waits of up to
    `patience` seconds are waited out. Raises ConnectorError where a setting or a credential is missing.
    """

    def __init__(
        self,
        connector: Connector,
        account: Account,
        *,
        known: Known | None = None,
        session: requests.Session | None = None,
        clock: Clock | None = None,
        patience: float = 65,
    ) -> None:
        self.connector = connector
        self.account = account
        self.known = known
        self.clock = clock or SystemClock()
        account.settings = complete_settings(connector.settings, account.settings)
        self.client = Client(connector, account, session=session or open_session(), clock=self.clock, patience=patience)

    @property
    def requests(self) -> int:
        """How many requests have been sent."""
        return self.client.requests

    @property
    def streams(self) -> list[str]:
        """The names of the streams that the settings ask for."""
        facts = {"settings": self.account.settings}
        streams = self.connector.streams.items()
        return [name for name, stream in streams if not stream.only or search(stream.only, facts)]

    def keys(self, stream_name: str) -> Iterator[dict[str, Any]]:
        """Yield a record, with its `key`, for everything that the stream is walked for.

        These are channels, apps, repositories, or one record whose key is empty. Raises ConnectorError where
        they cannot be listed or are not written as they should be.
        """
        each = self.connector.streams[stream_name].each
        if each is None:
            yield {"key": ""}
        elif each.listing is None:
            yield from self._chosen(each)
        else:
            for chosen in self._chosen(each) if each.setting else [{}]:
                yield from self._listed(each, each.listing, chosen)

    def _chosen(self, each: Each) -> Iterator[dict[str, Any]]:
        for value in self.account.settings.get(each.setting) or []:
            named = re.fullmatch(each.pattern, value) if each.pattern else None
            if each.pattern and named is None:
                raise ConnectorError(f"{value!r} is not written as the set-up asks for.", permanent=True)
            yield {"key": value} | (named.groupdict() if named else {})

    def _listed(self, each: Each, listing: Listing, chosen: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for page in fetch_pages(self.client, listing, Page(), self.account.values(each=chosen)):
            for record in page.rows:
                key = search(each.key, record)
                facts = {**record, "settings": self.account.settings}
                if key and (not each.where or search(each.where, facts)):
                    yield record | {"key": str(key)}

    def walk(self, stream_name: str, record: Mapping[str, Any], state: Mapping[str, Any]) -> Iterator[Batch]:
        """Yield batches for a record of `keys` from where `state` says, `{}` for the first time.

        Each batch has to be stored, together with its state, before the next one is asked for. Raises
        ConnectorError; what was yielded before stays good.
        """
        stream = self.connector.streams[stream_name]
        if not _is_read(stream, record, state):
            yield from Walk(self.client, self.account, stream, record, dict(state), self.known).batches()

    def recheck(self, state: Mapping[str, Any]) -> Iterator[Batch]:
        """Yield what was deleted at the vendor's among what is stored, where the vendor can only be asked."""
        rule = self.connector.recheck
        now = self.clock.now()
        if rule is None or self.known is None or now < state.get("rechecked", 0) + rule.every:
            return
        since = now - float(fill(rule.within, self.account.values()))
        for ids in _batches(self.known("items", since), rule.batch):
            yield Batch(state=dict(state), deleted=self._gone(rule, ids))
        for ids in _batches(self.known("parts", since), rule.batch):
            yield Batch(state=dict(state), deleted_parts=self._gone(rule, ids))
        yield Batch(state={"rechecked": now})

    def _gone(self, rule: Recheck, ids: list[str]) -> list[str]:
        values = self.account.values(ids=",".join(ids))
        here: set[str] = set()
        for page in fetch_pages(self.client, rule.listing, Page(), values):
            here |= {str(search(rule.key, row)) for row in page.rows if not (rule.gone and search(rule.gone, row))}
        return [unique_id for unique_id in ids if unique_id not in here]


def complete_settings(fields: Iterable[Field], given: Mapping[str, Any], *, required: bool = True) -> dict[str, Any]:
    """Return the settings with their defaults.

    Raises ConnectorError where one is not written as its field says or, if asked for, a required one is
    missing.
    """
    complete = dict(given)
    for field in fields:
        value = complete.get(field.name)
        if value in (None, "", []):
            value = field.default
        if value is None and field.required and required:
            raise ConnectorError(f"“{field.label}” is missing. Open the source and complete it.", permanent=True)
        if value is not None:
            _check_value(field, value)
        complete[field.name] = value
    return complete


def _check_value(field: Field, value: Any) -> None:
    if field.pattern and not re.fullmatch(field.pattern, str(value)):
        raise ConnectorError(f"“{field.label}” is not written as it should be.", permanent=True)
    if field.choices and value not in field.choices:
        raise ConnectorError(f"“{field.label}” must be one of {', '.join(field.choices)}.", permanent=True)
    if field.type == "list" and not isinstance(value, list):
        raise ConnectorError(f"“{field.label}” must be a list.", permanent=True)
    if field.type == "number" and not str(value).isdigit():
        raise ConnectorError(f"“{field.label}” must be a whole number.", permanent=True)


def _is_read(stream: Stream, record: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    """Whether the record itself tells that nothing has been added since the last walk."""
    if stream.each is None or not stream.each.newest or stream.cursor is None or set(state) != {"position"}:
        return False
    newest = positions.read(search(stream.each.newest, record), stream.cursor)
    return newest is not None and bool(newest <= state["position"])


def _batches(values: Iterable[str], size: int) -> Iterator[list[str]]:
    batch: list[str] = []
    for value in values:
        batch.append(value)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
