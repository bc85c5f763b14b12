"""Naming insights: a provisional name at once, a better one as more is said."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import F, Q

from insights.analyst import Kind
from insights.local.titles import title_for
from insights.models import Insight, Mention
from projects.models import Project

OUTGROWN = 4  # how many times larger an insight takes the title of another, which is then renamed
LOCKED = 1 << 62  # the weight of a title that a person gave
NUMBERED = r" \(\d+\)$"
STATEMENTS_READ = 60  # the newest of an insight, from which it is named

# Insight by insight, so that the newest are read off an index, however many there are.
NEWEST = """
SELECT mention.* FROM unnest(%(insights)s::uuid[]) WITH ORDINALITY AS named (id, place)
CROSS JOIN LATERAL (
    SELECT * FROM insights_mention
    WHERE project_id = %(project)s AND insight_id = named.id AND deleted_at IS NULL
    ORDER BY created_at DESC, id DESC LIMIT %(limit)s
) AS mention
ORDER BY named.place, mention.created_at DESC, mention.id DESC
"""

RENAME = """
UPDATE insights_insight AS insight
SET kind = row.kind, title = row.title, summary = row.summary, titled_at_weight = row.weight
FROM unnest(%(ids)s::uuid[], %(kinds)s::text[], %(titles)s::text[], %(summaries)s::text[], %(weights)s::int[])
    AS row (id, kind, title, summary, weight)
WHERE insight.id = row.id
"""


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
    _write(insights)


def _write(insights: list[Insight]) -> None:
    parameters: dict[str, Any] = {
        "ids": [insight.pk for insight in insights],
        "kinds": [str(insight.kind) for insight in insights],
        "titles": [insight.title for insight in insights],
        "summaries": [insight.summary for insight in insights],
        "weights": [insight.titled_at_weight for insight in insights],
    }
    with connection.cursor() as cursor:
        cursor.execute(RENAME, parameters)


def _evidence(insights: list[Insight]) -> dict[UUID, list[Mention]]:
    """Return the newest mentions of each insight, in one query."""
    found: dict[UUID, list[Mention]] = {insight.pk: [] for insight in insights}
    if insights:
        parameters = {"insights": list(found), "project": insights[0].project_id, "limit": STATEMENTS_READ}
        for mention in Mention.objects.raw(NEWEST, parameters):
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
