"""Read a connection for a while: claim it, store each batch together with its cursor, and say how it went."""

import random
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from config.errors import DomainError
from sources import credentials
from sources.connectors import Account, Batch, ConnectorError, Engine, Known
from sources.connectors.configured import connector_of
from sources.connectors.errors import Refused
from sources.connectors.transport import Clock, SystemClock
from sources.models import Connection, Source, StreamCursor, SyncRun

LEASE = timedelta(minutes=10)
PATIENCE = 30
KEEP_RUNS = timedelta(days=90)
RECHECK = "recheck"
OPEN = (Source.Status.WAITING, Source.Status.ACTIVE)
PAUSE = 60  # seconds after a failure that says nothing of when to come back
LONGEST_PAUSE = 3600
BROKEN_OFF = "Reading was broken off; it went on from where it was."
MOST_BROKEN_OFF = 5

# Stores a batch's items and mirrors its deletions; returns how many items are there now, or are other than before.
# It runs in the transaction that saves the cursor.
Store = Callable[[Source, Batch], int]
# Yields the unique ids of the source's stored items or parts that were created since a time (seconds since 1970).
KnownIds = Callable[[Source, Literal["items", "parts"], float], Iterable[str]]


def due_connections(limit: int = 100) -> list[uuid.UUID]:
    """Return the ids of sources that are to be read now, the most overdue first."""
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    due = Connection.objects.filter(free, due_at__lte=now, source__status__in=OPEN).order_by("due_at")
    return list(due.values_list("pk", flat=True)[:limit])


def sync(
    source: Source, *, store: Store, known: KnownIds | None = None, seconds: float = 60, clock: Clock | None = None
) -> SyncRun | None:
    """Read the source's connection for about `seconds` and return the run; None where another worker reads it.

    What the application refuses ends in the run and, where a person is needed, in the source's status. Any
    other exception is recorded and raised.
    """
    clock = clock or SystemClock()
    connection = _claim(source)
    if connection is None:
        return None
    reading = _Reading(source, connection, store, known, clock, clock.now() + seconds)
    try:
        return reading.run_all()
    finally:
        Connection.objects.filter(pk=source.pk, leased_by=connection.leased_by).update(lease_until=None, leased_by=None)


def _claim(source: Source) -> Connection | None:
    now = timezone.now()
    token = uuid.uuid4()
    free = Connection.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), pk=source.pk)
    if not source.takes_feedback or not free.update(lease_until=now + LEASE, leased_by=token, due_at=now + LEASE):
        return None
    return Connection.objects.get(pk=source.pk)


class _Stopped(Exception):
    """The time for this run is over, or another worker has taken the connection."""


