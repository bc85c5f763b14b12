"""How content users were with answers, over time and by what answered, and how the reviewers get on."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from projects.models import Project, TrackedAgent, User
from review.models import AgentVersion, ApprovalStream, Feedback, FeedbackCount
from review.queue import AT_ONCE, BREAK
from review.services.auto_approval import wilson_bounds

MOST_VERSIONS = 20

# The median of the pauses between a reviewer's decisions, as the queue takes them.
REVIEWERS = """
    SELECT reviewed_by_id, sum(1), percentile_cont(0.5) WITHIN GROUP (ORDER BY pause) FILTER (WHERE pause BETWEEN
        %(at_once)s AND %(break)s), max(reviewed_at)
    FROM (
        SELECT reviewed_by_id, reviewed_at, extract(epoch FROM reviewed_at - lag(reviewed_at)
            OVER (PARTITION BY reviewed_by_id ORDER BY reviewed_at)) AS pause
        FROM review_feedback
        WHERE project_id = %(project)s AND reviewed_at >= %(start)s AND reviewed_by_id IS NOT NULL AND reviewable
    ) decisions
    GROUP BY 1 ORDER BY 2 DESC
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """What users said of something: how many of them were content, and how many not."""

    name: str
    positive: int
    negative: int
    neutral: int = 0

    @property
    def score(self) -> float | None:
        """The share of the content among those who took a side."""
        sides = self.positive + self.negative
        return self.positive / sides if sides else None


@dataclass(frozen=True, slots=True)
class Week:
    """What users said in the week that begins on `monday`."""

    monday: date
    tally: Tally


@dataclass(frozen=True, slots=True)
class Reviewer:
    """How much a reviewer decided, and the usual seconds between two decisions."""

    user: User
    decided: int
    seconds: float | None
    last: datetime


@dataclass(frozen=True, slots=True)
class Stream:
    """What is approved without a reviewer, and how wrong that may be: surely no more often than `upper`."""

    approval: ApprovalStream

    @property
    def name(self) -> str:
        """Which answers they are."""
        parts = [self.approval.tracked_agent, self.approval.version and self.approval.version.agent]
        named = [str(part) for part in parts if part] or [self.approval.get_channel_display()]
        version = f"version {self.approval.version}" if self.approval.version else ""
        return " · ".join(part for part in (*named, version, self.approval.model) if part)

    @property
    def upper(self) -> float:
        """The upper bound of the true share, with 95 % confidence."""
        return wilson_bounds(self.approval.wrong, self.approval.checked)[1]


@dataclass(frozen=True, slots=True)
class Checks:
    """What the samples of all streams together say of approval without a reviewer."""

    checked: int
    wrong: int

    @property
    def upper(self) -> float:
        """The upper bound of the share of wrong approvals, with 95 % confidence."""
        return wilson_bounds(self.wrong, self.checked)[1]


def by_week(project: Project, start: date, end: date) -> list[Week]:
    """Return customers' verdicts in production by week, from the Monday of `start` to the day before `end`."""
    rows = _counted(project, start - timedelta(days=start.weekday()), end)
    weeks: dict[date, dict[str, int]] = {}
    first = start - timedelta(days=start.weekday())
    while first < end:
        weeks[first] = {}
        first += timedelta(days=7)
    for day, sentiment, verdicts in rows.values_list("day", "sentiment").annotate(sum=Sum("verdicts")).order_by():
        week = weeks[day - timedelta(days=day.weekday())]
        week[sentiment] = week.get(sentiment, 0) + verdicts
    return [Week(monday, _tally("", found)) for monday, found in weeks.items()]


def by_agent(project: Project, start: date, end: date) -> list[Tally]:
    """Return customers' verdicts in production by tracked assistant, the most judged first."""
    rows = _counted(project, start, end).values_list("tracked_agent", "sentiment").annotate(sum=Sum("verdicts"))
    found: dict[int, dict[str, int]] = {}
    for agent, sentiment, verdicts in rows.order_by():
        found.setdefault(agent, {})[sentiment] = verdicts
    names = dict(TrackedAgent.objects.filter(project=project, pk__in=found).values_list("pk", "name"))
    tallies = [_tally(names.get(agent, "Agent runs"), counts) for agent, counts in found.items()]
    return sorted(tallies, key=lambda tally: -(tally.positive + tally.negative + tally.neutral))


def by_version(project: Project, start: datetime, end: datetime) -> list[Tally]:
    """Return customers' verdicts in production by version of an agent, the newest version first."""
    rows = Feedback.objects.current().filter(
        project=project, version__isnull=False, origin="customer", environment="production",
        created_at__gte=start, created_at__lt=end,
    )  # fmt: skip
    kinds = {sentiment: Count("pk", filter=Q(sentiment=sentiment)) for sentiment in Feedback.Sentiment.values}
    counted = rows.order_by().values_list("version").annotate(**kinds).order_by("-version")[:MOST_VERSIONS]
    found = {pk: dict(zip(kinds, numbers, strict=True)) for pk, *numbers in counted}
    versions = AgentVersion.objects.filter(pk__in=found).select_related("agent").in_bulk()
    return [_tally(f"{versions[pk].agent} {versions[pk]}", counts) for pk, counts in found.items()]


def reviewers(project: Project, start: datetime) -> list[Reviewer]:
    """Return who decided since `start`, the busiest first."""
    parameters: dict[str, Any] = {
        "project": project.pk,
        "start": start,
        "at_once": AT_ONCE.total_seconds(),
        "break": BREAK.total_seconds(),
    }
    with connection.cursor() as cursor:
        cursor.execute(REVIEWERS, parameters)
        rows = cursor.fetchall()
    users = User.objects.in_bulk([row[0] for row in rows])
    return [Reviewer(users[pk], int(number), pause, last) for pk, number, pause, last in rows if pk in users]


def oldest_waiting(project: Project) -> datetime | None:
    """Return since when the oldest pending verdict waits."""
    pending = Feedback.objects.reviewable().filter(project=project, status=Feedback.Status.PENDING)
    moment: datetime | None = pending.order_by("created_at").values_list("created_at", flat=True).first()
    return moment


def checks(project: Project) -> Checks:
    """Return how many samples were decided since approval was last resumed, and how many were found wrong."""
    sums = ApprovalStream.objects.filter(project=project).aggregate(checked=Sum("checked"), wrong=Sum("wrong"))
    return Checks(sums["checked"] or 0, sums["wrong"] or 0)


def streams(project: Project) -> list[Stream]:
    """Return the streams of which samples were decided, or that are suspended; the suspended ones first."""
    rows = ApprovalStream.objects.filter(project=project).select_related("tracked_agent", "version__agent", "project")
    return sorted(map(Stream, rows), key=lambda stream: (not stream.approval.suspended_at, -stream.approval.checked))


def _counted(project: Project, start: date, end: date) -> QuerySet[FeedbackCount]:
    return FeedbackCount.objects.filter(
        project=project, origin="customer", environment="production", day__gte=start, day__lt=end
    )


def _tally(name: str, counts: dict[str, int]) -> Tally:
    return Tally(name, counts.get("positive", 0), counts.get("negative", 0), counts.get("neutral", 0))
