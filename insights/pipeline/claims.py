"""Which items are analysed next: the ledger on the item decides, whoever asks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from feedback_ingest.models import FeedbackItem
from projects.models import Project
from sources import tallies

MAX_ATTEMPTS = 3
LEASE = timedelta(minutes=10)
PAUSE_AFTER_FAILURE = timedelta(seconds=30)  # doubled with each attempt

# An item that was begun before and not ended may have killed its worker: such are taken one at a time.
# They are chosen once, beforehand: a subquery may be run again for each row, and then passes its limit.
CLAIM = """
WITH next AS MATERIALIZED (
    SELECT id FROM feedback_ingest_feedbackitem
    WHERE project_id = %(project)s AND state = 'waiting' AND attempts {attempts}
        AND (lease_until IS NULL OR lease_until < %(now)s)
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE feedback_ingest_feedbackitem AS item SET attempts = attempts + 1, lease_until = %(lease)s
FROM next WHERE item.id = next.id
RETURNING item.id
"""
FIRST_TIME = CLAIM.format(attempts="= 0")
AGAIN = CLAIM.format(attempts=f"BETWEEN 1 AND {MAX_ATTEMPTS - 1}")


@dataclass(frozen=True, slots=True)
class Claim:
    """Items that are this worker's until `lease`; storing checks that they still are."""

    ids: list[int]
    lease: datetime


def claim(project: Project, limit: int) -> Claim | None:
    """Take the next items, committed at once; None where nothing waits that may be taken now."""
    for statement, size in ((FIRST_TIME, limit), (AGAIN, 1)):
        if statement is AGAIN:
            bury_dead(project)  # finding them takes longer, the more others wait
        now = timezone.now()
        lease = now + LEASE
        with connection.cursor() as cursor:
            parameters: dict[str, Any] = {"project": project.pk, "now": now, "lease": lease, "limit": size}
            cursor.execute(statement, parameters)
            ids = sorted(pk for (pk,) in cursor.fetchall())
        if ids:
            return Claim(ids, lease)
    return None


def put_off(claim: Claim, ids: list[int], error: str, *, seconds: float) -> None:
    """Give items back that could not be read through no fault of theirs: the attempt does not count."""
    items = FeedbackItem.objects.filter(pk__in=ids, lease_until=claim.lease, state="waiting")
    pause = timedelta(seconds=max(seconds, 1.0))
    items.update(attempts=F("attempts") - 1, lease_until=timezone.now() + pause, last_error=error[:300])


def release(claim: Claim, ids: list[int], error: str) -> None:
    """Give failed items back, to be tried again after a pause; `error` names the fault without any text."""
    for item in FeedbackItem.objects.filter(pk__in=ids, lease_until=claim.lease, state="waiting"):
        pause = PAUSE_AFTER_FAILURE * 2 ** (item.attempts - 1)
        FeedbackItem.objects.filter(pk=item.pk, lease_until=claim.lease).update(
            lease_until=timezone.now() + pause, last_error=error[:300]
        )


def bury_dead(project: Project) -> int:
    """Set aside, visibly, the items that failed as often as they may; return how many."""
    dead = list(
        FeedbackItem.objects.filter(
            project=project, state="waiting", attempts__gte=MAX_ATTEMPTS, lease_until__lt=timezone.now()
        ).values_list("pk", "source_id")
    )
    buried = 0
    for pk, source_id in dead:
        buried += _bury(pk, source_id)
    return buried


def _bury(pk: int, source_id: UUID) -> int:
    with transaction.atomic():
        changed = FeedbackItem.objects.filter(
            pk=pk, state="waiting", attempts__gte=MAX_ATTEMPTS, lease_until__lt=timezone.now()
        ).update(
            state=FeedbackItem.State.SET_ASIDE,
            set_aside_reason=FeedbackItem.SetAside.FAILED,
            lease_until=None,
        )
        if changed:
            tallies.count(source_id, {"waiting": -1, "set_aside": 1})
        return changed
