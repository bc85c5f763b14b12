"""The numbers of insights in a range, kept until mentions change: what makes long lists cheap."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from insights.models import RangeCount
from insights.ranges import Range
from projects.models import Project

# Up to here insights are counted one by one through their own index; beyond it all are, in one pass.
FEW = 200
KEPT_FOR = timedelta(days=2)

KEPT = """
SELECT insight_id, people, accounts, mentions, people_before FROM insights_rangecount
WHERE project_id = %(project)s AND key = %(key)s
"""
MISSING = """
SELECT id FROM insights_insight AS insight
WHERE project_id = %(project)s AND deleted_at IS NULL AND merged_into_id IS NULL AND NOT EXISTS (
    SELECT 1 FROM insights_rangecount AS kept WHERE kept.project_id = %(project)s AND kept.key = %(key)s
        AND kept.insight_id = insight.id AND kept.counted = insight.counted
)
"""
# Counted and marked in one statement, so the mark is that of the mentions which were counted.
KEEP = """
INSERT INTO insights_rangecount AS kept
    (project_id, insight_id, key, counted, people, accounts, mentions, people_before, made_at)
SELECT %(project)s, insight.id, %(key)s, insight.counted, coalesce(sum(people), 0), coalesce(sum(accounts), 0),
    coalesce(sum(mentions), 0), coalesce(sum(people_before), 0), now()
FROM insights_insight AS insight LEFT JOIN ({counted}) AS found ON found.insight_id = insight.id
WHERE insight.id = ANY(%(missing)s) GROUP BY insight.id ORDER BY insight.id
ON CONFLICT (project_id, key, insight_id) DO UPDATE SET counted = excluded.counted, people = excluded.people,
    accounts = excluded.accounts, mentions = excluded.mentions, people_before = excluded.people_before,
    made_at = excluded.made_at
WHERE kept.counted < excluded.counted
"""


@dataclass(frozen=True, slots=True)
class Counting:
    """How mentions are counted: a statement with gaps for clauses, one of which may narrow it to insights."""

    statement: str
    parameters: dict[str, Any]
    clauses: dict[str, str]

    def counted(self, insight: str = "") -> str:
        """Return the statement, narrowed by a clause on `insight_id`."""
        return self.statement.format(insight=insight, **self.clauses)

    def key(self, within: Range) -> str:
        """Return what numbers counted this way are kept under."""
        filters = repr(sorted((name, str(value)) for name, value in self.parameters.items() if value))
        digest = blake2b((self.statement + repr(self.clauses) + filters).encode(), digest_size=16).hexdigest()
        return f"{within.first_day}/{within.end_day}/{digest}"


def keep(project: Project, within: Range, counting: Counting) -> str:
    """Count what is not kept, or has changed since; return the key under which all numbers are kept then."""
    key = counting.key(within)
    parameters = counting.parameters | {"project": project.pk, "key": key}
    with connection.cursor() as cursor:
        cursor.execute(MISSING, parameters)
        missing: Sequence[UUID] = [row[0] for row in cursor.fetchall()]
        if missing:
            clause = "AND insight_id = ANY(%(missing)s)" if len(missing) <= FEW else ""
            cursor.execute(KEEP.format(counted=counting.counted(clause)), parameters | {"missing": missing})
    return key


def forget_old() -> int:
    """Remove the numbers of ranges that are no longer asked for, and of those that will be counted anew."""
    removed, _ = RangeCount.objects.filter(made_at__lt=timezone.now() - KEPT_FOR).delete()
    return removed
