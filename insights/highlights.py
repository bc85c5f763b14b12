"""What the pages of feedback show of insights: the words that are evidence, and how many insights they speak for."""

from collections.abc import Sequence

from django.db.models import Count
from django.urls import reverse

from feedback_ingest.highlights import Highlight, Reader
from feedback_ingest.models import FeedbackItem
from insights.evidence import quote_of
from insights.models import Mention
from insights.querysets import MentionQuerySet


def _shown(ids: Sequence[int]) -> MentionQuerySet:
    mentions: MentionQuerySet = Mention.objects.live()
    return mentions.filter(item__in=ids, insight__deleted_at=None, insight__merged_into=None)


def highlights(item: FeedbackItem) -> list[Highlight]:
    """Return the verified evidence in an item."""
    mentions = _shown([item.pk]).with_words().order_by("start", "pk")
    return [
        Highlight(
            part=mention.part_id,
            start=mention.start,
            end=mention.end,
            kind=mention.insight.kind,
            title=mention.insight.title,
            url=reverse("insight_detail", args=[item.project.slug, mention.insight_id]),
        )
        for mention in mentions
        if quote_of(mention)
    ]


def tallies(ids: Sequence[int]) -> dict[int, int]:
    """Return of how many insights each item speaks."""
    rows = _shown(ids).values_list("item").annotate(number=Count("insight", distinct=True)).order_by()
    return dict(rows)


READER = Reader(highlights, tallies)
