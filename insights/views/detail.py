"""One insight: its words, numbers, trend, evidence, neighbours and history."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_GET

from insights import corrections
from insights.analyst import FAMILIES, Kind
from insights.forms import PeriodForm
from insights.listing import Counts, Filters, count_insight, list_insights
from insights.models import Correction, Insight, Mention
from insights.panels import rendered_panels
from insights.ranges import Range
from insights.trends import weekly_mentions, weekly_people
from insights.views.evidence import verified
from insights.views.exports import csv_answer, mention_rows
from insights.views.history import history_of
from insights.views.query import PERIOD_PARAMETERS, PERIODS, ListQuery, steps
from insights.visits import last_look
from projects.charts import TrendPoint
from projects.members import members
from projects.pages import ProjectRequest, project_page
from projects.pagination import decode, encode
from projects.roles import Permission

PAGE_SIZE = 20
NEIGHBOURS_READ = 40
NEIGHBOURS_SHOWN = 4
SAME = 0.45  # cosine distance up to which two insights may be one
SAME_SUBJECT = 0.6
SKEWED = 0.8
SKEW_NEEDS = 5  # people, below which one source having most of them says nothing
OPPOSITES = {
    "problem": {"praise"},
    "request": {"praise"},
    "praise": {"problem", "request"},
}
STEPPED = [status for status in Insight.Status.values if status != Insight.Status.ARCHIVED]
MENTION_FILTERS = ("source", "source_type", "sentiment", "language")


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the mentions, by source or sentiment."""

    key: str
    name: str
    people: int
    mentions: int
    share: float


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another insight with its numbers in the same range."""

    insight: Insight
    counts: Counts
    distance: float


def find_insight(request: ProjectRequest, pk: UUID) -> Insight:
    """Return an insight of the project, deleted or not. Raises Http404."""
    found = Insight.objects.visible_to(request.user).filter(project=request.project, pk=pk)
    insight: Insight | None = found.select_related("project", "owner").defer("search").first()
    if insight is None:
        raise Http404("No such insight.")
    return insight


def live_insight(request: ProjectRequest, pk: UUID) -> Insight:
    """Return an insight that is neither deleted nor merged away. Raises Http404."""
    insight = find_insight(request, pk)
    if not insight.is_live:
        raise Http404("No such insight.")
    return insight


@require_GET
@project_page()
def insight_detail(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Show an insight; what was merged leads to what it is part of now, what was deleted says so."""
    insight = find_insight(request, pk)
    if insight.merged_into_id:
        current = corrections.current(pk, request.project.pk)
        return HttpResponsePermanentRedirect(_url(request, current))
    if insight.deleted_at:
        return _deleted(request, insight)
    query = ListQuery(request.project, request.GET, last_look(request))
    filters = _mention_filters(query.filters)
    context = _frame(request, query, insight)
    context |= {"counts": count_insight(insight, query.period.within, filters)}
    context |= _evidence(request, query, insight, filters)
    context |= _numbers(query, insight, filters)
    context |= _neighbours(query, insight)
    return render(request, "insights/detail.html", context)


def _url(request: ProjectRequest, pk: UUID) -> str:
    query = request.GET.urlencode()
    return reverse("insight_detail", args=[request.project.slug, pk]) + (f"?{query}" if query else "")


def _deleted(request: ProjectRequest, insight: Insight) -> HttpResponse:
    made = Correction.objects.filter(insight=insight, act=Correction.Act.DELETE_INSIGHT, undone_at=None)
    context = {
        "page_title": "This insight was deleted",
        "deletion": made.select_related("actor").order_by("-created_at").first(),
        "may_edit": Permission.EDIT_INSIGHTS in request.permissions,
    }
    return render(request, "insights/deleted.html", context, status=404)


def _mention_filters(filters: Filters) -> Filters:
    """Keep the filters that decide which mentions count; the others only choose among insights."""
    return Filters(
        sources=filters.sources,
        source_types=filters.source_types,
        sentiment=filters.sentiment,
        language=filters.language,
    )


