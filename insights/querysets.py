"""All reads of insights and mentions."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db.models import Func, IntegerField
from pgvector.django import CosineDistance

from projects.querysets import TenantQuerySet
from sources.models import Source

if TYPE_CHECKING:
    from insights.embedding import Vector
    from insights.listing import Filters
    from insights.models import Insight
    from insights.ranges import Range


class InsightQuerySet(TenantQuerySet[Any]):
    """Insights."""

    def live(self) -> Self:
        """Leave out what was deleted or merged away."""
        return self.filter(deleted_at=None, merged_into=None)

    def nearest_to(self, insight: "Insight") -> Self:
        """Order the others of its project and language by likeness; each gets its cosine `distance`, 0 to 2.

        Brands are measured by name and everything else by meaning: vectors of two measures differ in length, and
        are not compared.
        """
        others = self.filter(project=insight.project_id, language=insight.language).exclude(pk=insight.pk)
        return others.nearest(insight.centroid)

    def nearest(self, vector: "Sequence[float] | Vector") -> Self:
        """Order those that are measured as `vector` is by likeness to it."""
        length = Func("centroid", function="vector_dims", output_field=IntegerField())
        measured = self.exclude(centroid=None).alias(length=length).filter(length=len(vector))
        return measured.annotate(distance=CosineDistance("centroid", vector)).order_by("distance")


class MentionQuerySet(TenantQuerySet[Any]):
    """Mentions."""

    def live(self) -> Self:
        """Leave out deleted mentions and those of deleted sources."""
        return self.filter(deleted_at=None).exclude(source__status="deleted")

    def said_in(self, within: "Range") -> Self:
        """Keep what was said in a range."""
        return self.filter(created_at__gte=within.start, created_at__lt=within.end)

    def narrowed(self, filters: "Filters") -> Self:
        """Keep the mentions that a list with these filters counts."""
        rows = self
        if filters.sources:
            rows = rows.filter(source__in=filters.sources)
        if filters.source_types:
            sources = Source.objects.filter(pk__in=rows.values("source").distinct())
            rows = rows.filter(source__in=[each.pk for each in sources if each.type in filters.source_types])
        if filters.sentiment is not None:
            rows = rows.filter(sentiment=filters.sentiment)
        if filters.language:
            rows = rows.filter(language=filters.language)
        return rows

    def to_look_at(self) -> Self:
        """Keep what joined its insight on a weak match, and waits for a person to confirm or move it."""
        return self.filter(unsure=True, deleted_at=None, insight__deleted_at=None, insight__merged_into=None)

    def with_words(self) -> Self:
        """Bring along the texts that the words stand in, and who said them."""
        return self.select_related("item", "part", "person", "account", "source", "insight").defer(
            "item__search", "part__search", "insight__centroid", "insight__search"
        )

    def newest_first(self) -> Self:
        """Order as keyset pages need it."""
        return self.order_by("-created_at", "-id")

    def older_than(self, moment: datetime, row_id: int) -> Self:
        """Keep what follows a place in that order; the pair is compared as one row, which the index answers."""
        rows: Self = self.extra(  # type: ignore[assignment]
            where=["(insights_mention.created_at, insights_mention.id) < (%s, %s)"], params=[moment, row_id]
        )
        return rows
