"""Connections over REST: what the page shows and does, and never a secret."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from projects.models import Project
from sources import credentials, rounds
from sources.connecting import connect
from sources.models import Connection, Source, SyncRun
from tests.factories import Member, make_source

pytestmark = pytest.mark.django_db
TOKEN = "canary-token-4711"


@pytest.fixture
def source(project: Project, owner: Member) -> Source:
    settings = {"subdomain": "acme", "email": "agent@acme.example", "ratings": "no"}
    return connect(project, "zendesk", "Support", actor=owner.user, settings=settings, secrets={"api_token": TOKEN})


def call(member: Member, source: Source, action: str, body: Any = None, method: str = "") -> Any:
    method = method or ("get" if body is None else "post")
    sent = {} if method == "get" else {"data": body, "content_type": "application/json"}
    return getattr(Client(), method)(f"/api/v1/sources/{source.pk}/{action}/", headers=member.headers, **sent)


def test_a_connection_says_how_it_is_doing_without_its_secrets(source: Source, owner: Member) -> None:
    answer = call(owner, source, "connection")
    assert TOKEN not in answer.content.decode()
    shown = answer.json()
    assert (shown["every"], shown["secrets"], shown["settings"]["subdomain"]) == (60, ["api_token"], "acme")
    assert (shown["last_success_at"], shown["last_error"], shown["is_reading"]) == (None, "", False)
    received, *others = (step["count"] for step in shown["progress"])
    assert (received, len(others)) == (sum(others), 4)


def test_a_change_leaves_what_is_not_named(source: Source, owner: Member) -> None:
    changed = {"settings": {"ratings": "yes"}, "secrets": {"api_token": "canary-second"}, "every": 1440}
    answer = call(owner, source, "connection", changed, "patch")
    assert (answer.status_code, answer.json()["every"]) == (200, 1440)
    assert "canary" not in answer.content.decode()
    connection = Connection.objects.get()
    assert (connection.settings["subdomain"], connection.settings["ratings"]) == ("acme", "yes")
    assert credentials.stored(source.pk) == {"api_token": "canary-second"}


@pytest.mark.parametrize(
    "changed", [{"every": 1}, {"every": 2000}, {"settings": {"subdomain": "evil.example/#"}}, {"secrets": "x"}]
)
def test_a_change_that_cannot_be_is_refused(source: Source, owner: Member, changed: Any) -> None:
    answer = call(owner, source, "connection", changed, "patch")
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}


def test_reading_now_and_again_are_asked_for(source: Source, owner: Member) -> None:
    Connection.objects.update(due_at=timezone.now() + timedelta(days=1))
    assert call(owner, source, "sync", {}).status_code == 202
    assert rounds.begin_round() == 1
    since = (timezone.now() - timedelta(days=10)).date().isoformat()
    assert call(owner, source, "read-again", {"since": since}).json()["settings"]["history_days"] == 10
    assert call(owner, source, "read-again", {"since": "2999-01-01"}).status_code == 400
    call(owner, source, "pause", {})
    assert call(owner, source, "sync", {}).status_code == 409


def test_runs_are_listed_page_by_page(source: Source, owner: Member) -> None:
    for number in range(5):
        SyncRun.objects.create(source=source, items=number, started_at=timezone.now() + timedelta(minutes=number))
    url, seen = f"/api/v1/sources/{source.pk}/runs/", []
    cursor = ""
    while cursor is not None:
        page = Client().get(url, {"limit": 2} | ({"cursor": cursor} if cursor else {}), headers=owner.headers).json()
        seen += [run["items"] for run in page["results"]]
        cursor = page["next"]
    assert (seen, page["total"]) == ([4, 3, 2, 1, 0], 5)


def test_other_sources_are_no_connections_and_other_projects_see_nothing(
    source: Source, project: Project, owner: Member, viewer: Member, stranger: Member
) -> None:
    assert call(owner, make_source(project), "connection").status_code == 404
    assert call(stranger, source, "connection").status_code == 404
    assert call(viewer, source, "runs").status_code == 200
    assert call(viewer, source, "sync", {}).status_code == 403
