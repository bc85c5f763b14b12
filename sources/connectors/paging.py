"""From one page of a list to the next, for every way that vendors have of saying where it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import msgspec

from sources.connectors import positions
from sources.connectors.client import Answer, Client
from sources.connectors.errors import ConnectorError
from sources.connectors.expressions import search
from sources.connectors.filling import fill, fill_path
from sources.connectors.spec import Cursor, Join, Listing, Next
from sources.connectors.transport import Call

MAX_EMPTY_PAGES = 200


class Page(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a page is. It is stored between runs, so it holds no credential."""

    since: int | None = None
    to: int | None = None
    url: str | None = None
    token: str | int | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """The rows of one page, where the next one is, and the token that the answer held, even a last one.

    `total` is how many rows the application says the whole list has.
    """

    rows: list[dict[str, Any]]
    following: Page | None
    token: str | int | None
    total: int | None


def fetch_pages(
    client: Client, listing: Listing, page: Page, values: Mapping[str, Any], cursor: Cursor | None = None
) -> Iterator[Fetched]:
    """Yield page after page, beginning at `page`.

    Raises what `Client.fetch` raises, and ConnectorError for a list that goes on without rows.
    """
    empty = 0
    current: Page | None = page
    while current is not None:
        answer = client.fetch(call_for(client, listing, current, values, cursor))
        rows = _rows(listing, answer)
        following = None if answer.empty else _following(listing, current, answer, rows, cursor)
        if following == current:
            following = None
        empty = 0 if rows else empty + 1
        if empty > MAX_EMPTY_PAGES:
            raise ConnectorError("The list goes on without any rows.", permanent=False, retry_after=3600)
        yield Fetched(rows, following, _token(listing, answer), _total(listing, answer))
        current = following


def call_for(client: Client, listing: Listing, page: Page, values: Mapping[str, Any], cursor: Cursor | None) -> Call:
    """Return the request for a page."""
    base = client.base_url
    if page.url is not None:
        return Call(listing.method, urljoin(base, page.url), {}, format=listing.format, pace=listing.pace)
    bounds = {
        name: positions.render(bound, cursor) if cursor else None
        for name, bound in (("since", page.since), ("to", page.to))
    }
    known = {**values, **bounds}
    params = dict(fill(listing.params, known))
    body = None if listing.body is None else fill(listing.body, known)
    step = _step(listing.next)
    value = page.token if page.token is not None else page.number
    if value is None and step is not None and step.by == "page":
        value = step.first
    if step is not None and step.into and value is not None:
        for name in step.drop:
            params.pop(name, None)
        _put(step.into, value, params, body)
    url = base.rstrip("/") + fill_path(listing.path, values) if listing.path else base
    return Call(listing.method, url, params, body, listing.format, listing.pace)


def _step(following: Next | None) -> Next | None:
    return following.then if following is not None and following.by == "since" else following


def _put(into: str, value: Any, params: dict[str, Any], body: dict[str, Any] | None) -> None:
    if not into.startswith("body.") or body is None:
        params[into] = value
        return
    *outer, name = into.removeprefix("body.").split(".")
    place = body
    for step in outer:
        place = place.setdefault(step, {})
    place[name] = value


def _rows(listing: Listing, answer: Answer) -> list[dict[str, Any]]:
    found = search(listing.rows, answer.data) if not answer.empty else []
    rows = [dict(row) for row in (found if isinstance(found, list) else [found]) if isinstance(row, Mapping)]
    for join in listing.joins:
        _join(rows, join, answer.data)
    return rows


def _join(rows: list[dict[str, Any]], join: Join, data: Any) -> None:
    records = {search(join.key, record): record for record in search(join.rows, data) or []}
    for row in rows:
        row[join.into] = records.get(search(join.by, row))


def _following(
    listing: Listing, page: Page, answer: Answer, rows: list[dict[str, Any]], cursor: Cursor | None
) -> Page | None:
    step = listing.next
    if step is None or (listing.until and search(listing.until, answer.data)):
        return None
    if step.by == "since" and cursor is not None:
        return _since(step, page, answer, rows, cursor)
    return _after(step, page, answer, rows, cursor)


def _token(listing: Listing, answer: Answer) -> str | int | None:
    if listing.next is None or listing.next.by != "token" or answer.empty:
        return None
    token: str | int | None = search(listing.next.at, answer.data)
    return token


def _total(listing: Listing, answer: Answer) -> int | None:
    found = search(listing.total, answer.data) if listing.total and not answer.empty else None
    return int(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def _since(step: Next, page: Page, answer: Answer, rows: list[dict[str, Any]], cursor: Cursor) -> Page | None:
    """Ask again from the newest row read.

    Numbered pages of a list that is ordered by its last change lose a row whenever one before it is changed,
    since that one moves to the end and all others move up.
    """
    if len(rows) < step.size:
        return None
    newest = newest_of(rows, cursor)
    since = None if newest is None else positions.back(newest, cursor)
    if since is not None and (page.since is None or since > page.since):
        return Page(since=since, to=page.to)
    return _after(step.then, page, answer, rows, cursor) if step.then else None


def _after(step: Next, page: Page, answer: Answer, rows: list[dict[str, Any]], cursor: Cursor | None) -> Page | None:
    if step.by == "url":
        url = search(step.at, answer.data)
        return Page(since=page.since, to=page.to, url=url) if url else None
    if step.by == "link":
        return Page(since=page.since, to=page.to, url=answer.link) if answer.link else None
    if step.by == "token":
        token = search(step.at, answer.data)
        return Page(since=page.since, to=page.to, token=token) if token else None
    if len(rows) < max(step.size, 1):
        return None
    if step.by == "page":
        return Page(since=page.since, to=page.to, number=(page.number or step.first) + 1)
    return _last(step, page, rows, cursor)


def _last(step: Next, page: Page, rows: list[dict[str, Any]], cursor: Cursor | None) -> Page | None:
    """Continue at the id that is furthest along, since some vendors turn the order around inside a page."""
    ids = [int(found) for row in rows if str(found := search(step.at, row)).isdigit()]
    if not ids:
        return None
    upward = cursor is None or cursor.order == "asc"
    furthest = max(ids) if upward else min(ids)
    return Page(since=page.since, to=page.to, token=furthest)


def newest_of(rows: list[dict[str, Any]], cursor: Cursor) -> int | None:
    """Return the greatest position among the rows."""
    found = [position for row in rows if (position := positions.read(search(cursor.field, row), cursor)) is not None]
    return max(found, default=None)
