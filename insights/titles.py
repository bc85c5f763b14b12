"""Naming insights: a provisional name at once, a better one as more is said."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from insights.analyst import Kind
from insights.local.titles import title_for
from insights.models import Insight, Mention
from projects.models import Project

STATEMENTS_READ = 60  # the newest of an insight, from which it is named


def provisional(mention: Mention) -> str:
    """Name an insight from its first mention."""
    kind = Kind(mention.kind)
    return title_for(kind, [mention.statement], features=[mention.feature], language=mention.language).title


def refresh(project: Project, insight_ids: Iterable[UUID]) -> None:
    """Rename the insights that grew by half since they were named, unless a person locked the name."""
    grown = list(
        Insight.objects.filter(
            Q(weight__gte=F("titled_at_weight") * 1.5), project=project, pk__in=list(insight_ids)
        ).order_by("pk")
    )
    if not grown:
        return
    evidence = _evidence(grown)
    taken: defaultdict[str, dict[UUID, str]] = defaultdict(dict)
    live = Insight.objects.live().filter(project=project, weight__gt=1)
    for pk, kind, title in live.values_list("pk", "kind", "title"):
        taken[kind][pk] = title
    for insight in grown:
        _rename(insight, evidence[insight.pk], taken)
    Insight.objects.bulk_update(grown, ["kind", "title", "summary", "titled_at_weight"])


def _evidence(insights: list[Insight]) -> dict[UUID, list[Mention]]:
    """Return the newest mentions of each insight, in one query."""
    place = Window(RowNumber(), partition_by=F("insight"), order_by=[F("created_at").desc(), F("pk").desc()])
    rows = Mention.objects.live().filter(insight__in=insights).annotate(place=place).filter(place__lte=STATEMENTS_READ)
    found: dict[UUID, list[Mention]] = {insight.pk: [] for insight in insights}
    for mention in rows.order_by("insight", "place"):
        found[mention.insight_id].append(mention)
    return found


def _rename(insight: Insight, mentions: list[Mention], taken: dict[str, dict[UUID, str]]) -> None:
    insight.titled_at_weight = insight.weight
    if not mentions:
        return
    kinds = [mention.kind for mention in mentions]
    languages = [mention.language for mention in mentions]
    if "kind" not in insight.locked:
        insight.kind = max(dict.fromkeys(kinds), key=kinds.count)
    if "title" in insight.locked:
        return
    named = title_for(
        Kind(insight.kind),
        [mention.statement for mention in mentions],
        features=[mention.feature for mention in mentions],
        avoid=[title for pk, title in taken[insight.kind].items() if pk != insight.pk],
        # A brand is one insight in all languages.
        language=max(dict.fromkeys(languages), key=languages.count),
    )
    insight.title, insight.summary = named.title, named.summary
    taken[insight.kind][insight.pk] = named.title
