"""All reads of verdicts and golden examples."""

import re
from typing import TYPE_CHECKING, NamedTuple, Self

from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import Q
from django.utils import timezone
from pgvector import HalfVector
from pgvector.django import CosineDistance

from insights.models import Insight, Mention
from projects.querysets import TenantQuerySet

if TYPE_CHECKING:
    from review.models import Feedback, GoldenExample  # noqa: F401 (named in quotes below)

MOST_WORDS = 32
CONTEXT = (
    "uuid", "project", "sentiment", "status", "reason", "comment", "user", "user_email", "external_user_id",
    "reviewed_at", "created_at", "original_query", "original_response",
)  # fmt: skip


class Near(NamedTuple):
    """An example and how similar its question is to the one that was asked, from 0 to 1."""

    example: "GoldenExample"
    similarity: float


def visit_index_until_met() -> None:
    """Let the vector index go on until filters are met, for it applies them only to the nearest rows it visits.

    Needs an open transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL hnsw.iterative_scan = strict_order")


def words_query(text: str) -> SearchQuery | None:
    """Return the query for texts that hold every word of `text`, each as a whole or a beginning."""
    words = _quoted_words(text)
    return _raw(" & ".join(f"{word}:*" for word in words)) if words else None


def any_word_query(text: str) -> SearchQuery | None:
    """Return the query for texts that hold some word of `text`; to be ordered by rank."""
    words = _quoted_words(text)
    return _raw(" | ".join(words)) if words else None


def _quoted_words(text: str) -> list[str]:
    words = [word for word in text.split() if re.search(r"\w", word)][:MOST_WORDS]
    return ["'" + word.replace("\\", " ").replace("'", "''") + "'" for word in words]


def _raw(query: str) -> SearchQuery:
    return SearchQuery(query, config="simple", search_type="raw")


class FeedbackQuerySet(TenantQuerySet["Feedback"]):
    """Verdicts on answers."""

    def current(self) -> Self:
        """Leave out what its own user has judged anew."""
        return self.filter(superseded_at=None)

    def reviewable(self) -> Self:
        """Keep what reviewers see: positive and negative verdicts on an answer."""
        return self.filter(reviewable=True)

    def to_review(self) -> Self:
        """Keep what waits for a decision: pending verdicts, and samples of the auto-approved ones."""
        sample = Q(sampled=True, sample_right=None, status="auto_approved")
        return self.reviewable().filter(Q(status="pending") | sample)

    def matching(self, text: str) -> Self:
        """Keep verdicts whose query, response or reason hold all words of `text`, or beginnings of words."""
        query = words_query(text)
        return self.filter(search=query) if query else self

    def of_insight(self, insight: Insight) -> Self:
        """Keep the negative verdicts that stand whose words are evidence for an insight."""
        evidence = Mention.objects.live().filter(project=insight.project_id, insight=insight)
        return self.current().filter(sentiment="negative", item__in=evidence.values("item"))

    def newest_first(self) -> Self:
        """Order as the indexes do."""
        return self.order_by("-created_at", "-id")

    def with_context(self) -> Self:
        """Fetch in one query what a verdict is shown with, and no more of it."""
        return self.select_related("message", "run", "conversation", "reviewed_by", "golden_example").only(
            *CONTEXT, "message__uuid", "run__conversation_id", "conversation__conversation_id",
            "reviewed_by__email", "golden_example__feedback", "golden_example__golden_response",
        )  # fmt: skip


class GoldenQuerySet(TenantQuerySet["GoldenExample"]):
    """Golden examples."""

    def usable(self) -> Self:
        """Keep those that are switched on, that nobody has to look at first, and whose time has not run out."""
        lasting = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
        return self.filter(lasting, is_active=True, attention="")

    def in_prompts(self) -> Self:
        """Keep the usable ones that prompts may hold."""
        return self.usable().filter(split="few_shot")

    def in_tests(self) -> Self:
        """Keep the usable ones that tests ask, and that no prompt may hold."""
        return self.usable().filter(split="evaluation")

    def matching(self, text: str) -> Self:
        """Keep examples whose question or answers hold all words of `text`, or beginnings of words."""
        query = words_query(text)
        return self.filter(search=query) if query else self

    def newest_first(self) -> Self:
        """Order as the indexes do."""
        return self.order_by("-created_at", "-id")

    def by_distance(self, vector: HalfVector) -> Self:
        """Order by `distance` from a vector, the nearest first, by the vector index. Needs an open transaction."""
        visit_index_until_met()
        return self.exclude(vector=None).annotate(distance=CosineDistance("vector", vector)).order_by("distance")

    def nearest(self, vector: HalfVector, *, similarity: float, limit: int) -> "list[Near]":
        """Return up to `limit` examples that are at least so similar, the most similar first.

        Needs an open transaction.
        """
        rows = self.by_distance(vector).defer("search", "vector")[:limit]
        found = [Near(example, 1 - vars(example)["distance"]) for example in rows]
        return [near for near in found if near.similarity >= similarity]