def _frame(request: ProjectRequest, query: ListQuery, insight: Insight) -> dict[str, Any]:
    chosen = [each for each in query.form.chosen if each.parameter in MENTION_FILTERS]
    may_edit = Permission.EDIT_INSIGHTS in request.permissions
    return {
        "page_title": insight.title,
        "sees_people": request.sees_people,
        "may_edit": may_edit,
        "insight": insight,
        "query": query,
        "period": query.period,
        "periods": [(query.url(days=days), words, query.period.name == days) for days, words in PERIODS.items()],
        "steps": {name: query.url(**changes) for name, changes in steps(query.period).items()},
        "period_form": PeriodForm(query.period.within),
        "period_query": query.period_query,
        "period_hidden": query.hidden(*PERIOD_PARAMETERS),
        "list_url": reverse("insight_list", args=[request.project.slug]) + query.carried,
        "share_url": request.build_absolute_uri(reverse("insight_detail", args=[request.project.slug, insight.pk])),
        "chips": [
            {"name": each.name, "value": each.value, "remove_url": query.url_without(each.parameter, each.raw)}
            for each in chosen
        ],
        "statuses": STEPPED,
        "step_reached": STEPPED.index(insight.status) if insight.status in STEPPED else -1,
        "edit": request.GET.get("edit", ""),
        "members": members(request.project) if may_edit else [],
        "history": history_of(insight),
        "panels": rendered_panels(request, insight),
        **_walk(query, insight),
    }


def _walk(query: ListQuery, insight: Insight) -> dict[str, str | None]:
    """Return the addresses of the insights before and after this one, in the order of the list it came from."""
    places = list_insights(
        query.project, query.period.within, replace(query.filters, insight=insight.pk), ordering=query.ordering, limit=1
    )
    if not places.rows:
        return {"previous_insight": None, "next_insight": None}
    place = places.rows[0].place
    arguments: dict[str, Any] = {"ordering": query.ordering, "limit": 1}
    following = list_insights(query.project, query.period.within, query.filters, after=place, **arguments).rows
    previous = list_insights(query.project, query.period.within, query.filters, before=place, **arguments).rows
    return {
        "previous_insight": _neighbour_url(query, previous[0].insight) if previous else None,
        "next_insight": _neighbour_url(query, following[0].insight) if following else None,
    }


def _neighbour_url(query: ListQuery, insight: Insight) -> str:
    return reverse("insight_detail", args=[query.project.slug, insight.pk]) + query.carried


