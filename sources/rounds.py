"""Reading connections by the clock: who is due, who is overdue, and one job for each."""

from datetime import timedelta
from uuid import UUID

from django.db.models import DateTimeField, ExpressionWrapper, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django_q.tasks import async_task

from sources.keepers import keeper
from sources.models import Connection, Source, SyncRun
from sources.syncing import LEASE, OPEN, due_connections, sync

TURN = 45.0  # seconds; a job must end well before the cluster's timeout
LATE = timedelta(minutes=30)


def begin_round() -> int:
    """Ask for one job for each connection that is due; return how many.

    A connection that was asked for is due again only after a lease's time, so that a long queue holds each
    of them once and a job that got lost is made up for.
    """
    now = timezone.now()
    asked = 0
    for source_id in due_connections():
        if Connection.objects.filter(pk=source_id, due_at__lte=now).update(due_at=now + LEASE):
            ask_for_reading(source_id)
            asked += 1
    return asked


def ask_for_reading(source_id: UUID) -> None:
    """Queue the job that reads a connection."""
    async_task("sources.tasks.read_connection", str(source_id))


def read_connection(source_id: UUID) -> None:
    """Read a connection for a while; ask again where something is left. What needs no reading now is left alone."""
    source = Source.objects.filter(pk=source_id, status__in=OPEN).first()
    if source is None:
        return
    registered = keeper()
    run = sync(source, store=registered.store, known=registered.known, seconds=TURN)
    if run is not None and run.outcome == SyncRun.Outcome.MORE:
        ask_for_reading(source_id)


def check_freshness() -> int:
    """Mark the connections that should have been read to their end by now, and were not; return how many are.

    A connection may be late by one more interval and half an hour. One whose history is still arriving is
    not late, and neither is one that is just being read.
    """
    now = timezone.now()
    last_run = SyncRun.objects.filter(source=OuterRef("pk")).order_by("-started_at")
    read_last = Coalesce("succeeded_at", "created_at")
    late_at = ExpressionWrapper(read_last + F("every") * timedelta(minutes=2) + LATE, DateTimeField())
    open_ones = Connection.objects.filter(source__status__in=OPEN).alias(
        late_at=late_at, last_outcome=Subquery(last_run.values("outcome")[:1])
    )
    stuck = Q(last_outcome__in=(SyncRun.Outcome.WAITING, SyncRun.Outcome.FAILED)) | Q(due_at__lt=now - LATE)
    late = list(open_ones.filter(stuck, late_at__lt=now).values_list("pk", flat=True))
    Connection.objects.filter(pk__in=late, stale_since=None).update(stale_since=now)
    Connection.objects.exclude(pk__in=late).exclude(stale_since=None).update(stale_since=None)
    return len(late)
