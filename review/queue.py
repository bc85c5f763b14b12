"""The review queue as one reviewer sees it: what waits for them, for others, and what is done."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, Sum
from django.utils import timezone

from insights.models import Insight
from projects.models import Project, User
from review.models import Feedback, FeedbackCount, ReviewDraft
from review.querysets import FeedbackQuerySet
from review.services.counts import capped

Status = Feedback.Status
LISTED = (
    "uuid", "project", "sentiment", "status", "sampled", "sample_right", "original_query", "assignee", "reviewed_at",
    "created_at", "held_until", "held_by__name", "held_by__email", "reviewed_by__name", "reviewed_by__email",
)  # fmt: skip
# Of a reviewer's last decisions, so many say how fast they are.
PACED_BY = 200
# A longer pause between two decisions is a break; decisions closer than a second were made for many at once.
BREAK = timedelta(minutes=5)
AT_ONCE = timedelta(seconds=1)


class Show(StrEnum):
    """The three parts of the queue."""

    MINE = "mine"
    OTHERS = "others"
    DONE = "done"


class Place(NamedTuple):
    """Where a page of the queue ends: whether among what the reviewer was asked about, and the row."""

    given: bool
    moment: str
    row_id: int


@dataclass(frozen=True, slots=True)
class Filters:
    """What the queue is narrowed to; empty values leave it as it is."""

    status: str = ""
    sentiment: str = ""
    channel: str = ""
    tracked_agent: int | None = None
    agent: int | None = None
    version: int | None = None
    model: str = ""
    start: datetime | None = None
    end: datetime | None = None
    text: str = ""
    insight: Insight | None = None

    @property
    def is_counted(self) -> bool:
        """Whether the counters know how many rows there are."""
        return not any(getattr(self, field.name) for field in fields(self) if field.name not in ("status", "sentiment"))

    def narrow(self, rows: FeedbackQuerySet) -> FeedbackQuerySet:
        """Keep the rows that are asked for."""
        equal = ("status", "sentiment", "channel", "tracked_agent", "agent", "version", "model")
        wanted: dict[str, Any] = {name: getattr(self, name) for name in equal if getattr(self, name)}
        if self.start:
            wanted["created_at__gte"] = self.start
        if self.end:
            wanted["created_at__lt"] = self.end
        rows = rows.filter(**wanted)
        if self.text:
            rows = rows.matching(self.text)
        return rows.of_insight(self.insight) if self.insight else rows


@dataclass(frozen=True, slots=True)
class Tallies:
    """How much of the queue waits for the reviewer, and how much for those whom somebody asked."""

    mine: int
    others: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How many verdicts a reviewer decided today, and the usual time between two; None while unknown."""

    today: int
    seconds: float | None

    def time_for(self, verdicts: int) -> timedelta | None:
        """Return about how long so many more will take."""
        return timedelta(seconds=self.seconds * verdicts) if self.seconds and verdicts else None


