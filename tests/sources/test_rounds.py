"""Connections are read by the clock: each once at a time, as often as it is set to, and whoever is late is marked."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from feedback_ingest.connector_feed import KEEPER
from projects import schedules
from projects.models import Project
from sources import credentials, rounds, services
from sources.models import Connection, Source, SyncRun
from sources.services import make_source
from sources.syncing import BROKEN_OFF, MOST_BROKEN_OFF, sync
from tests.factories import Member
from tests.sources.connectors.desks import Zendesk
from tests.sources.connectors.loopback import Answer, FakeClock, serving

pytestmark = pytest.mark.django_db


@pytest.fixture
def zendesk() -> Iterator[Zendesk]:
    vendor = Zendesk(FakeClock())
    with serving(vendor):
        yield vendor


@pytest.fixture
def source(project: Project, zendesk: Zendesk) -> Source:
    made = make_source(project, Source.Kind.CONNECTOR, "Support", application="zendesk")
    settings = {**zendesk.settings, "loopback": zendesk.base}
    Connection.objects.create(source=made, settings=settings, secrets=credentials.seal(zendesk.secrets))
    return made


def change(source: Source, **fields: Any) -> None:
    Connection.objects.filter(pk=source.pk).update(**fields)


def read(source: Source, zendesk: Zendesk) -> SyncRun:
    run = sync(source, store=KEEPER.store, clock=zendesk.clock)
    assert run is not None
    return run


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


def test_a_round_asks_once_for_each_connection_that_is_due(source: Source) -> None:
    assert rounds.begin_round() == 1
    assert rounds.begin_round() == 0
    assert OrmQ.objects.count() == 1


def test_a_job_that_got_lost_is_made_up_for(source: Source) -> None:
    rounds.begin_round()
    change(source, due_at=ago(seconds=1))
    assert rounds.begin_round() == 1


@pytest.mark.parametrize("status", [Source.Status.PAUSED, Source.Status.FAILED, Source.Status.DELETED])
def test_who_is_paused_or_needs_attention_is_not_asked_for(source: Source, zendesk: Zendesk, status: str) -> None:
    Source.objects.filter(pk=source.pk).update(status=status)
    assert rounds.begin_round() == 0
    rounds.read_connection(source.pk)
    assert zendesk.log == []


def test_the_job_reads_and_asks_for_itself_while_something_is_left(
    source: Source, zendesk: Zendesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    zendesk.clock.time = timezone.now().timestamp()
    zendesk.add(60)
    monkeypatch.setattr(rounds, "TURN", 0.0)
    rounds.read_connection(source.pk)
    assert OrmQ.objects.count() == 1
    monkeypatch.setattr(rounds, "TURN", 45.0)
    rounds.read_connection(source.pk)
    assert OrmQ.objects.count() == 1
    source.count.refresh_from_db()
    assert source.count.received == 60


def test_the_next_run_comes_after_the_interval_give_or_take_a_twentieth(source: Source, zendesk: Zendesk) -> None:
    change(source, every=100)
    read(source, zendesk)
    source.connection.refresh_from_db()
    assert source.connection.succeeded_at is not None
    wait = source.connection.due_at - source.connection.succeeded_at
    assert timedelta(minutes=95) <= wait <= timedelta(minutes=105)


def test_an_application_that_is_down_is_left_alone_for_longer_each_time(source: Source, zendesk: Zendesk) -> None:
    waits = []
    for _ in range(8):
        zendesk.fail(Answer({}, 503), times=4)
        assert read(source, zendesk).outcome == SyncRun.Outcome.WAITING
        source.connection.refresh_from_db()
        waits.append(round((source.connection.due_at - timezone.now()).total_seconds(), -1))
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    zendesk.faults.clear()
    assert read(source, zendesk).outcome == SyncRun.Outcome.DONE


def test_a_run_whose_worker_is_gone_is_ended_by_the_next(source: Source, zendesk: Zendesk) -> None:
    lost = SyncRun.objects.create(source=source)
    assert read(source, zendesk).outcome == SyncRun.Outcome.DONE
    lost.refresh_from_db()
    assert (lost.outcome, lost.error) == (SyncRun.Outcome.MORE, BROKEN_OFF)
    assert lost.ended_at is not None


def test_a_connection_that_takes_every_worker_down_is_stopped_and_says_so(source: Source, zendesk: Zendesk) -> None:
    for _ in range(MOST_BROKEN_OFF):
        SyncRun.objects.create(source=source, outcome=SyncRun.Outcome.MORE, error=BROKEN_OFF)
    assert read(source, zendesk).outcome == SyncRun.Outcome.FAILED
    source.refresh_from_db()
    assert source.status == Source.Status.FAILED
    assert "again and again" in source.status_reason
    assert zendesk.log == []
    resumed = read(source, zendesk)
    assert resumed.outcome == SyncRun.Outcome.DONE


def test_a_connection_that_is_overdue_is_marked_until_it_is_read(source: Source, zendesk: Zendesk) -> None:
    change(source, every=60, succeeded_at=ago(hours=3))
    SyncRun.objects.create(source=source, outcome=SyncRun.Outcome.WAITING, error="The application is down.")
    assert rounds.check_freshness() == 1
    source.connection.refresh_from_db()
    since = source.connection.stale_since
    assert since is not None
    rounds.check_freshness()
    source.connection.refresh_from_db()
    assert source.connection.stale_since == since
    read(source, zendesk)
    source.connection.refresh_from_db()
    assert source.connection.stale_since is None
    assert rounds.check_freshness() == 0


@pytest.mark.parametrize(
    ("fields", "outcome", "late"),
    [
        ({"every": 60, "succeeded_at": ago(hours=1)}, "waiting", 0),
        ({"every": 1440, "succeeded_at": ago(hours=30)}, "waiting", 0),
        ({"every": 1440, "succeeded_at": ago(hours=49)}, "waiting", 1),
        ({"every": 60, "created_at": ago(days=1)}, "more", 0),
        ({"every": 60, "created_at": ago(days=1), "due_at": ago(hours=1)}, "more", 1),
        ({"every": 60, "created_at": ago(minutes=10)}, "failed", 0),
    ],
)
def test_who_is_late_depends_on_the_interval_and_on_whether_it_gets_on(
    source: Source, fields: dict[str, Any], outcome: str, late: int
) -> None:
    change(source, **fields)
    SyncRun.objects.create(source=source, outcome=outcome)
    assert rounds.check_freshness() == late


def test_a_paused_connection_is_not_late_and_is_read_soon_when_it_is_resumed(source: Source, owner: Member) -> None:
    change(source, succeeded_at=ago(days=9), due_at=timezone.now() + timedelta(days=1), stale_since=ago(days=8))
    services.pause_source(source, actor=owner.user)
    assert rounds.check_freshness() == 0
    services.resume_source(source, actor=owner.user)
    assert rounds.begin_round() == 1


def test_both_jobs_are_scheduled(db: None) -> None:
    schedules.create_all()
    minutes = dict(Schedule.objects.values_list("func", "minutes"))
    assert (minutes["sources.tasks.begin_round"], minutes["sources.tasks.check_freshness"]) == (1, 5)


def test_credentials_that_cannot_be_read_any_more_ask_for_a_person(
    source: Source, settings: Any, zendesk: Zendesk
) -> None:
    settings.SECRET_KEY = "another-key"
    assert read(source, zendesk).outcome == SyncRun.Outcome.FAILED
    source.refresh_from_db()
    assert source.status == Source.Status.FAILED
    assert "Enter them again" in source.status_reason


@pytest.mark.django_db(transaction=True)
def test_of_several_workers_at_once_one_reads_a_connection(source: Source, zendesk: Zendesk) -> None:
    zendesk.add(60)
    runs: list[SyncRun | None] = []
    others_are_done = threading.Event()
    # The first request is answered only after everybody else has tried.
    zendesk.before = lambda count, request: others_are_done.wait(30)  # type: ignore[assignment]

    def work() -> None:
        runs.append(sync(source, store=KEEPER.store, clock=zendesk.clock))
        if len(runs) == 5:
            others_are_done.set()
        database.close()

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [run.outcome for run in runs if run is not None] == [SyncRun.Outcome.DONE]
    asked = [(request.path, *sorted(request.query.items())) for request in zendesk.log]
    assert len(asked) == len(set(asked))
    source.count.refresh_from_db()
    assert (source.count.received, source.count.unchanged) == (60, 0)