def _evidence(request: ProjectRequest, query: ListQuery, insight: Insight, filters: Filters) -> dict[str, Any]:
    """Return one page of verified evidence, the newest first."""
    mentions = Mention.objects.filter(project=insight.project, insight=insight, deleted_at=None)
    rows = mentions.said_in(query.period.within).narrowed(filters).with_words().newest_first()
    if cursor := request.GET.get("after"):
        moment, row_id = decode(cursor, (datetime, int))
        rows = rows.older_than(moment, row_id)
    found = list(rows[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    evidence = verified(shown)
    last = shown[-1] if len(found) > PAGE_SIZE else None
    cursor = encode([last.created_at, last.pk]) if last else None
    return {
        "evidence": evidence,
        "unverified": len(shown) - len(evidence),
        "evidence_next": query.url(after=cursor) if cursor else None,
        "evidence_first": query.url() if request.GET.get("after") else None,
    }


def _numbers(query: ListQuery, insight: Insight, filters: Filters) -> dict[str, Any]:
    within = query.period.within
    mentions = Mention.objects.filter(project=insight.project, insight=insight).said_in(within).narrowed(filters)
    live = mentions.filter(deleted_at=None)
    measure = "mentions" if query.data.get("measure") == "mentions" else "people"
    waterfall = _waterfall(mentions)
    sources = _by_source(query, live, waterfall["people"])
    return {
        "measure": measure,
        "measures": [(query.url(measure=each), each, each == measure) for each in ("people", "mentions")],
        "points": _points(insight, within, measure),
        "waterfall": waterfall,
        "by_source": sources,
        "skew": _skew_words(query, sources),
        "by_sentiment": _by_sentiment(live),
    }


def _points(insight: Insight, within: Range, measure: str) -> list[TrendPoint]:
    weeks = (weekly_mentions if measure == "mentions" else weekly_people)(insight, within)
    today = timezone.now().astimezone(within.zone).date()
    return [TrendPoint(date_format(week, "j M"), value, open=_is_open(week, within, today)) for week, value in weeks]


def _is_open(week: date, within: Range, today: date) -> bool:
    return week + timedelta(days=7) > min(within.end_day, today + timedelta(days=1))


def _waterfall(mentions: Any) -> dict[str, int]:
    """Return how the mentions that were found come down to people."""
    live = Q(deleted_at=None)
    sums: dict[str, int] = mentions.aggregate(
        found=Count("pk"),
        deleted=Count("pk", filter=~live),
        kept=Count("pk", filter=live),
        items=Count("item", filter=live, distinct=True),
        people=Count("person", filter=live, distinct=True),
        accounts=Count("account", filter=live, distinct=True),
    )
    return sums


def _by_source(query: ListQuery, mentions: Any, people_in_all: int) -> list[Share]:
    """Return the share of the people that each source has; who spoke in two counts in both."""
    rows = mentions.values_list("source").annotate(people=Count("person", distinct=True), number=Count("pk")).order_by()
    shares = []
    for source_id, people, number in rows:
        source = query.vocabulary.sources.get(str(source_id))
        if source:
            shares.append(Share(source.type, source.name, people, number, people / (people_in_all or 1)))
    return sorted(shares, key=lambda share: -share.share)


def _skew_words(query: ListQuery, shares: list[Share]) -> str:
    """Warn where nearly all people come from one source of several: it may be a matter of that place."""
    if len(query.vocabulary.sources) < 2 or not shares:
        return ""
    first = shares[0]
    if first.share <= SKEWED or first.people < SKEW_NEEDS:
        return ""
    return f"{first.share:.0%} of these people spoke in {first.name}. Elsewhere it may look different."


def _by_sentiment(mentions: Any) -> list[Share]:
    rows = dict(mentions.values_list("sentiment").annotate(number=Count("pk")).order_by())
    total = sum(rows.values()) or 1
    named = ((1, "positive"), (0, "neutral"), (-1, "negative"))
    return [
        Share(name, name, 0, rows[sentiment], rows[sentiment] / total) for sentiment, name in named if sentiment in rows
    ]


def _neighbours(query: ListQuery, insight: Insight) -> dict[str, Any]:
    """Return what may be the same, and what is said of the same subject the other way round."""
    if insight.centroid is None:
        return {"similar": [], "also_heard": []}
    near = list(Insight.objects.live().nearest_to(insight).defer("search")[:NEIGHBOURS_READ])
    family = FAMILIES[Kind(insight.kind)]
    different = _said_different(insight)
    similar = [
        each
        for each in near
        if each.distance <= SAME and FAMILIES[Kind(each.kind)] == family and each.pk not in different
    ][:NEIGHBOURS_SHOWN]
    opposite = OPPOSITES.get(family, set())
    also = [
        each
        for each in near
        if FAMILIES[Kind(each.kind)] in opposite and (each.distance <= SAME_SUBJECT or _same_area(each, insight))
    ][:NEIGHBOURS_SHOWN]
    numbers = _counted(query, [*similar, *also])
    return {
        "similar": [Neighbour(each, numbers.get(each.pk, Counts()), each.distance) for each in similar],
        "also_heard": [Neighbour(each, numbers.get(each.pk, Counts()), each.distance) for each in also],
    }


def _same_area(one: Insight, other: Insight) -> bool:
    return bool(one.area) and one.area == other.area


def _said_different(insight: Insight) -> set[UUID]:
    pairs = Correction.objects.filter(act=Correction.Act.DIFFERENT, undone_at=None)
    pairs = pairs.filter(Q(insight=insight) | Q(other=insight))
    return {each for pair in pairs.values_list("insight", "other") for each in pair if each}


def _counted(query: ListQuery, insights: list[Insight]) -> dict[UUID, Counts]:
    if not insights:
        return {}
    filters = Filters(ids=[each.pk for each in insights])
    page = list_insights(query.project, query.period.within, filters, limit=len(insights))
    return {row.insight.pk: row.counts for row in page.rows}


@require_GET
@project_page()
def mention_export(request: ProjectRequest, pk: UUID) -> HttpResponseBase:
    """Export the evidence of an insight in the range and with the filters of its page."""
    insight = live_insight(request, pk)
    query = ListQuery(request.project, request.GET, last_look(request))
    rows = mention_rows(insight, query.period.within, _mention_filters(query.filters), sees_people=request.sees_people)
    return csv_answer(f"{request.project.slug}-{pk}.csv", rows)
