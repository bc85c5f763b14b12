"""All reads of feedback."""

from typing import Any, Self

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, OuterRef, Q

from projects.querysets import TenantQuerySet
from sources.models import Source


class ItemQuerySet(TenantQuerySet[Any]):
    """Feedback items."""

    def listed(self) -> Self:
        """Leave out what belongs to a deleted source: it is neither shown nor counted."""
        return self.exclude(source__in=Source.objects.filter(status=Source.Status.DELETED))

    def newest_first(self) -> Self:
        """Order as the keyset pages need it."""
        return self.order_by("-created_at", "-id")

    def matching(self, text: str) -> Self:
        """Keep items whose body, author or any part holds all words of `text` (web search syntax)."""
        from feedback_ingest.models import ConversationPart

        query = SearchQuery(text, config="simple", search_type="websearch")
        parts: Any = ConversationPart.objects.filter(item=OuterRef("pk"), search=query)
        return self.filter(Q(search=query) | Exists(parts))