@dataclass(frozen=True, slots=True)
class Queue:
    """What one reviewer may decide in a project, narrowed and ordered."""

    project: Project
    user: User
    filters: Filters
    oldest_first: bool = False

    def page(self, show: Show, *, limit: int, after: Place | None = None) -> tuple[list[Feedback], Place | None]:
        """Return one page of a part of the queue, and where the next begins."""
        if show == Show.DONE:
            return self._done(limit, after)
        rows = self._waiting(limit + 1, after) if show == Show.MINE else self._others(limit + 1, after)
        if len(rows) > limit:
            last = rows[limit - 1]
            return rows[:limit], Place(self._was_given(last), last.created_at.isoformat(), last.pk)
        if show == Show.MINE:
            rows += self._skipped(limit - len(rows))
        return rows, None

    def tallies(self) -> Tallies:
        """Count what waits."""
        others = capped(self._pending().exclude(assignee=None).exclude(assignee=self.user))
        samples = capped(self._samples())
        return Tallies(max(0, self._pending_count() - others) + samples, others)

    def _waiting(self, limit: int, after: Place | None) -> list[Feedback]:
        """Return what the reviewer was asked about, then what waits for anybody."""
        given = self._ordered(self._pending().filter(assignee=self.user), after if after and after.given else None)
        rest = None if after and after.given else after
        parts = [
            given if not after or after.given else given.none(),
            self._ordered(self._pending().filter(assignee=None), rest),
            self._ordered(self._samples(), rest),
        ]
        keys = [self._unskipped(part).values("pk")[:limit] for part in parts]
        # Each part is read in the order of an index, and no further than a page.
        rows = self._read(Feedback.objects.filter(pk__in=keys[0].union(*keys[1:], all=True)))
        return sorted(sorted(rows, key=_age, reverse=not self.oldest_first), key=self._is_asked_of_all)[:limit]

    def _others(self, limit: int, after: Place | None) -> list[Feedback]:
        rows = self._pending().exclude(assignee=None).exclude(assignee=self.user)
        return list(self._read(self._ordered(rows, after))[:limit])

    def _skipped(self, limit: int) -> list[Feedback]:
        skipped = self._base().to_review().filter(drafts__reviewer=self.user, drafts__skipped_at__isnull=False)
        return list(self._read(skipped).order_by("drafts__skipped_at")[: max(0, limit)])

    def _done(self, limit: int, after: Place | None) -> tuple[list[Feedback], Place | None]:
        decided = self._base().filter(reviewed_at__isnull=False)
        rows = list(
            self._read(before_place(decided, "reviewed_at", after).order_by("-reviewed_at", "-id"))[: limit + 1]
        )
        last = rows[limit - 1] if len(rows) > limit else None
        place = Place(False, last.reviewed_at.isoformat(), last.pk) if last and last.reviewed_at else None
        return rows[:limit], place

    def _base(self) -> FeedbackQuerySet:
        return self.filters.narrow(Feedback.objects.reviewable().filter(project=self.project))

    def _pending(self) -> FeedbackQuerySet:
        return self._base().filter(status=Status.PENDING)

    def _samples(self) -> FeedbackQuerySet:
        return self._base().filter(sampled=True, sample_right=None, status=Status.AUTO_APPROVED)

    def _pending_count(self) -> int:
        if not self.filters.is_counted:
            return capped(self._pending())
        if self.filters.status not in ("", Status.PENDING):
            return 0
        counted = FeedbackCount.objects.filter(project=self.project, status=Status.PENDING)
        if self.filters.sentiment:
            counted = counted.filter(sentiment=self.filters.sentiment)
        return counted.aggregate(sum=Sum("verdicts"))["sum"] or 0

    def _unskipped(self, rows: FeedbackQuerySet) -> FeedbackQuerySet:
        drafts = ReviewDraft.objects.filter(feedback=OuterRef("pk"), reviewer=self.user, skipped_at__isnull=False)
        return rows.exclude(Exists(drafts))

    def _ordered(self, rows: FeedbackQuerySet, after: Place | None) -> FeedbackQuerySet:
        rows = before_place(rows, "created_at", after, ascending=self.oldest_first)
        return rows.order_by("created_at", "id") if self.oldest_first else rows.newest_first()

    def _read(self, rows: FeedbackQuerySet) -> FeedbackQuerySet:
        return rows.select_related("held_by", "reviewed_by").only(*LISTED)

    def _was_given(self, row: Feedback) -> bool:
        return row.assignee_id == self.user.pk

    def _is_asked_of_all(self, row: Feedback) -> bool:
        return not self._was_given(row)


def is_held(feedback: Feedback, user: User) -> bool:
    """Tell whether somebody else has a verdict open."""
    held = feedback.held_by_id is not None and feedback.held_by_id != user.pk
    return held and feedback.held_until is not None and feedback.held_until > timezone.now()


def needs_decision(feedback: Feedback) -> bool:
    """Tell whether a verdict waits for a reviewer: pending, or a sample of what was approved without one."""
    unchecked = feedback.sampled and feedback.sample_right is None
    return feedback.status == Status.PENDING or (feedback.status == Status.AUTO_APPROVED and unchecked)


def still_waiting(project: Project, user: User, uuid: UUID) -> bool:
    """Tell whether a verdict still waits and nobody else has it open."""
    elsewhere = Q(held_until__gt=timezone.now()) & ~Q(held_by=user) & Q(held_by__isnull=False)
    return Feedback.objects.to_review().filter(project=project, uuid=uuid).exclude(elsewhere).exists()


def pace_of(project: Project, user: User, today: datetime) -> Pace:
    """Read a reviewer's pace off their last decisions; `today` is when their day began."""
    decided = Feedback.objects.filter(project=project, reviewed_by=user).order_by("-reviewed_at")
    moments = [moment for moment in decided.values_list("reviewed_at", flat=True)[:PACED_BY] if moment]
    number = sum(moment >= today for moment in moments)
    if number == PACED_BY:
        number = decided.filter(reviewed_at__gte=today).count()
    gaps = list(_gaps(moments))
    return Pace(number, median(gaps) if gaps else None)


def _gaps(moments: list[datetime]) -> Iterator[float]:
    for later, earlier in pairwise(moments):
        if AT_ONCE < later - earlier < BREAK:
            yield (later - earlier).total_seconds()


def _age(row: Feedback) -> tuple[datetime, int]:
    return row.created_at, row.pk


def before_place(
    rows: FeedbackQuerySet, column: str, place: Place | None, *, ascending: bool = False
) -> FeedbackQuerySet:
    """Keep what follows a place in the order of a column; its bare bound is what the index begins at."""
    if place is None:
        return rows
    way = "gt" if ascending else "lt"
    past = Q(**{f"{column}__{way}": place.moment}) | Q(**{f"id__{way}": place.row_id})
    return rows.filter(past, **{f"{column}__{way}e": place.moment})
