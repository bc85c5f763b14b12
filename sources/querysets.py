"""All reads of sources and imports."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Self

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from projects.querysets import TenantQuerySet

UNDO_PERIOD: Final = timedelta(days=30)
UPLOADS_KEPT_FOR: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Accounting:
    """Where the distinct items of one or more sources are now: received is always the sum of the others."""

    used: int
    set_aside: int
    waiting: int

    @property
    def received(self) -> int:
        """How many distinct items are stored."""
        return self.used + self.set_aside + self.waiting


class SourceQuerySet(TenantQuerySet[Any]):
    """Sources."""

    def with_counts(self) -> Self:
        """Bring each source's accounting along, and how it is connected."""
        return self.select_related("count", "connection").defer("connection__secrets")

    def listed(self) -> Self:
        """Leave out deleted sources."""
        return self.exclude(status="deleted")

    def recently_deleted(self) -> Self:
        """Keep what was deleted and can still be restored."""
        return self.filter(status="deleted", deleted_at__gt=timezone.now() - UNDO_PERIOD)

    def accounting(self) -> Accounting:
        """Add up the accounting of these sources."""
        sums = {name: Coalesce(Sum(f"count__{name}"), 0) for name in ("used", "set_aside", "waiting")}
        return Accounting(**self.aggregate(**sums))


class FileImportQuerySet(TenantQuerySet[Any]):
    """Imports of files and pasted texts."""

    def newest_first(self) -> Self:
        """Order as a history is read."""
        return self.order_by("-created_at", "-pk")

    def claimable(self) -> Self:
        """Keep what is queued, and what was being read by a worker that is gone."""
        return self.filter(Q(status="queued") | Q(status="running", lease_until__lt=timezone.now()))

    def abandoned(self) -> Self:
        """Keep what nobody went on with for a week."""
        old = timezone.now() - UPLOADS_KEPT_FOR
        return self.filter(status__in=("mapping", "failed"), created_at__lt=old).exclude(path="")
