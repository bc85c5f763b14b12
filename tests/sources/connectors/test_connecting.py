"""Who may connect applications, what has to be complete, and what is never shown again."""

from collections.abc import Iterator

import pytest

from config.errors import DomainError
from projects.models import AuditEvent, Project
from sources import credentials
from sources.connecting import change_connection, connect, read_soon, try_connection
from sources.models import Connection, Source
from sources.syncing import due_connections
from tests.factories import Member
from tests.sources.connectors.desks import Zendesk
from tests.sources.connectors.loopback import FakeClock, serving

pytestmark = pytest.mark.django_db
SETTINGS = {"subdomain": "acme", "email": "agent@acme.example", "ratings": "no"}
SECRETS = {"api_token": "first-token"}


@pytest.fixture
def zendesk() -> Iterator[Zendesk]:
    vendor = Zendesk(FakeClock())
    with serving(vendor):
        yield vendor


def made(project: Project, owner: Member) -> Source:
    return connect(project, "zendesk", "Support", actor=owner.user, settings=SETTINGS, secrets=SECRETS)


def test_an_application_is_connected_and_read_soon(project: Project, owner: Member) -> None:
    source = made(project, owner)
    assert (source.kind, source.application, source.name) == (Source.Kind.CONNECTOR, "zendesk", "Support")
    assert source.pk in due_connections()
    event = AuditEvent.objects.get(verb="source.connected")
    assert "first-token" not in str(event.details)


def test_who_may_not_manage_sources_connects_nothing(project: Project, viewer: Member, owner: Member) -> None:
    source = made(project, owner)
    with pytest.raises(DomainError):
        connect(project, "zendesk", "Mine", actor=viewer.user, settings=SETTINGS, secrets=SECRETS)
    with pytest.raises(DomainError):
        change_connection(source, actor=viewer.user, secrets={"api_token": "mine"})
    assert Connection.objects.count() == 1


@pytest.mark.parametrize(
    ("settings", "secrets", "words"),
    [
        ({"email": "a@acme.example"}, SECRETS, "Subdomain"),
        (SETTINGS | {"subdomain": "evil.example/#"}, SECRETS, "Subdomain"),
        (SETTINGS, {}, "missing"),
        (SETTINGS | {"ratings": "maybe"}, SECRETS, "must be one of"),
        (SETTINGS | {"history_days": "soon"}, SECRETS, "whole number"),
    ],
)
def test_what_is_missing_or_wrong_is_told(
    project: Project, owner: Member, settings: dict[str, str], secrets: dict[str, str], words: str
) -> None:
    with pytest.raises(DomainError, match=words):
        connect(project, "zendesk", "Support", actor=owner.user, settings=settings, secrets=secrets)
    assert not Connection.objects.exists()


def test_an_unknown_application_is_refused(project: Project, owner: Member) -> None:
    with pytest.raises(DomainError, match="no connector"):
        connect(project, "fax", "Fax", actor=owner.user, settings={}, secrets={})


def test_a_secret_left_blank_stays_and_a_failed_source_is_read_again(project: Project, owner: Member) -> None:
    source = made(project, owner)
    Source.objects.filter(pk=source.pk).update(status=Source.Status.FAILED, status_reason="Refused.")
    change_connection(source, actor=owner.user, settings=SETTINGS | {"subdomain": "other"}, secrets={"api_token": ""})
    source.refresh_from_db()
    assert (source.status, source.status_reason) == (Source.Status.ACTIVE, "")
    assert credentials.stored(source.pk) == SECRETS
    assert source.connection.settings["subdomain"] == "other"
    change_connection(source, actor=owner.user, secrets={"api_token": "second-token"})
    assert credentials.stored(source.pk) == {"api_token": "second-token"}


def test_a_connection_is_tried_before_it_is_kept(zendesk: Zendesk) -> None:
    zendesk.add(3)
    settings = SETTINGS | {"loopback": zendesk.base}
    assert try_connection("zendesk", settings, SECRETS) == 3
    with pytest.raises(DomainError, match="credential was refused"):
        try_connection("zendesk", settings, {"api_token": "wrong"})


def test_a_webhook_makes_a_connection_due(project: Project, owner: Member) -> None:
    source = made(project, owner)
    Connection.objects.update(due_at="2099-01-01T00:00:00Z")
    assert due_connections() == []
    read_soon(source)
    assert due_connections() == [source.pk]
