"""Naming insights: a provisional name at once, a better one as more is said."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from insights.analyst import Kind
from insights.local.titles import title_for
from insights.models import Insight, Mention
from projects.models import Project

OUTGROWN = 4  # how many times larger an insight takes the title of another, which is then renamed
LOCKED = 1 << 62  # the weight of a title that a person gave
NUMBERED = r" \(\d+\)$"
STATEMENTS_READ = 60  # the newest of an insight, from which it is named


class Named(NamedTuple):
    """A title, and what it is the title of."""

    kind: str
    title: str
    weight: int


def provisional(mention: Mention) -> str:
    """Name an insight from its first mention."""
    kind = Kind(mention.kind)
    return title_for(kind, [mention.statement], features=[mention.feature], language=mention.language).title


def refresh(project: Project, insight_ids: Iterable[UUID]) -> None:
    """Rename the insights that grew by half since they were named, unless a person locked the name.

    So are those that had to be numbered: the name they could not have may be free by now.
    """
    due = Q(weight__gte=F("titled_at_weight") * 1.5) | Q(title__regex=NUMBERED)
    grown = list(Insight.objects.filter(due, project=project, pk__in=list(insight_ids)).order_by("-weight", "pk"))
    if not grown:
        return
    others = Insight.objects.live().filter(project=project, weight__gt=1)
    named = {
        pk: Named(kind, title, LOCKED if "title" in locked else weight)
        for pk, kind, title, weight, locked in others.values_list("pk", "kind", "title", "weight", "locked")
    }
    for insight in grown:
        named.pop(insight.pk, None)
    _rename_all(grown, named)
    given = {(insight.kind, insight.title) for insight in grown}
    outgrown = [pk for pk, row in named.items() if (row.kind, row.title) in given and pk not in {i.pk for i in grown}]
    _rename_all(list(Insight.objects.filter(pk__in=outgrown).order_by("-weight", "pk")), named)


def _rename_all(insights: list[Insight], named: dict[UUID, Named]) -> None:
    """Rename insights, the largest first, unlike those in `named`, to which they are added."""
    evidence = _evidence(insights)
    for insight in insights:
        _rename(insight, evidence[insight.pk], named)
    Insight.objects.bulk_update(insights, ["kind", "title", "summary", "titled_at_weight"])


def _evidence(insights: list[Insight]) -> dict[UUID, list[Mention]]:
    """Return the newest mentions of each insight, in one query."""
    place = Window(RowNumber(), partition_by=F("insight"), order_by=[F("created_at").desc(), F("pk").desc()])
    rows = Mention.objects.live().filter(insight__in=insights).annotate(place=place).filter(place__lte=STATEMENTS_READ)
    found: dict[UUID, list[Mention]] = {insight.pk: [] for insight in insights}
    for mention in rows.order_by("insight", "place"):
        found[mention.insight_id].append(mention)
    return found


def _rename(insight: Insight, mentions: list[Mention], named: dict[UUID, Named]) -> None:
    insight.titled_at_weight = insight.weight
    if not mentions:
        return
    kinds = [mention.kind for mention in mentions]
    languages = [mention.language for mention in mentions]
    if "kind" not in insight.locked:
        insight.kind = max(dict.fromkeys(kinds), key=kinds.count)
    if "title" in insight.locked:
        return
    title = title_for(
        Kind(insight.kind),
        [mention.statement for mention in mentions],
        features=[mention.feature for mention in mentions],
        avoid=[
            row.title
            for pk, row in named.items()
            if pk != insight.pk and row.kind == insight.kind and row.weight * OUTGROWN > insight.weight
        ],
        # A brand is one insight in all languages.
        language=max(dict.fromkeys(languages), key=languages.count),
    )
    insight.title, insight.summary = title.title, title.summary
    named[insight.pk] = Named(insight.kind, insight.title, insight.weight)
