"""What happens to insights when feedback goes: a source, an item or a part that goes."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from insights import counts
from insights.locking import lock_insights
from insights.models import Insight, Mention
from sources.effects import Effect
from sources.models import Source


def preview(source: Source) -> dict[str, int]:
    """Count the mentions that go, and the insights that are left without evidence."""
    mentions = Mention.objects.filter(source=source, deleted_at=None)
    touched = Insight.objects.live().filter(pk__in=mentions.values("insight"))
    kept = Mention.objects.filter(insight__in=touched, deleted_at=None).exclude(source=source)
    return {"mentions": mentions.count(), "insights": touched.exclude(pk__in=kept.values("insight")).count()}


def matched(source: Source) -> int:
    """Count the items of a source that stand in an insight."""
    mentions = Mention.objects.filter(source=source, deleted_at=None, insight__deleted_at=None)
    return mentions.values("item").distinct().count()


@transaction.atomic
def hide(source: Source) -> None:
    """Delete the source's mentions, marked with the moment of the source's own deletion."""
    lock_insights(source.project_id)
    mentions = Mention.objects.filter(source=source, deleted_at=None)
    insights = list(mentions.values_list("insight", flat=True).distinct())
    with counts.rebuilt(source.project_id, insights):
        mentions.update(deleted_at=source.deleted_at)


@transaction.atomic
def restore(source: Source) -> None:
    """Bring back what went with the source; what a person had deleted before stays deleted."""
    lock_insights(source.project_id)
    mentions = Mention.objects.filter(source=source, deleted_at=source.deleted_at)
    insights = list(mentions.values_list("insight", flat=True).distinct())
    with counts.rebuilt(source.project_id, insights):
        mentions.update(deleted_at=None)


@transaction.atomic
def purge(source: Source) -> None:
    """Remove the mentions, and the insights of which nothing is left."""
    lock_insights(source.project_id)
    insights = list(Mention.objects.filter(source=source).values_list("insight", flat=True).distinct())
    with counts.rebuilt(source.project_id, insights):
        Mention.objects.filter(source=source).delete()
    Insight.objects.filter(pk__in=insights, mentions=None, merged=None).delete()


def forget_items(project_id: int, item_ids: Sequence[int]) -> None:
    """Remove the mentions of items that no longer count."""
    _forget(project_id, Q(item__in=item_ids))


def forget_parts(project_id: int, part_ids: Sequence[int]) -> None:
    """Remove the mentions that stand in parts which are about to go."""
    _forget(project_id, Q(part__in=part_ids))


def _forget(project_id: int, which: Q) -> None:
    lock_insights(project_id)
    mentions = list(Mention.objects.filter(which))
    with counts.kept(project_id, [counts.Touch.of(mention) for mention in mentions if mention.deleted_at is None]):
        Mention.objects.filter(pk__in=[mention.pk for mention in mentions]).delete()


EFFECT = Effect(preview, hide, restore, purge)
