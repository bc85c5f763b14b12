"""Who may do what: one row for each URL and method, tried as nobody, a stranger, somebody without and with the right.

A URL without a row fails, and so does a row without its URL.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from guardian.shortcuts import remove_perm
from pytest_django import DjangoDbBlocker

from projects.roles import Permission, Role
from tests.factories import Member, make_member, make_project
from tests.surface import ADDRESSES, KNOWN, OPEN, OWN, TABLE, Row, World


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[World, Member]]:
    """A world and the owner of another project, for all tests: what one changes of them is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield World(), make_member(make_project(), Role.OWNER)
        transaction.set_rollback(True)


@pytest.fixture
def world(built: tuple[World, Member], db: None) -> World:
    return built[0]


@pytest.fixture
def stranger(built: tuple[World, Member], db: None) -> Member:
    return built[1]


def test_every_url_has_a_row_and_every_row_its_url() -> None:
    covered = {row.name for row in TABLE} | OWN | set(OPEN)
    assert ADDRESSES.keys() - covered == set()
    assert {row.name for row in TABLE} - ADDRESSES.keys() == set()


def status(world: World, row: Row, member: Member | None, **query: Any) -> int:
    """Call a row's URL as somebody; return the status."""
    address = ADDRESSES[row.name]
    url = world.url(row.name, address)
    is_page = address.startswith("p/")
    client, headers = Client(raise_request_exception=False), {}
    if member and is_page:
        client.force_login(member.user)
    elif member:
        headers = {"Authorization": f"Bearer {member.token}", "X-Project": str(world.project.pk)}
    call = getattr(client, row.method)
    sends = row.method != "get"
    body: dict[str, Any] = {} if not sends else {"data": "{}", "content_type": "application/json"}
    if is_page and sends:
        body = {"data": world.forms.get(row.name, {})}
    return int(call(url, headers=headers, **body, **query).status_code)


@pytest.mark.parametrize("row", KNOWN, ids=lambda row: f"{row.method} {row.name}")
def test_only_who_holds_the_permission_gets_in(world: World, stranger: Member, row: Row) -> None:
    assert row.needs is not None
    assert status(world, row, None) in (302, 401), "nobody"
    assert status(world, row, stranger) == 404, "the owner of another project"
    assert status(world, row, world.holding()) == 404, "somebody without any grant"
    if row.needs != Permission.VIEW:
        everything_else = [permission for permission in Permission if permission != row.needs]
        refused = status(world, row, world.holding(*everything_else))
        # Whose key it is, is not told to who may not revoke it.
        assert refused == (404 if row.name == "key_revoke" else 403), "everything but the right"
    served = status(world, row, world.holding(Permission.VIEW, row.needs))
    if row.name == "feedback-generate":
        assert served == 500, "without a model, as the contract words it"
    else:
        assert served not in (401, 403, 404, 405, 500), "the right"


# Parts of addresses that name nothing which belongs to a project.
NO_IDS = {"source_connect", "source_sign_in", "agents"}
OF_OTHERS = [row for row in KNOWN if "<" in ADDRESSES[row.name].replace("<slug:slug>", "") and row.name not in NO_IDS]


@pytest.mark.parametrize("row", OF_OTHERS, ids=lambda row: f"{row.method} {row.name}")
def test_what_belongs_to_another_project_is_not_reached_from_ones_own(
    world: World, stranger: Member, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(world.ids, "slug", stranger.project.slug)
    monkeypatch.setattr(world, "project", stranger.project)
    # Some look at an empty body first, and say of any id what is missing there.
    assert status(world, row, stranger) in ((404,) if row.method in ("get", "delete") else (400, 404, 422))


def test_a_grant_that_is_taken_away_ends_with_the_next_request(world: World) -> None:
    member = world.holding(Permission.VIEW)
    row = Row("api-item-list", "get", Permission.VIEW)
    assert status(world, row, member) == 200
    remove_perm("feedback.view", member.user, world.project)
    assert status(world, row, member) == 404
