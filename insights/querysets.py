"""All reads of insights and mentions."""

from typing import TYPE_CHECKING, Self

from projects.querysets import TenantQuerySet

if TYPE_CHECKING:
    pass


class InsightQuerySet(TenantQuerySet["Insight"]):
    """Insights."""

    def live(self) -> Self:
        """Leave out what was deleted or merged away."""
        return self.filter(deleted_at=None, merged_into=None)


class MentionQuerySet(TenantQuerySet["Mention"]):
    """Mentions."""

    def live(self) -> Self:
        """Leave out deleted mentions and those of deleted sources."""
        return self.filter(deleted_at=None).exclude(source__status="deleted")
