"""All reads of insights and mentions."""

from typing import Any, Self

from projects.querysets import TenantQuerySet


class InsightQuerySet(TenantQuerySet[Any]):
    """Insights."""

    def live(self) -> Self:
        """Leave out what was deleted or merged away."""
        return self.filter(deleted_at=None, merged_into=None)


class MentionQuerySet(TenantQuerySet[Any]):
    """Mentions."""

    def live(self) -> Self:
        """Leave out deleted mentions and those of deleted sources."""
        return self.filter(deleted_at=None).exclude(source__status="deleted")