@dataclass(slots=True)
class _Reading:
    source: Source
    connection: Connection
    store: Store
    known: KnownIds | None
    clock: Clock
    deadline: float
    run: SyncRun = field(init=False)
    engine: Engine | None = None

    def run_all(self) -> SyncRun:
        """Read every list and write down how it went."""
        end_broken_off(self.source)
        self.run = SyncRun.objects.create(source=self.source)
        try:
            if _keeps_breaking(self.source):
                raise ConnectorError(
                    "Reading stopped unexpectedly, again and again. Look at the log of the worker, then resume.",
                    permanent=True,
                )
            self._read()
        except _Stopped:
            self._end(SyncRun.Outcome.MORE, again_in=0)
        except ConnectorError as error:
            self._fail(error)
        except Exception:
            self._end(
                SyncRun.Outcome.FAILED, again_in=600, error="Something went wrong while reading. It is tried again."
            )
            raise
        else:
            self._succeed()
        return self.run

    def _succeed(self) -> None:
        # Not all at the same second, though all were connected on the same day.
        spread = random.uniform(0.95, 1.05)  # noqa: S311 (no secret depends on it)
        self._end(SyncRun.Outcome.DONE, again_in=self.connection.every * 60 * spread)
        Connection.objects.filter(pk=self.source.pk).update(succeeded_at=self.run.ended_at, stale_since=None)
        Source.objects.filter(pk=self.source.pk, status=Source.Status.WAITING).update(status=Source.Status.ACTIVE)

    def _read(self) -> None:
        engine = self.engine = self._open()
        failure: ConnectorError | None = None
        for stream in engine.streams:
            for record in engine.keys(stream):
                try:
                    self._take_all(
                        stream, record["key"], engine.walk(stream, record, self._state(stream, record["key"]))
                    )
                except Refused:
                    raise
                except ConnectorError as error:
                    # One channel that is gone keeps no other from being read.
                    if not error.permanent:
                        raise
                    failure = failure or error
        self._take_all(RECHECK, "", engine.recheck(self._state(RECHECK, "")))
        if failure is not None:
            raise failure

    def _open(self) -> Engine:
        pk = self.source.pk
        try:
            secrets = credentials.unseal(self.connection.secrets)
        except DomainError as error:
            raise ConnectorError(error.message, permanent=True) from error
        account = Account(
            settings=self.connection.settings,
            secrets=secrets,
            save=lambda replaced: credentials.replace(pk, replaced),
            reload=lambda: credentials.stored(pk),
        )
        connector = connector_of(self.source.application, self.connection.settings)
        return Engine(connector, account, known=self._known(), clock=self.clock, patience=PATIENCE)

    def _known(self) -> Known | None:
        known, source = self.known, self.source
        return None if known is None else lambda kind, since: known(source, kind, since)

    def _state(self, stream: str, key: str) -> dict[str, Any]:
        cursor = StreamCursor.objects.filter(source=self.source, stream=stream, key=key).first()
        return dict(cursor.state) if cursor else {}

    def _take_all(self, stream: str, key: str, batches: Iterator[Batch]) -> None:
        self.run.progress = f"{stream} {key}".strip()
        for batch in batches:
            self._take(stream, key, batch)
            if self.clock.now() >= self.deadline:
                raise _Stopped

    @transaction.atomic
    def _take(self, stream: str, key: str, batch: Batch) -> None:
        """Store a batch and its cursor, both or neither, while the connection is still ours and not paused."""
        mine = Connection.objects.filter(pk=self.source.pk, leased_by=self.connection.leased_by)
        self.source.refresh_from_db(fields=["status"])
        if not self.source.takes_feedback or not mine.update(lease_until=timezone.now() + LEASE):
            raise _Stopped
        if batch.items or batch.deleted or batch.deleted_parts:
            self.run.items += self.store(self.source, batch)
        StreamCursor.objects.update_or_create(
            source=self.source, stream=stream, key=key, defaults={"state": batch.state, "updated_at": timezone.now()}
        )
        self.run.pages += batch.ends_page
        self.run.deleted += len(batch.deleted) + len(batch.deleted_parts)
        self.run.unreadable += batch.unreadable
        self._save_run()

    def _save_run(self) -> None:
        self.run.requests = self.engine.requests if self.engine else 0
        self.run.save()

    def _fail(self, error: ConnectorError) -> None:
        if not error.permanent:
            again_in = max(error.retry_after or PAUSE, self._pause())
            self._end(SyncRun.Outcome.WAITING, again_in=again_in, error=error.message)
            return
        self._end(SyncRun.Outcome.FAILED, again_in=self.connection.every * 60, error=error.message)
        Source.objects.filter(pk=self.source.pk).exclude(status=Source.Status.DELETED).update(
            status=Source.Status.FAILED, status_reason=error.message[:300]
        )

    def _pause(self) -> float:
        """Return the seconds to leave the application alone: twice as many after every run that read nothing."""
        if self.run.pages:
            return 0
        before = SyncRun.objects.filter(source=self.source).exclude(pk=self.run.pk).order_by("-started_at")
        idle = 0
        for outcome, pages in before.values_list("outcome", "pages")[:10]:
            if outcome != SyncRun.Outcome.WAITING or pages:
                break
            idle += 1
        return min(PAUSE * 2.0**idle, LONGEST_PAUSE)

    def _end(self, outcome: SyncRun.Outcome, *, again_in: float, error: str = "") -> None:
        now = timezone.now()
        self.run.outcome, self.run.ended_at, self.run.error = outcome, now, error[:300]
        self._save_run()
        mine = Connection.objects.filter(pk=self.source.pk, leased_by=self.connection.leased_by)
        if outcome == SyncRun.Outcome.DONE:
            # What was announced meanwhile may have come too late for this run.
            mine = mine.filter(due_at__gt=now)
        mine.update(due_at=now + timedelta(seconds=again_in))
        SyncRun.objects.filter(source=self.source, started_at__lt=now - KEEP_RUNS).delete()


def end_broken_off(source: Source) -> None:
    """Say of runs that nobody reads any more, since their worker is gone, that they were broken off."""
    SyncRun.objects.filter(source=source, outcome=SyncRun.Outcome.RUNNING).update(
        outcome=SyncRun.Outcome.MORE, ended_at=timezone.now(), error=BROKEN_OFF
    )


def _keeps_breaking(source: Source) -> bool:
    """Tell whether every one of the last runs took its worker down without getting on."""
    last = SyncRun.objects.filter(source=source).exclude(outcome=SyncRun.Outcome.RUNNING).order_by("-started_at")
    rows = list(last.values_list("error", "pages")[:MOST_BROKEN_OFF])
    return len(rows) == MOST_BROKEN_OFF and all(error == BROKEN_OFF and not pages for error, pages in rows)
