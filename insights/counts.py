"""The one place where people, accounts and mentions are counted.

Distinct people over any range of days come from `DailyReach` (see there): a sum, whatever the number of
mentions. Ranges within a day, and filters that the daily tables do not know, are counted over the mentions
themselves; both ways give the same numbers.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Self
from uuid import UUID

from django.db import connection

from insights.models import Mention

# What the mentions that `{said}` chooses add to the daily reach.
REACH = """
WITH said AS (
    {said}
), reached AS (
    SELECT project_id, insight_id, source_id, unit, day,
        lag(day) OVER (PARTITION BY insight_id, source_id, unit, who ORDER BY day) AS previous_day
    FROM said
    UNION ALL
    SELECT project_id, insight_id, NULL, unit, day,
        lag(day) OVER (PARTITION BY insight_id, unit, who ORDER BY day)
    FROM (SELECT DISTINCT project_id, insight_id, unit, who, day FROM said) AS anywhere
)
INSERT INTO insights_dailyreach AS reach (project_id, insight_id, source_id, unit, day, previous_day, reached)
SELECT project_id, insight_id, source_id, unit, day, coalesce(previous_day, '0001-01-01'::date), {sign} count(*)
FROM reached GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 3, 4, 5, 2, 6
ON CONFLICT (project_id, source_id, unit, day, insight_id, previous_day)
DO UPDATE SET reached = reach.reached + excluded.reached
"""

OF_INSIGHTS = """
    SELECT DISTINCT mention.project_id, mention.insight_id, mention.source_id, unit.name AS unit, unit.who, mention.day
    FROM insights_mention mention
    CROSS JOIN LATERAL (VALUES ('person', mention.person_id), ('account', mention.account_id)) AS unit (name, who)
    WHERE mention.deleted_at IS NULL AND unit.who IS NOT NULL AND mention.insight_id = ANY(%(insights)s)
"""

# Pair by pair, so that an index finds their mentions among however many the insight has.
OF_PAIRS = """
    SELECT DISTINCT mention.project_id, mention.insight_id, mention.source_id, pair.unit, pair.who, mention.day
    FROM unnest(%(units)s::text[], %(of)s::uuid[], %(who)s::bigint[]) AS pair (unit, insight, who)
    CROSS JOIN LATERAL (
        SELECT project_id, insight_id, source_id, day FROM insights_mention
        WHERE pair.unit = 'person' AND insight_id = pair.insight AND person_id = pair.who AND deleted_at IS NULL
        UNION ALL
        SELECT project_id, insight_id, source_id, day FROM insights_mention
        WHERE pair.unit = 'account' AND insight_id = pair.insight AND account_id = pair.who AND deleted_at IS NULL
    ) AS mention
"""

MENTIONS = """
INSERT INTO insights_dailycount AS daily (project_id, insight_id, source_id, day, mentions)
SELECT project_id, insight_id, source_id, day, {sign} count(*) FROM insights_mention
WHERE deleted_at IS NULL AND insight_id = ANY(%(insights)s) {days}
GROUP BY 1, 2, 3, 4 ORDER BY 1, 4, 2, 3
ON CONFLICT (project_id, day, insight_id, source_id) DO UPDATE SET mentions = daily.mentions + excluded.mentions
"""

DAYS = "AND (insight_id, day) IN (SELECT * FROM unnest(%(day_of)s::uuid[], %(days)s::date[]))"

SWEEP = """
DELETE FROM insights_dailyreach WHERE insight_id = ANY(%(insights)s) AND reached = 0;
DELETE FROM insights_dailycount WHERE insight_id = ANY(%(insights)s) AND mentions = 0;
"""

SEEN = """
UPDATE insights_insight AS insight SET first_seen = seen.first, last_seen = seen.last, counted = counted + 1
FROM unnest(%(insights)s::uuid[]) AS wanted (id)
LEFT JOIN LATERAL (
    SELECT min(created_at) AS first, max(created_at) AS last FROM insights_mention
    WHERE project_id = %(project)s AND insight_id = wanted.id AND deleted_at IS NULL
) AS seen ON true
WHERE insight.id = wanted.id
"""


@dataclass(frozen=True, slots=True)
class Touch:
    """One mention that is about to come, go or move, as far as counting needs to know it."""

    insight: UUID
    person: int | None
    account: int | None
    day: date

    @classmethod
    def of(cls, mention: Mention) -> Self:
        """Return what counting needs of a mention."""
        return cls(mention.insight_id, mention.person_id, mention.account_id, mention.day)


@contextmanager
def kept(project_id: int, touches: Sequence[Touch]) -> Iterator[None]:
    """Keep the counts true while the mentions that `touches` names change inside the block.

    Must run inside a transaction that holds the project's analysis lock.
    """
    if not touches:
        yield
        return
    parameters = _parameters(touches) | {"project": project_id}
    _add(parameters, "-", OF_PAIRS, DAYS)
    yield
    _add(parameters, "+", OF_PAIRS, DAYS)
    _finish(parameters)


@contextmanager
def rebuilt(project_id: int, insights: Sequence[UUID]) -> Iterator[None]:
    """Keep the counts of whole insights true while any of their mentions change inside the block."""
    parameters: dict[str, Any] = {"project": project_id, "insights": list(insights)}
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM insights_dailyreach WHERE insight_id = ANY(%(insights)s)", parameters)
        cursor.execute("DELETE FROM insights_dailycount WHERE insight_id = ANY(%(insights)s)", parameters)
    _add(parameters, "+", OF_INSIGHTS, "")
    _finish(parameters)


def _parameters(touches: Sequence[Touch]) -> dict[str, Any]:
    pairs = {("person", touch.insight, touch.person) for touch in touches if touch.person}
    pairs |= {("account", touch.insight, touch.account) for touch in touches if touch.account}
    days = {(touch.insight, touch.day) for touch in touches}
    return {
        "insights": list({touch.insight for touch in touches}),
        "units": [unit for unit, _, _ in pairs],
        "of": [insight for _, insight, _ in pairs],
        "who": [who for _, _, who in pairs],
        "day_of": [insight for insight, _ in days],
        "days": [day for _, day in days],
    }


def _add(parameters: dict[str, Any], sign: str, said: str, days: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(REACH.format(said=said, sign=sign), parameters)
        cursor.execute(MENTIONS.format(days=days, sign=sign), parameters)


def _finish(parameters: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        for statement in (*SWEEP.strip().split("\n"), SEEN):
            cursor.execute(statement, parameters)
