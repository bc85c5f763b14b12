"""Exact numbers of verdicts and golden examples, from the counters that are kept with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum

from projects.models import Project
from review.models import Feedback, FeedbackCount, GoldenCount

# Counting what a free text matches stops here.
MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Statistics:
    """How the reviewable verdicts of a project stand."""

    total_feedback: int
    positive_count: int
    negative_count: int
    pending_count: int
    auto_approved_count: int
    reviewed_count: int
    dismissed_count: int
    golden_examples_count: int


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """What customers said of answers, conversations and assistants; `score` is None before the first opinion."""

    positive: int
    neutral: int
    negative: int

    @property
    def score(self) -> float | None:
        """The share of the positive among those who took a side."""
        sides = self.positive + self.negative
        return self.positive / sides if sides else None


def statistics(project: Project) -> Statistics:
    """Count a project's verdicts by type and status, and the golden examples made of them."""
    cells = list(
        FeedbackCount.objects.filter(project=project)
        .exclude(status="")
        .values_list("status", "sentiment")
        .annotate(sum=Sum("verdicts"))
    )

    def having(value: str) -> int:
        return sum(cell[2] for cell in cells if value in cell[:2])

    return Statistics(
        total_feedback=sum(cell[2] for cell in cells),
        positive_count=having("positive"),
        negative_count=having("negative"),
        pending_count=having("pending"),
        auto_approved_count=having("auto_approved"),
        reviewed_count=having("reviewed"),
        dismissed_count=having("dismissed"),
        golden_examples_count=golden_total(project, from_feedback=True),
    )


def golden_total(project: Project, **narrowed: str | bool) -> int:
    """Count golden examples, narrowed by `source_type`, `is_active`, `from_feedback`."""
    counted = GoldenCount.objects.filter(project=project, **narrowed).aggregate(sum=Sum("examples"))
    return counted["sum"] or 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the newest-first list begins: before the end of a day, after `skipped` verdicts."""

    before: datetime | None
    skipped: int


@dataclass(frozen=True, slots=True)
class ListCount:
    """How many verdicts a list has, by day, the newest first."""

    days: tuple[tuple[date, int], ...]

    @property
    def total(self) -> int:
        """How many there are in all."""
        return sum(verdicts for _, verdicts in self.days)

    def place(self, offset: int) -> Place:
        """Return where the row `offset` is, without walking over the days before it."""
        for day, verdicts in self.days:
            if offset < verdicts:
                return Place(_start(day + timedelta(days=1)), offset)
            offset -= verdicts
        return Place(None, 0) if not self.days else Place(_start(self.days[-1][0]), offset)


def list_count(project: Project, *, status: str | None = None, sentiment: str | None = None) -> ListCount:
    """Count the reviewable verdicts of a status, a type, both, or all."""
    counts = FeedbackCount.objects.filter(project=project).exclude(status="")
    if status:
        counts = counts.filter(status=status)
    if sentiment:
        counts = counts.filter(sentiment=sentiment)
    days = counts.values_list("day").annotate(sum=Sum("verdicts")).filter(sum__gt=0).order_by("-day")
    return ListCount(tuple(days))


def capped(rows: QuerySet[Any]) -> int:
    """Count rows, but no more than `MOST_COUNTED` of them."""
    return rows.order_by()[:MOST_COUNTED].count()


def satisfaction(
    project: Project,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    tracked_agent: int | None = None,
    environment: str | None = "production",
) -> Satisfaction:
    """Count customers' verdicts from `start` up to, not including, `end`; None as environment means all.

    Whole UTC days come from the counters, the pieces of days at both ends from the rows.
    """
    narrowed: dict[str, Any] = {"project": project, "origin": Feedback.Origin.CUSTOMER}
    if environment:
        narrowed["environment"] = environment
    counted = FeedbackCount.objects.filter(**narrowed)
    rows = Feedback.objects.current().filter(**narrowed)
    if tracked_agent:
        counted, rows = counted.filter(tracked_agent=tracked_agent), rows.filter(tracked_agent=tracked_agent)
    first, last = _first_whole_day(start), end.astimezone(UTC).date() if end else None
    if first and last and first >= last:
        return _satisfaction(rows.filter(created_at__gte=start, created_at__lt=end))
    days, edges = Q(), Q(pk__in=[])
    if start and first:
        days, edges = days & Q(day__gte=first), edges | Q(created_at__gte=start, created_at__lt=_start(first))
    if end and last:
        days, edges = days & Q(day__lt=last), edges | Q(created_at__gte=_start(last), created_at__lt=end)
    whole = counted.filter(days).values_list("sentiment").annotate(sum=Sum("verdicts"))
    return _satisfaction(rows.filter(edges), whole)


def _satisfaction(rows: QuerySet[Feedback], whole: Iterable[tuple[str, int]] = ()) -> Satisfaction:
    tally = dict.fromkeys(Feedback.Sentiment.values, 0) | dict(whole)
    for sentiment in rows.values_list("sentiment", flat=True):
        tally[sentiment] += 1
    return Satisfaction(tally["positive"], tally["neutral"], tally["negative"])


def _first_whole_day(moment: datetime | None) -> date | None:
    if moment is None:
        return None
    moment = moment.astimezone(UTC)
    return moment.date() + timedelta(days=moment != _start(moment.date()))


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
