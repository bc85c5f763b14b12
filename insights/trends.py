"""How insights went week by week, and where their mentions came from."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from insights.models import DailyCount, Insight
from insights.ranges import Range
from projects.models import Project

PEOPLE = """
SELECT week.start::date, coalesce(sum(reach.reached), 0)::bigint
FROM generate_series(%(first)s::date, %(last)s::date, '7 days') AS week (start)
LEFT JOIN insights_dailyreach AS reach ON reach.project_id = %(project)s AND reach.insight_id = %(insight)s
    AND reach.source_id IS NULL AND reach.unit = 'person'
    AND reach.day >= week.start AND reach.day < week.start + interval '7 days' AND reach.previous_day < week.start
GROUP BY 1 ORDER BY 1
"""


MENTIONS = """
SELECT week.start::date, coalesce(sum(daily.mentions), 0)::bigint
FROM generate_series(%(first)s::date, %(last)s::date, '7 days') AS week (start)
LEFT JOIN insights_dailycount AS daily ON daily.insight_id = %(insight)s
    AND daily.day >= week.start AND daily.day < week.start + interval '7 days'
GROUP BY 1 ORDER BY 1
"""


def weekly_people(insight: Insight, within: Range, *, most: int = 52) -> list[tuple[date, int]]:
    """Return how many people spoke of an insight in each week (beginning on a Monday) of a range."""
    return _weekly(PEOPLE, insight, within, most)


def weekly_mentions(insight: Insight, within: Range, *, most: int = 52) -> list[tuple[date, int]]:
    """Return how often an insight was spoken of in each week (beginning on a Monday) of a range."""
    return _weekly(MENTIONS, insight, within, most)


def _weekly(statement: str, insight: Insight, within: Range, most: int) -> list[tuple[date, int]]:
    last = within.end_day - timedelta(days=1)
    first = within.first_day
    if within.is_open and insight.first_seen:
        first = insight.first_seen.astimezone(within.zone).date()
    first -= timedelta(days=first.weekday())
    first = max(first, last - timedelta(weeks=most - 1, days=last.weekday()))
    parameters: dict[str, Any] = {"first": first, "last": last, "project": insight.project_id, "insight": insight.pk}
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [(week, number) for week, number in cursor.fetchall()]


SPARKS = """
SELECT reach.insight_id, ((reach.day - %(first)s::date) / 7)::int AS week, sum(reach.reached)::bigint
FROM insights_dailyreach AS reach
WHERE reach.project_id = %(project)s AND reach.insight_id = ANY(%(insights)s) AND reach.source_id IS NULL
    AND reach.unit = 'person' AND reach.day >= %(first)s AND reach.day < %(first)s::date + 7 * %(weeks)s
    AND reach.previous_day < %(first)s::date + 7 * ((reach.day - %(first)s::date) / 7)
GROUP BY 1, 2
"""


def sparklines(project: Project, insights: Sequence[Insight], end: date, *, weeks: int = 8) -> dict[UUID, list[int]]:
    """Return the people of each of the last weeks before `end`, for many insights at once."""
    lines = {insight.pk: [0] * weeks for insight in insights}
    parameters: dict[str, Any] = {
        "project": project.pk,
        "insights": list(lines),
        "first": end - timedelta(weeks=weeks),
        "weeks": weeks,
    }
    with connection.cursor() as cursor:
        cursor.execute(SPARKS, parameters)
        for insight_id, week, people in cursor.fetchall():
            lines[insight_id][week] = people
    return lines


def sources_of(insights: Sequence[Insight], within: Range) -> QuerySet[Any]:
    """Return (insight, source) pairs with mentions in a range."""
    return (
        DailyCount.objects.filter(
            insight__in=insights, day__gte=within.first_day, day__lt=within.end_day, mentions__gt=0
        )
        .values_list("insight_id", "source_id")
        .distinct()
    )
