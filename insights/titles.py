"""Naming insights: a provisional name at once, a better one as more is said."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import F

from insights.analyst import Kind
from insights.local.titles import title_for
from insights.models import Insight, Mention
from projects.models import Project

STATEMENTS_READ = 60  # the newest of an insight, from which it is named


def provisional(mention: Mention) -> str:
    """Name an insight from its first mention."""
    return title_for(
        Kind(mention.kind), [mention.statement], features=[mention.feature], language=mention.language
    ).title


def refresh(project: Project, insight_ids: Iterable[UUID]) -> None:
    """Rename the insights that grew by half since they were named, unless a person locked the name."""
    grown = Insight.objects.filter(
        project=project, pk__in=list(insight_ids), weight__gte=F("titled_at_weight") * 1.5 + 1
    )
    for insight in grown:
        _rename(insight)


def _rename(insight: Insight) -> None:
    mentions = list(insight.mentions.live().order_by("-created_at", "-pk")[:STATEMENTS_READ])
    if not mentions:
        return
    kinds = [mention.kind for mention in mentions]
    if "kind" not in insight.locked:
        insight.kind = max(dict.fromkeys(kinds), key=kinds.count)
    taken = list(
        Insight.objects.live()
        .filter(project=insight.project_id, kind=insight.kind)
        .exclude(pk=insight.pk)
        .values_list("title", flat=True)
    )
    named = title_for(
        Kind(insight.kind),
        [mention.statement for mention in mentions],
        features=[mention.feature for mention in mentions],
        avoid=taken,
        language=insight.language,
    )
    if "title" not in insight.locked:
        insight.title, insight.summary = named.title, named.summary
    insight.titled_at_weight = insight.weight
    insight.save(update_fields=["kind", "title", "summary", "titled_at_weight"])
