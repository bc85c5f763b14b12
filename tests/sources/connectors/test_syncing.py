"""A connection is read by one worker at a time, and what is stored and the place it goes on from stay together."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection as database
from django.utils import timezone

from config.errors import DomainError
from projects.models import Project
from sources import credentials
from sources.connectors import Batch
from sources.models import Connection, Source, StreamCursor, SyncRun
from sources.services import make_source
from sources.syncing import due_connections, sync
from tests.sources.connectors.communities import GitHub
from tests.sources.connectors.desks import Zendesk
from tests.sources.connectors.loopback import Answer, FakeClock, Request, Vendor, serving
from tests.sources.connectors.sales import HubSpot

pytestmark = pytest.mark.django_db


class Shelf:
    """Where a test stores batches."""

    def __init__(self) -> None:
        self.texts: dict[str, object] = {}

    def take(self, source: Source, batch: Batch) -> int:
        self.texts |= {item.unique_id: item.body for item in batch.items}
        for unique_id in batch.deleted:
            self.texts.pop(unique_id, None)
        return len(batch.items)


def connect(project: Project, vendor: Vendor) -> Source:
    source = make_source(project, Source.Kind.CONNECTOR, vendor.kind, application=vendor.kind)
    settings = {**vendor.settings, "loopback": vendor.base}
    Connection.objects.create(source=source, settings=settings, secrets=credentials.seal(vendor.secrets))
    return source


def beyond(vendor: Vendor, count: int) -> Callable[[Request], bool]:
    """Return what is true from the request on that is the `count`th."""
    return lambda request: len(vendor.log) > count


@pytest.fixture
def zendesk() -> Iterator[Zendesk]:
    vendor = Zendesk(FakeClock())
    with serving(vendor):
        yield vendor


def test_a_run_stores_everything_and_says_what_it_did(project: Project, zendesk: Zendesk) -> None:
    zendesk.add(130)
    source, shelf = connect(project, zendesk), Shelf()
    run = sync(source, store=shelf.take, clock=zendesk.clock)
    assert run is not None
    assert (run.outcome, run.items, run.error) == (SyncRun.Outcome.DONE, 130, "")
    assert run.requests == len(zendesk.log)
    assert len(shelf.texts) == 130
    source.refresh_from_db()
    assert source.status == Source.Status.ACTIVE
    assert source.connection.lease_until is None
    assert source.connection.due_at > timezone.now()


def test_a_second_worker_leaves_a_connection_that_is_being_read(project: Project, zendesk: Zendesk) -> None:
    zendesk.add(5)
    source, seen = connect(project, zendesk), []

    def store(source: Source, batch: Batch) -> int:
        seen.append(sync(source, store=store, clock=zendesk.clock))
        assert due_connections() == []
        return len(batch.items)

    assert source.pk in due_connections()
    sync(source, store=store, clock=zendesk.clock)
    assert seen == [None]


def test_a_worker_that_lost_its_lease_stores_nothing_more(project: Project, zendesk: Zendesk) -> None:
    zendesk.add(130)
    source, shelf = connect(project, zendesk), Shelf()

    def store(source: Source, batch: Batch) -> int:
        Connection.objects.filter(pk=source.pk).update(leased_by="00000000-0000-0000-0000-000000000001")
        return shelf.take(source, batch)

    sync(source, store=store, clock=zendesk.clock)
    assert len(shelf.texts) == 25


def test_a_batch_that_cannot_be_stored_leaves_the_cursor_where_it_was(project: Project, zendesk: Zendesk) -> None:
    zendesk.add(130)
    source, shelf = connect(project, zendesk), Shelf()

    def store(source: Source, batch: Batch) -> int:
        if len(shelf.texts) >= 50:
            raise RuntimeError("the disk is full")
        return shelf.take(source, batch)

    with pytest.raises(RuntimeError):
        sync(source, store=store, clock=zendesk.clock)
    assert source.runs.get().outcome == SyncRun.Outcome.FAILED
    assert len(StreamCursor.objects.get(source=source).state["done"]) == 50
    Connection.objects.update(due_at=timezone.now())
    sync(source, store=shelf.take, clock=zendesk.clock)
    assert len(shelf.texts) == 130


def test_a_run_ends_when_its_time_is_over_and_the_next_goes_on(project: Project, zendesk: Zendesk) -> None:
    zendesk.add(130)
    source, shelf = connect(project, zendesk), Shelf()
    zendesk.before = lambda count, request: zendesk.clock.sleep(1)
    run = sync(source, store=shelf.take, clock=zendesk.clock, seconds=40)
    assert run is not None
    assert run.outcome == SyncRun.Outcome.MORE
    assert 25 <= len(shelf.texts) < 130
    assert source.pk in due_connections()
    runs = 1
    while run is not None and run.outcome == SyncRun.Outcome.MORE:
        run = sync(source, store=shelf.take, clock=zendesk.clock, seconds=40)
        runs += 1
    assert len(shelf.texts) == 130
    assert len(zendesk.log) < 130 + 2 * runs + 2


def test_a_vendor_that_allows_little_is_read_to_the_end_all_the_same(project: Project, zendesk: Zendesk) -> None:
    """Each run is refused after a few requests, always within the same page."""
    zendesk.add(90)
    source, shelf = connect(project, zendesk), Shelf()
    for _ in range(40):
        zendesk.faults.clear()
        zendesk.fail(Answer({}, 429, {"Retry-After": "600"}), where=beyond(zendesk, len(zendesk.log) + 5))
        run = sync(source, store=shelf.take, clock=zendesk.clock)
        zendesk.clock.time += 600
        if run is not None and run.outcome == SyncRun.Outcome.DONE:
            break
    assert len(shelf.texts) == 90


def test_a_refused_key_pauses_the_source_and_tells_a_person(project: Project, zendesk: Zendesk) -> None:
    zendesk.add(5)
    zendesk.token = "another"
    source = connect(project, zendesk)
    run = sync(source, store=Shelf().take, clock=zendesk.clock)
    source.refresh_from_db()
    assert run is not None
    assert run.outcome == SyncRun.Outcome.FAILED
    assert source.status == Source.Status.FAILED
    assert source.status_reason == "The credential was refused. Enter a valid one or connect again."
    Connection.objects.update(due_at=timezone.now())
    assert due_connections() == []


def test_a_long_wait_is_left_to_a_later_run(project: Project, zendesk: Zendesk) -> None:
    zendesk.add(5)
    zendesk.fail(Answer({}, 429, {"Retry-After": "900"}))
    source = connect(project, zendesk)
    run = sync(source, store=Shelf().take, clock=zendesk.clock)
    assert run is not None
    assert run.outcome == SyncRun.Outcome.WAITING
    source.refresh_from_db()
    assert source.status == Source.Status.WAITING
    assert 800 < (source.connection.due_at - timezone.now()).total_seconds() <= 900


def test_one_repository_that_is_gone_keeps_no_other_from_being_read(project: Project) -> None:
    vendor = GitHub(FakeClock())
    with serving(vendor):
        vendor.add(3)
        source, shelf = connect(project, vendor), Shelf()
        source.connection.settings |= {"repositories": ["acme/gone", "acme/app"]}
        source.connection.save()
        vendor.fail(Answer({}, 404), times=1, where=lambda request: "/acme/gone/issues" in request.path)
        run = sync(source, store=shelf.take, clock=vendor.clock)
    assert run is not None
    assert run.outcome == SyncRun.Outcome.FAILED
    assert "does not exist" in run.error
    assert "acme/app#3" in shelf.texts


def test_a_rotated_refresh_token_is_kept(project: Project) -> None:
    vendor = HubSpot(FakeClock())
    with serving(vendor):
        vendor.add(3)
        vendor.token = "second-token"
        source = connect(project, vendor)
        grant = vendor.grant

        def rotate(request: object) -> Answer | None:
            answer = grant(request)  # type: ignore[arg-type]
            if answer is not None and answer.status == 200:
                vendor.refresh_token = f"{vendor.refresh_token}+"
                answer.data["refresh_token"] = vendor.refresh_token
            return answer

        vendor.grant = rotate  # type: ignore[method-assign]
        sync(source, store=Shelf().take, clock=vendor.clock)
        assert credentials.stored(source.pk)["refresh_token"] == "refresh-1+"
        vendor.token = "third-token"
        run = sync(source, store=Shelf().take, clock=vendor.clock)
    assert run is not None
    assert run.outcome == SyncRun.Outcome.DONE
    assert credentials.stored(source.pk)["access_token"] == "third-token"
    assert credentials.stored(source.pk)["client_secret"] == "app-secret"


def test_secrets_lie_encrypted_and_survive_a_change_of_the_key(
    project: Project, zendesk: Zendesk, settings: object
) -> None:
    source = connect(project, zendesk)
    with database.cursor() as cursor:
        cursor.execute("SELECT secrets::text, settings::text FROM sources_connection")
        row = cursor.fetchone()
    assert "first-token" not in bytes.fromhex(row[0].removeprefix("\\x")).decode("latin-1") + row[1]
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]  # type: ignore[attr-defined]
    settings.SECRET_KEY = "another-key"  # type: ignore[attr-defined]
    assert credentials.stored(source.pk) == {"api_token": "first-token"}
    assert credentials.seal_again() == 1
    settings.SECRET_KEY_FALLBACKS = []  # type: ignore[attr-defined]
    assert credentials.stored(source.pk) == {"api_token": "first-token"}
    settings.SECRET_KEY = "a-third-key"  # type: ignore[attr-defined]
    with pytest.raises(DomainError, match="SECRET_KEY has changed"):
        credentials.stored(source.pk)
