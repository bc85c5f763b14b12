"""Who may connect applications, what has to be complete, and what is never shown again."""

import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from config.errors import DomainError
from projects.models import AuditEvent, Project
from sources import credentials
from sources.connecting import change_connection, connect, preview, read_again, read_now, read_soon
from sources.models import Connection, Source, StreamCursor
from sources.services import pause_source
from sources.syncing import due_connections
from tests.factories import Member
from tests.sources.connectors.desks import Intercom, Zendesk
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
    change_connection(
        source, actor=owner.user, settings=SETTINGS | {"email": "new@acme.example"}, secrets={"api_token": ""}
    )
    source.refresh_from_db()
    assert (source.status, source.status_reason) == (Source.Status.ACTIVE, "")
    assert credentials.stored(source.pk) == SECRETS
    assert source.connection.settings["email"] == "new@acme.example"
    change_connection(source, actor=owner.user, secrets={"api_token": "second-token"})
    assert credentials.stored(source.pk) == {"api_token": "second-token"}


def test_a_connection_is_tried_before_it_is_kept(zendesk: Zendesk) -> None:
    zendesk.add(3)
    settings = SETTINGS | {"loopback": zendesk.base}
    seen = preview("zendesk", settings, SECRETS)
    assert [item.body for item in seen.items] == ["Text of row 1", "Text of row 2", "Text of row 3"]
    assert (seen.total, seen.estimate, seen.secrets) == (None, None, SECRETS)
    with pytest.raises(DomainError, match="credential was refused"):
        preview("zendesk", settings, {"api_token": "wrong"})


def test_a_webhook_makes_a_connection_due(project: Project, owner: Member) -> None:
    source = made(project, owner)
    Connection.objects.update(due_at="2099-01-01T00:00:00Z")
    assert due_connections() == []
    read_soon(source)
    assert due_connections() == [source.pk]


def test_an_application_that_says_how_much_there_is_gives_an_estimate() -> None:
    vendor = Intercom(FakeClock())
    with serving(vendor):
        vendor.clock.time = time.time()
        vendor.add(200)
        seen = preview("intercom", {"loopback": vendor.base}, vendor.secrets)
    assert (len(seen.items), seen.total) == (20, 200)
    assert seen.estimate == pytest.approx(seen.took * 10)


def test_reading_now_and_again_from_a_day(project: Project, owner: Member, zendesk: Zendesk) -> None:
    source = made(project, owner)
    Connection.objects.update(due_at="2099-01-01T00:00:00Z", leased_by=uuid4(), lease_until="2099-01-01T00:00:00Z")
    StreamCursor.objects.create(source=source, stream="tickets", state={"position": 5})
    read_again(source, timezone.now().date() - timedelta(days=400), actor=owner.user)
    assert source.pk in due_connections()
    assert not StreamCursor.objects.exists()
    assert Connection.objects.get().settings["history_days"] == 400
    Connection.objects.update(due_at="2099-01-01T00:00:00Z")
    Source.objects.update(status=Source.Status.FAILED, status_reason="Refused.")
    source.refresh_from_db()
    read_now(source, actor=owner.user)
    assert source.pk in due_connections()
    verbs = AuditEvent.objects.filter(target_id=source.pk).values_list("verb", flat=True)
    assert set(verbs) == {"source.connected", "source.read_again", "source.read_now"}


def test_a_paused_source_is_not_read_and_no_day_to_come_is_read_from(project: Project, owner: Member) -> None:
    source = made(project, owner)
    with pytest.raises(DomainError, match="day in the past"):
        read_again(source, timezone.now().date(), actor=owner.user)
    pause_source(source, actor=owner.user)
    with pytest.raises(DomainError, match="paused"):
        read_now(source, actor=owner.user)
