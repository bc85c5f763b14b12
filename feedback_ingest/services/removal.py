"""Removing what was deleted where it came from: the words, what they stood for, and their place in the accounting."""

from collections import Counter
from collections.abc import Iterable, Sequence

from django.db import transaction

from feedback_ingest import events
from feedback_ingest.models import ConversationPart, FeedbackItem
from feedback_ingest.services.items import read_again
from sources import tallies
from sources.models import Source


@transaction.atomic
def remove_items(source: Source, unique_ids: Iterable[str]) -> int:
    """Remove items with their parts and mentions; return how many there were. Unknown ids are no matter."""
    items = FeedbackItem.objects.filter(project=source.project_id, source=source, unique_id__in=sorted(set(unique_ids)))
    # In the order in which ingest locks them.
    return _remove(source, list(items.select_for_update().order_by("unique_id").values_list("pk", "state")))


@transaction.atomic
def remove_parts(source: Source, unique_ids: Iterable[str]) -> int:
    """Remove parts with their mentions; return how many there were.

    What is left of their items is read again, since who is the customer in a thread may depend on every part;
    an item of which nothing is left goes too.
    """
    parts = ConversationPart.objects.filter(
        project=source.project_id, source=source, unique_id__in=sorted(set(unique_ids))
    )
    found = list(parts.select_for_update().order_by("unique_id").values_list("pk", "item_id"))
    if not found:
        return 0
    events.parts_removed(source.project_id, [pk for pk, _ in found])
    ConversationPart.objects.filter(pk__in=[pk for pk, _ in found]).delete()
    touched = FeedbackItem.objects.filter(pk__in={item_id for _, item_id in found}).order_by("unique_id")
    bare = touched.filter(parts=None, body__isnull=True) | touched.filter(parts=None, body="")
    _remove(source, list(bare.values_list("pk", "state")))
    read_again(source.project, list(touched.values_list("pk", flat=True)))
    return len(found)


def _remove(source: Source, rows: Sequence[tuple[int, str]]) -> int:
    if not rows:
        return 0
    ids = [pk for pk, _ in rows]
    events.set_aside(source.project_id, ids)
    FeedbackItem.objects.filter(pk__in=ids).delete()
    left = Counter(state for _, state in rows)
    tallies.count(source.pk, {"removed": len(rows)} | {state: -count for state, count in left.items()})
    return len(rows)
