"""Whatever stands after the question mark: never a fault of the server, never a look into another table."""

import logging
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, reset_queries, transaction
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from projects.roles import Permission
from tests.surface import ADDRESSES, AGENTS, API, CONSOLE, REVIEW, TRACKING, Row, World

pytestmark = pytest.mark.slow

# What would reach beyond its table if it were taken for a path of fields.
PATHS = (
    "project__memberships__user__password", "project__memberships__user__password__startswith", "person__email__regex",
    "id__in", "source.secrets", "metadata->>'a'", 'metadata"."', "pk__gt", "_state", "insight__project__slug",
    "__class__", "a[]", "owner__is_superuser", "created_at__date__year",
)  # fmt: skip
WORDS = (
    "\x00", "99999999999999999999999", "'", "", "-1", "NaN", "²", "00000000-0000-0000-0000-000000000000", "é" * 3000,
)  # fmt: skip
MOMENTS = (
    "0001-01-01", "9999-12-31", "\x00", "2026-13-45", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00",
    "2026-01-01T00:00:00+99:99", "infinity",
)  # fmt: skip
CONTENTS = (
    '["a",1]', '["\\u0000",1]', "{}", "[null,null]", '[1e999,"a"]', '["9999-12-31T23:59:59Z",1e30]',
    '["0001-01-01T00:00:00+14:00","00000000-0000-0000-0000-000000000000"]', '["infinity",99999999999999999999999]',
)  # fmt: skip
EACH = 3  # how many of the moments and cursors each page is asked for
PLACES = ("\x00", "=", *(urlsafe_b64encode(content.encode()).decode().rstrip("=") for content in CONTENTS))
TABLE = re.compile(r'(?:FROM|JOIN)\s+"?(\w+)"?')
SURFACES = {"console": CONSOLE, "api": API, "review": REVIEW, "tracking": TRACKING, "agents": AGENTS}


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Keep thousands of refusals out of the log."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


per_surface = pytest.mark.parametrize("rows", SURFACES.values(), ids=SURFACES)


@contextmanager
def asked_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Collect the names that the product looks up in query strings."""
    names: set[str] = set()

    def spy(method: str) -> None:
        original = getattr(QueryDict, method)

        def look_up(self: QueryDict, key: str, *rest: Any) -> Any:
            names.add(key)
            return original(self, key, *rest)

        patch.setattr(QueryDict, method, look_up)

    with monkeypatch.context() as patch:
        for method in ("get", "getlist", "__getitem__", "__contains__"):
            spy(method)
        yield names


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody with all permissions."""

    world: World
    client: Client
    token: str

    @classmethod
    def of(cls, world: World) -> "Reader":
        member = world.holding(*Permission)
        client = Client(raise_request_exception=False)
        client.force_login(member.user)
        return cls(world, client, member.token)

    def ask(self, name: str, query: dict[str, str]) -> int:
        """Ask for a URL, to the end of a streamed answer; return the status."""
        address = ADDRESSES[name]
        headers = {} if address.startswith("p/") else {"Authorization": f"Bearer {self.token}"}
        with transaction.atomic():
            answer = self.client.get(self.world.url(name, address), query, headers=headers)
            if answer.streaming:
                b"".join(answer)
            # A statement that failed would spoil the transaction for the next request.
            transaction.set_rollback(True)
        return answer.status_code

    def tables_read(self, name: str, query: dict[str, str]) -> tuple[int, set[str]]:
        """Ask for a URL; return the status and the tables that were read."""
        reset_queries()
        with CaptureQueriesContext(connection) as queries:
            status = self.ask(name, query)
        return status, {table for each in queries for table in TABLE.findall(each["sql"])}


def readable(rows: list[Row]) -> list[str]:
    return sorted({row.name for row in rows if row.method == "get" and row.name in ADDRESSES})


def values_for(name: str) -> tuple[str, ...]:
    """Return what may break the reading of a parameter of this name."""
    if name in ("cursor", "after", "before", "page"):
        return PLACES
    return MOMENTS if re.search(r"^(from|to|since|until|day|month)$|_at|date|time|start|end", name) else WORDS


def names_by_page(reader: Reader, pages: list[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Return the parameters of these pages, each with the pages that know it."""
    found: dict[str, list[str]] = {}
    for page in pages:
        with asked_for(monkeypatch) as names:
            assert reader.ask(page, {}) < 500, page
        for name in names:
            found.setdefault(name, []).append(page)
    return found


@per_surface
def test_any_value_of_any_parameter_is_answered(db: None, rows: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    reader, faults = Reader.of(World()), []
    known = names_by_page(reader, readable(rows), monkeypatch)
    for name, pages in sorted(known.items()):
        values = values_for(name)
        # Lists read cursors and moments in ways of their own; words are read in the same way wherever they are known.
        turns = max(len(values), (1 if values is WORDS else EACH) * len(pages))
        for page, value in ((pages[turn % len(pages)], values[turn % len(values)]) for turn in range(turns)):
            if reader.ask(page, {name: value}) >= 500:
                faults.append((page, name, value[:40]))
    assert faults == []


@per_surface
def test_paths_of_fields_reach_no_other_table(db: None, rows: list[Row]) -> None:
    reader = Reader.of(World())
    for page in readable(rows):
        plain, tables = reader.tables_read(page, {})
        answered, read_now = reader.tables_read(page, dict.fromkeys(PATHS, "a"))
        assert answered == plain or answered in range(400, 500), page
        assert read_now <= tables or answered != plain, page
