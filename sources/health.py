"""How a connection is doing: when it was read, what went wrong, how much comes, when it is read next."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.core.cache import cache
from django.db.models import Sum
from django.utils import timezone

from sources.models import Connection, Source, SyncRun

RUNS_SHOWN: Final = 10
RATE_OVER: Final = timedelta(days=7)
LARGE: Final = 20_000  # items
RECOUNT: Final = 30  # seconds
SOON: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Health:
    """What the source's page and the API say of a connection; `lag` is the time since all of it was read."""

    connection: Connection
    latest: SyncRun | None
    runs: list[SyncRun]
    lag: timedelta | None
    items_a_day: float
    is_reading: bool
    is_due: bool

    @property
    def last_error(self) -> str:
        """What kept the latest run from the end, in words."""
        return self.latest.error if self.latest else ""

    @property
    def next_run(self) -> datetime | None:
        """When it is read next; None while it is paused or needs a person."""
        open_ones = (Source.Status.WAITING, Source.Status.ACTIVE)
        return self.connection.due_at if self.connection.source.status in open_ones else None


def health_of(source: Source) -> Health | None:
    """Return how a source's connection is doing, or None where it has none."""
    connection = Connection.objects.select_related("source").filter(pk=source.pk).first()
    if connection is None:
        return None
    now = timezone.now()
    runs = list(SyncRun.objects.filter(source=source).order_by("-started_at")[:RUNS_SHOWN])
    week = SyncRun.objects.filter(source=source, started_at__gt=now - RATE_OVER).aggregate(items=Sum("items"))
    span = min(now - connection.created_at, RATE_OVER)
    return Health(
        connection=connection,
        latest=runs[0] if runs else None,
        runs=runs,
        lag=now - connection.succeeded_at if connection.succeeded_at else None,
        items_a_day=(week["items"] or 0) / max(span / timedelta(days=1), 1),
        is_reading=bool(connection.lease_until and connection.lease_until > now),
        is_due=connection.due_at < now + SOON,
    )


_matched: list[Callable[[Source], int]] = []


def register_matched(count: Callable[[Source], int]) -> None:
    """Let `count(source)` say how many of a source's items stand in an insight; called from `AppConfig.ready`."""
    _matched.append(count)


@dataclass(frozen=True, slots=True)
class Step:
    """One number on the way from what was received to insights; `state` is what such items have in common."""

    label: str
    count: int
    state: str


def _matched_of(source: Source) -> int:
    """Count what stands in an insight; of a large source at most every half minute, since its page asks often."""
    if source.count.used < LARGE:
        return sum(each(source) for each in _matched)
    key = f"matched-{source.pk}"
    counted: int | None = cache.get(key)
    if counted is None:
        counted = sum(each(source) for each in _matched)
        cache.set(key, counted, RECOUNT)
    return counted


def progress_of(source: Source) -> list[Step]:
    """Return what was received, then where all of it is now: the others always sum to the first."""
    count = source.count
    # Counted at another moment than the counter was: never more than it.
    matched = min(_matched_of(source), count.used)
    return [
        Step("Received", count.received, ""),
        Step("Waiting to be read", count.waiting, "waiting"),
        Step("Read and set aside", count.set_aside, "set_aside"),
        Step("Read, in no insight", count.used - matched, "used"),
        Step("In insights", matched, "used"),
    ]
