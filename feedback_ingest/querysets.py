"""All reads of feedback."""

from datetime import datetime
from typing import Any, Self

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, OuterRef, Q

from projects.querysets import TenantQuerySet
from sources.models import Source

LOOKED_UP = 10_000
Place = tuple[datetime, int]  # when an item was written, and its id: what lists are ordered by


class ItemQuerySet(TenantQuerySet[Any]):
    """Feedback items."""

    def listed(self) -> Self:
        """Leave out what belongs to a deleted source: it is neither shown nor counted."""
        return self.exclude(source__in=Source.objects.filter(status=Source.Status.DELETED))

    def dead_lettered(self) -> Self:
        """Keep what could not be analysed."""
        return self.filter(state="set_aside", set_aside_reason="failed")

    def newest_first(self) -> Self:
        """Order as the keyset pages need it."""
        return self.order_by("-created_at", "-id")

    def older_than(self, place: Place) -> Self:
        """Keep what follows a place in that order; the pair is compared as one row, which the index answers."""
        return self._beside("<", place)

    def newer_than(self, place: Place) -> Self:
        """Keep what comes before a place in that order."""
        return self._beside(">", place)

    def _beside(self, sign: str, place: Place) -> Self:
        pair = "(feedback_ingest_feedbackitem.created_at, feedback_ingest_feedbackitem.id)"
        return self._where(f"{pair} {sign} (%s, %s)", *place)

    def _where(self, clause: str, *values: Any) -> Self:
        rows: Self = self.extra(where=[clause], params=values)  # type: ignore[assignment]  # noqa: S610
        return rows

    def matching(self, text: str) -> Self:
        """Keep items whose body, author or any part holds all words of `text` (web search syntax)."""
        return self.holding(SearchQuery(text, config="simple", search_type="websearch"))

    def holding(self, query: SearchQuery) -> Self:
        """Keep items whose body, author or any part answers a query of words.

        What few items hold is looked up in the indexes of words. Common words are compared while a list is walked:
        there every hundredth item or more fits, and looking all of them up would take longer.
        """
        from feedback_ingest.models import ConversationPart

        parts: Any = ConversationPart.objects.filter(search=query)
        own = self.filter(search=query).values_list("pk", flat=True)
        said = parts.filter(item__in=self.values("pk")).values_list("item", flat=True)
        found = {*own[: LOOKED_UP + 1], *said[: LOOKED_UP + 1]}
        if len(found) <= LOOKED_UP:
            # As one value: thousands of placeholders would take longer to read than the rows.
            return self._where("feedback_ingest_feedbackitem.id = ANY(%s)", sorted(found))
        return self.filter(Q(search=query) | Exists(parts.filter(item=OuterRef("pk"))))
