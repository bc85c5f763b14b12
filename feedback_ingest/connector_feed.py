"""Keeping what connections read: batches are stored by the one way in, deletions at the source are mirrored."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from feedback_ingest.models import ConversationPart, FeedbackItem
from feedback_ingest.services import ingest_items
from feedback_ingest.services.removal import remove_items, remove_parts
from sources.connectors import Batch
from sources.keepers import Keeper
from sources.models import Source

KNOWN_AT_ONCE = 2_000


def store(source: Source, batch: Batch) -> int:
    """Store a batch and return how many items are there now, or are other than before.

    To be called inside the transaction that saves the cursor. Raises DomainError (409) where the source takes
    no feedback.
    """
    taken = ingest_items(source, batch.items).count("created", "updated") if batch.items else 0
    if batch.deleted:
        remove_items(source, batch.deleted)
    if batch.deleted_parts:
        remove_parts(source, batch.deleted_parts)
    return taken


def known(source: Source, kind: Literal["items", "parts"], since: float) -> Iterator[str]:
    """Yield the unique ids of the source's items or parts that were said at `since` (seconds since 1970) or later."""
    model = FeedbackItem if kind == "items" else ConversationPart
    moment = datetime.fromtimestamp(since, UTC)
    rows = model.objects.filter(project=source.project_id, source=source, created_at__gte=moment)
    yield from rows.values_list("unique_id", flat=True).iterator(KNOWN_AT_ONCE)


KEEPER = Keeper(store, known)
