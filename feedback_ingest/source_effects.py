"""What deleting a source does to feedback, and what a source shows of it."""

from feedback_ingest.models import ConversationPart, FeedbackItem
from sources.arrivals import Arrival
from sources.effects import Effect
from sources.models import Source

BATCH = 5_000
WORDS = 140  # characters of an item that are shown


def preview(source: Source) -> dict[str, int]:
    """Count the items that go, and the parts of their conversations."""
    parts = ConversationPart.objects.filter(project=source.project_id, source=source)
    return {"items": source.count.received, "parts": parts.count()}


def hide(source: Source) -> None:
    """Do nothing: items are shown and counted by the status of their source."""


def restore(source: Source) -> None:
    """Do nothing, as `hide` did."""


def purge(source: Source) -> None:
    """Remove the items with their parts, in batches, so that memory does not grow with the source."""
    items = FeedbackItem.objects.filter(project=source.project_id, source=source)
    while batch := list(items.values_list("pk", flat=True)[:BATCH]):
        FeedbackItem.objects.filter(pk__in=batch).delete()


def newest(source: Source, limit: int) -> list[Arrival]:
    """Return the newest items of a source, as its page shows them."""
    items = FeedbackItem.objects.filter(project=source.project_id, source=source).newest_first()[:limit]
    return [_arrival(item) for item in items.prefetch_related("parts")]


def _arrival(item: FeedbackItem) -> Arrival:
    first = next(iter(item.parts.all()), None)
    words = item.body or (first.body if first else "")
    return Arrival(
        unique_id=item.unique_id,
        words=words[:WORDS] + ("…" if len(words) > WORDS else ""),
        created_at=item.created_at,
        received_at=item.received_at,
        state=item.state,
        reason=item.get_set_aside_reason_display() or "",
    )


EFFECT = Effect(preview, hide, restore, purge)
