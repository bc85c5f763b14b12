"""One walk of one list, from the saved place to its end, in whichever order the vendor shows it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from sources.connectors import positions
from sources.connectors.auth import Account
from sources.connectors.client import Client
from sources.connectors.errors import ConnectorError, CursorExpired, Gone
from sources.connectors.expressions import search
from sources.connectors.hooks import HOOKS
from sources.connectors.mapping import id_of, map_row
from sources.connectors.paging import Fetched, Page, fetch_pages, newest_of
from sources.connectors.spec import Detail, Stream
from sources.items import RawItem

DAY = 86_400
HISTORY_DAYS = 90
ROWS_WITH_DETAILS = 25

Known = Callable[[Literal["items", "parts"], float], Iterable[str]]


@dataclass(slots=True)
class Batch:
    """Some rows of a stream, to be stored together with `state`, from which a later run goes on.

    `deleted` and `deleted_parts` are the unique ids of what is gone at the vendor's. `unreadable` counts
    rows without an id. `ends_page` says that all of a page has been yielded. `total` is how many rows the
    application says the list has.
    """

    state: dict[str, Any]
    items: list[RawItem] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    deleted_parts: list[str] = field(default_factory=list)
    unreadable: int = 0
    ends_page: bool = False
    total: int | None = None


class Walk:
    """Yields the batches of one list.

    The state holds `position`, up to where all is stored; `done`, the rows of an unfinished page that are
    stored already; and, for lists whose newest rows come first or in no order, `resume`, the page to go on
    at, `began`, when the unfinished walk began, and `top`, what `position` becomes when it has ended.
    """

    def __init__(
        self,
        client: Client,
        account: Account,
        stream: Stream,
        record: Mapping[str, Any],
        state: dict[str, Any],
        known: Known | None,
    ) -> None:
        self.client = client
        self.stream = stream
        self.cursor = stream.cursor
        self.record = record
        self.values = account.values(each=record)
        self.state = state
        self.known = known
        self.started = client.clock.now()
        self.oldest = self.started - float(account.settings.get("history_days") or HISTORY_DAYS) * DAY
        self.ascending = self.cursor is not None and self.cursor.order == "asc"
        self.descending = self.cursor is not None and self.cursor.order == "desc"
        self.seen: set[str] = set()
        self.moved = False

    def batches(self) -> Iterator[Batch]:
        """Yield all batches, beginning at the saved page and, where that is no longer known, again by time.

        Raises ConnectorError.
        """
        saved = self.state.get("resume")
        try:
            yield from self._slices(msgspec.convert(saved, Page) if saved else None)
        except CursorExpired as error:
            if not (saved or self.moved):
                raise ConnectorError("The application refuses to list from there.", permanent=True) from error
            self._drop("resume", "top", "began", "done")
            self.seen.clear()
            yield from self._slices(None)

    def _slices(self, resumed: Page | None) -> Iterator[Batch]:
        page = resumed or self._first()
        while True:
            yield from self._pages(page)
            if page.to is None or page.to >= positions.from_seconds(self.started):
                break
            page = self._slice(page.to)
        if self.stream.missing_is_deleted and resumed is None:
            yield from self._missing()

    def _first(self) -> Page:
        since = self._since()
        return self._slice(since) if self.stream.window and since is not None else Page(since=since)

    def _slice(self, since: int) -> Page:
        to = min(since + self.stream.window * positions.MICRO, positions.from_seconds(self.started))
        return Page(since=since, to=to)

    def _since(self) -> int | None:
        """Return where to read from: a little before the position, never further back than the vendor goes."""
        if self.cursor is None:
            return None
        position = self.state.get("position")
        if position is None:
            since = positions.at_time(self.oldest, self.cursor)
        else:
            since = positions.back(position, self.cursor)
        if self.cursor.max_age and since is not None:
            since = max(since, positions.at_time(self.started - self.cursor.max_age, self.cursor) or 0)
        return since

    def _pages(self, first: Page) -> Iterator[Batch]:
        page = first
        for fetched in fetch_pages(self.client, self.stream.listing, first, self.values, self.cursor):
            for batch in self._rows(page, self._wanted(fetched.rows, first.since)):
                batch.total = fetched.total
                yield batch
            following = None if self._reached(fetched.rows, first.since) else fetched.following
            self._advance(fetched, following, first)
            yield Batch(state=dict(self.state), ends_page=True)
            if following is None:
                return
            page = following

    def _wanted(self, rows: list[dict[str, Any]], since: int | None) -> list[dict[str, Any]]:
        """Leave out what a newest-first list shows from before the walk's beginning."""
        return [row for row in rows if not self._before(row, since)] if self.descending else rows

    def _reached(self, rows: list[dict[str, Any]], since: int | None) -> bool:
        """Whether a newest-first list has come to what is known."""
        return self.descending and bool(rows) and self._before(rows[-1], since)

    def _before(self, row: Mapping[str, Any], since: int | None) -> bool:
        if self.cursor is not None and since is None:
            moment = positions.parse_time(search(self.cursor.time, row)) if self.cursor.time else None
            return moment is not None and moment.timestamp() < self.oldest
        position = self._position(row)
        return position is not None and since is not None and position < since

    def _position(self, row: Mapping[str, Any]) -> int | None:
        return positions.read(search(self.cursor.field, row), self.cursor) if self.cursor else None

    def _rows(self, page: Page, rows: list[dict[str, Any]]) -> Iterator[Batch]:
        """Yield the rows of a page; with details in small batches, so that a run cut short loses few of them.

        What is complete is yielded before an error is raised, or a vendor that allows little would never be
        read to the end.
        """
        done = set(self.state.get("done", ()))
        waiting = [(mark, row) for row in rows if (mark := self._mark(row)) not in done and self._is_feedback(row)]
        self._complete_together([row for _, row in waiting])
        size = ROWS_WITH_DETAILS if self.stream.details else max(len(waiting), 1)
        for start in range(0, len(waiting), size):
            batch = Batch(state={})
            failure: ConnectorError | None = None
            for mark, row in waiting[start : start + size]:
                try:
                    self._take(self._complete(row), batch)
                except ConnectorError as error:
                    failure = error
                    break
                done.add(mark)
            self.state["done"] = sorted(done)
            if not self.ascending or self.stream.keep_token:
                self._resume_at(page)
            batch.state = dict(self.state)
            yield batch
            if failure is not None:
                raise failure

    def _mark(self, row: dict[str, Any]) -> str:
        """Return what tells this version of a row from others."""
        return f"{search(self.stream.row_id, row)}@{self._position(row)}"

    def _is_feedback(self, row: Mapping[str, Any]) -> bool:
        return not self.stream.where or bool(search(self.stream.where, row))

    def _complete_together(self, rows: list[dict[str, Any]]) -> None:
        for detail in self.stream.details:
            ids = [found for row in rows if detail.ids and (found := search(detail.ids, row))]
            if not ids:
                continue
            answers = self._detail(detail, {**self.values, "ids": ids})
            for row in rows:
                own = search(detail.ids, row)
                row[detail.into] = [answer for answer in answers if search(detail.key, answer) == own]

    def _complete(self, row: dict[str, Any]) -> dict[str, Any]:
        row |= {"each": self.record, "settings": self.values["settings"]}
        for detail in self.stream.details:
            if not detail.ids and (not detail.when or search(detail.when, row)):
                row[detail.into] = self._detail(detail, {**self.values, "row": row})
        return HOOKS[self.stream.hook](row) if self.stream.hook else row

    def _detail(self, detail: Detail, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        try:
            return [row for page in fetch_pages(self.client, detail, Page(), values) for row in page.rows]
        except Gone:
            # It was deleted between the list and this request; the list will say so.
            return []

    def _take(self, row: dict[str, Any], batch: Batch) -> None:
        values = {**self.values, "base_url": self.client.base_url.rstrip("/")}
        mapped = map_row(self.stream, row, values)
        if self.stream.missing_is_deleted:
            self.seen.add(id_of(self.stream, row, values) or "")
        if mapped.item is not None:
            batch.items.append(mapped.item)
        elif not (mapped.empty or mapped.deleted):
            batch.unreadable += 1
        batch.deleted += mapped.deleted
        batch.deleted_parts += mapped.deleted_parts

    def _advance(self, fetched: Fetched, following: Page | None, first: Page) -> None:
        """Write into the state what this page, now stored, means for the next run."""
        self.moved = True
        self._drop("done")
        newest = newest_of(fetched.rows, self.cursor) if self.cursor else None
        if not self.ascending:
            self._advance_at_end(newest, following, first)
            return
        if newest is not None:
            self.state["position"] = max(newest, self.state.get("position", newest))
        if self.stream.keep_token and fetched.token is not None:
            self._resume_at(Page(since=first.since, token=fetched.token))

    def _advance_at_end(self, newest: int | None, following: Page | None, first: Page) -> None:
        """Keep the position until the walk has ended, since what is not read yet is older than what is."""
        if newest is not None:
            self.state["top"] = max(newest, self.state.get("top", newest))
        if following is not None:
            self._resume_at(following)
            return
        top = self.state.get("top")
        if first.to is not None:
            top = first.to
        elif top is not None and self.cursor is not None and self.cursor.order == "none":
            # A row that changed behind the walk's back did so after the walk had begun.
            top = min(top, self.state.get("began", positions.from_seconds(self.started)))
        self._drop("resume", "top", "began")
        if top is not None:
            self.state["position"] = max(top, self.state.get("position", top))

    def _resume_at(self, page: Page) -> None:
        self.state["resume"] = msgspec.to_builtins(page)
        if not self.ascending:
            self.state.setdefault("began", positions.from_seconds(self.started))

    def _drop(self, *names: str) -> None:
        for name in names:
            self.state.pop(name, None)

    def _missing(self) -> Iterator[Batch]:
        """Report as deleted what two whole walks in a row did not meet: a row may move while a list is read."""
        if self.known is None:
            return
        prefix = f"{self.record['key']}:" if self.record["key"] else ""
        missing = [name for name in self.known("items", 0) if name.startswith(prefix) and name not in self.seen]
        before = set(self.state.get("missing", ()))
        self.state["missing"] = [name for name in missing if name not in before]
        yield Batch(state=dict(self.state), deleted=[name for name in missing if name in before])
