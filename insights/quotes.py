"""Quotes for lists, taken and verified inside the database: what does not match its hash never leaves it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from insights.models import Insight
from projects.models import Project

# PostgreSQL counts characters as Python does: in code points, from 1.
WORDS = """
JOIN feedback_ingest_feedbackitem AS item ON item.id = picked.item_id
LEFT JOIN feedback_ingest_conversationpart AS part ON part.id = picked.part_id
CROSS JOIN LATERAL (
    SELECT substring(CASE WHEN picked.part_id IS NULL THEN item.body ELSE part.body END
        FROM picked.start + 1 FOR picked."end" - picked.start) AS words
) AS said
"""
MATCHES = "sha256(convert_to(said.words, 'UTF8')) = picked.quote_hash"

BEST = f"""
SELECT DISTINCT ON (wanted.id) wanted.id, said.words, picked.language
FROM unnest(%(insights)s::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT item_id, part_id, start, "end", quote_hash, language, unsure, confidence, created_at
    FROM insights_mention
    WHERE project_id = %(project)s AND insight_id = wanted.id AND deleted_at IS NULL AND created_at < %(end)s
    ORDER BY created_at DESC, id DESC LIMIT %(looked_at)s
) AS picked {WORDS}
WHERE {MATCHES}
ORDER BY wanted.id, picked.unsure, length(said.words) BETWEEN 40 AND 200 DESC, picked.confidence DESC,
    picked.created_at DESC
"""  # noqa: S608

VERIFIED = f"""
SELECT count(*), count(*) FILTER (WHERE {MATCHES})
FROM (
    SELECT item_id, part_id, start, "end", quote_hash FROM insights_mention
    WHERE project_id = %(project)s AND deleted_at IS NULL
    ORDER BY day DESC LIMIT %(looked_at)s
) AS picked {WORDS}
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Quote:
    """A customer's exact words."""

    words: str
    language: str


@dataclass(frozen=True, slots=True)
class Verification:
    """How many of the newest quotes were compared with their items, and how many matched."""

    checked: int
    verified: int

    @property
    def share(self) -> float:
        """The verified share, 1 where there is nothing to check."""
        return self.verified / self.checked if self.checked else 1.0


def best_quotes(
    project: Project, insights: Sequence[Insight], end: datetime, *, looked_at: int = 8
) -> dict[UUID, Quote]:
    """Return for each insight the most telling of its newest quotes before `end`: sure, and neither short nor long."""
    parameters: dict[str, Any] = {
        "project": project.pk,
        "insights": [insight.pk for insight in insights],
        "end": end,
        "looked_at": looked_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(BEST, parameters)
        return {insight: Quote(words, language) for insight, words, language in cursor.fetchall()}


def verify_newest(project: Project, *, looked_at: int = 2_000) -> Verification:
    """Compare the newest quotes of a project with the words at their place."""
    with connection.cursor() as cursor:
        cursor.execute(VERIFIED, {"project": project.pk, "looked_at": looked_at})
        checked, verified = cursor.fetchone()
    return Verification(checked, verified)
