"""All reads of verdicts and golden examples."""

from typing import TYPE_CHECKING, Self

from projects.querysets import TenantQuerySet

if TYPE_CHECKING:
    from review.models import Feedback, GoldenExample  # noqa: F401 (named in quotes below)


class FeedbackQuerySet(TenantQuerySet["Feedback"]):
    """Verdicts on answers."""

    def current(self) -> Self:
        """Leave out what its own user has judged anew."""
        return self.filter(superseded_at=None)

    def reviewable(self) -> Self:
        """Keep what reviewers see: positive and negative verdicts on an answer."""
        return self.filter(reviewable=True)

    def newest_first(self) -> Self:
        """Order as the indexes do."""
        return self.order_by("-created_at", "-id")


class GoldenQuerySet(TenantQuerySet["GoldenExample"]):
    """Golden examples."""

    def usable(self) -> Self:
        """Keep those that are switched on and that nobody has to look at first."""
        return self.filter(is_active=True, attention="")

    def newest_first(self) -> Self:
        """Order as the indexes do."""
        return self.order_by("-created_at", "-id")
