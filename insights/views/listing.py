"""The list of insights, its export, and the progress of what is still being read."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from insights.forms import Chosen, PeriodForm
from insights.listing import (
    Highlight,
    Listed,
    Page,
    highlights,
    list_insights,
)
from insights.models import Insight, Mention
from insights.quotes import Quote, best_quotes, verify_newest
from insights.trends import sources_of, sparklines
from insights.views.evidence import verified
from insights.views.exports import csv_answer, insight_rows
from insights.views.query import (
    ORDER_WORDS,
    PERIOD_PARAMETERS,
    PERIODS,
    TABS,
    ListQuery,
    steps,
    write_place,
)
from insights.visits import last_look
from projects.members import members
from projects.models import Project
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from sources.models import Source

PAGE_SIZE = 50
LOOKED_AT = 25  # doubtful mentions shown at once
FILTER_FIELDS = ("kind", "status", "area", "source", "source_type", "sentiment", "language")
HIGHLIGHT_WORDS = {
    "rising": ("trending-up", "Rising most"),
    "bug": ("bug", "Most reported bug"),
    "loved": ("heart", "Most loved"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """An insight as the list shows it; `edit` says what of it is being edited, `edit_url` lacks what to edit."""

    listed: Listed
    url: str
    weeks: list[int]
    source_types: list[str]
    quote: Quote | None
    change: int | None
    edit: str
    edit_url: str


@require_GET
@project_page()
def insight_list(request: ProjectRequest) -> HttpResponse:
    """Show the insights of a project, or why there are none."""
    query = ListQuery(request.project, request.GET, last_look(request))
    page = list_insights(
        request.project,
        query.period.within,
        query.filters,
        ordering=query.ordering,
        limit=PAGE_SIZE,
        after=query.after,
        before=query.before,
    )
    context = _frame(request, query, page)
    if query.tab == "look":
        return render(request, "insights/look.html", context | _to_look_at(request))
    context |= {"page": page, "rows": _rows(request, query, page)}
    if page.rows:
        context |= {"highlights": _highlights(query, page), "pager": _pager(query, page)}
    else:
        context |= {"nothing": _nothing(query)}
    return render(request, "insights/list.html", context)


def _frame(request: ProjectRequest, query: ListQuery, page: Page) -> dict[str, Any]:
    """Return what every tab shows around its rows."""
    sources = Source.objects.listed().filter(project=request.project)
    accounting = sources.accounting()
    return {
        "page_title": "Insights",
        "sees_people": request.sees_people,
        "may_edit": Permission.EDIT_INSIGHTS in request.permissions,
        "may_add_sources": Permission.MANAGE_SOURCES in request.permissions,
        "query": query,
        "period": query.period,
        "periods": [(query.url(days=days), words, query.period.name == days) for days, words in PERIODS.items()],
        "period_form": PeriodForm(query.period.within),
        "period_hidden": query.hidden(*PERIOD_PARAMETERS),
        "since_url": query.url(since="visit" if query.period.name != "visit" else None),
        "steps": {name: query.url(**changes) for name, changes in steps(query.period).items()},
        "orders": [(query.url(ordering=key), words, query.ordering == key) for key, words in ORDER_WORDS.items()],
        "order_word": ORDER_WORDS[query.ordering],
        "density_url": query.url(density=None if query.is_dense else "compact"),
        "chips": _chips(query),
        "clear_url": _clear_url(query),
        "filter_hidden": query.hidden(*FILTER_FIELDS),
        "search_hidden": query.hidden("q"),
        "tabs": _tabs(request.project, query, page),
        "accounting": accounting,
        "verification": verify_newest(request.project),
        "has_sources": bool(query.vocabulary.sources),
        "has_insights": bool(query.vocabulary.insights),
        "progress": progress_of(request.project, accounting),
        "first_poll_url": reverse("insight_progress", args=[request.project.slug]) + "?until=first",
        "statuses": Insight.Status.values,
        "page_url": query.editing_url(),
        "members": members(request.project) if query.data.get("edit") == "owner" else [],
    }


def _chips(query: ListQuery) -> list[dict[str, str]]:
    chips = [
        {"name": each.name, "value": each.value, "remove_url": query.url_without(each.parameter, each.raw)}
        for each in query.form.chosen
    ]
    if query.form.hides_archived:
        words = f"{query.vocabulary.archived:,} archived"
        everything = query.data.copy()
        everything.setlist("status", Insight.Status.values)
        chips.append({"name": "Left out", "value": words, "remove_url": f"?{everything.urlencode()}"})
    return chips


def _tabs(project: Project, query: ListQuery, page: Page) -> list[dict[str, Any]]:
    counts = page.tallies | {"look": Mention.objects.filter(project=project).to_look_at().count()}
    return [
        {
            "label": word,
            "url": query.url(tab=tab or None),
            "active": query.tab == tab,
            "count": counts[tab],
        }
        for tab, word in TABS.items()
        if query.period.compares or tab in ("", "look")
    ]


def _rows(request: ProjectRequest, query: ListQuery, page: Page) -> list[Row]:
    insights = [row.insight for row in page.rows]
    within = query.period.within
    lines = sparklines(request.project, insights, within.end_day)
    quotes = best_quotes(request.project, insights, within.end)
    types = _source_types(query, insights)
    editing = query.editing_url()
    edited, edit = query.data.get("row"), query.data.get("edit", "")
    return [
        Row(
            listed=row,
            url=reverse("insight_detail", args=[request.project.slug, row.insight.pk]) + query.carried,
            weeks=lines[row.insight.pk],
            source_types=types.get(row.insight.pk, []),
            quote=quotes.get(row.insight.pk),
            change=row.counts.change if query.period.compares else None,
            edit=edit if str(row.insight.pk) == edited else "",
            edit_url=f"{editing}row={row.insight.pk}&edit=",
        )
        for row in page.rows
    ]


def _source_types(query: ListQuery, insights: list[Insight]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {}
    for insight_id, source_id in sources_of(insights, query.period.within):
        source = query.vocabulary.sources.get(str(source_id))
        types = found.setdefault(insight_id, [])
        if source and source.type not in types:
            types.append(source.type)
    return found


def _pager(query: ListQuery, page: Page) -> dict[str, Any]:
    following, previous = write_place(page.next), write_place(page.previous)
    return {
        "shown": len(page.rows),
        "total": page.total,
        "next_url": query.url(after=following) if following else None,
        "previous_url": query.url(before=previous) if previous else None,
    }


def _highlights(query: ListQuery, page: Page) -> list[dict[str, Any]]:
    if query.tab or query.after or query.before:
        return []
    return [_said(query, each) for each in highlights(query.project, query.period.within, query.form.filters)]


def _said(query: ListQuery, highlight: Highlight) -> dict[str, Any]:
    icon, words = HIGHLIGHT_WORDS[highlight.name]
    url = reverse("insight_detail", args=[query.project.slug, highlight.insight.pk]) + query.carried
    return {
        "icon": icon,
        "words": words,
        "insight": highlight.insight,
        "counts": highlight.counts,
        "change": highlight.counts.change if query.period.compares else None,
        "url": url,
    }


def _nothing(query: ListQuery) -> dict[str, Any]:
    """Say why the list is empty, and the way out: the filter to drop, or the last time that something was said."""
    chosen = query.form.chosen
    if chosen:
        drop, total = _filter_to_drop(query, chosen)
        return {"why": "filters", "chosen": chosen, "drop": drop, "total": total, "clear_url": _clear_url(query)}
    if query.tab:
        return {"why": "tab", "tab": TABS[query.tab].lower(), "url": query.url(tab=None)}
    last_heard = Insight.objects.live().filter(project=query.project).aggregate(last=Max("last_seen"))["last"]
    return {"why": "quiet", "last_heard": last_heard, "url": query.url(days="all")}


def _filter_to_drop(query: ListQuery, chosen: list[Chosen]) -> tuple[dict[str, str] | None, int]:
    """Return the filter without which most would be found, and how many that are."""
    best: tuple[dict[str, str] | None, int] = (None, 0)
    for each in chosen:
        url = query.url_without(each.parameter, each.raw)
        without = ListQuery(query.project, _parsed(query, each), query.last_look)
        total = list_insights(query.project, query.period.within, without.filters, limit=1).total
        if total > best[1]:
            best = ({"name": each.name, "value": each.value, "url": url}, total)
    return best


def _parsed(query: ListQuery, dropped: Chosen) -> Any:
    data = query.data.copy()
    data.setlist(dropped.parameter, [raw for raw in data.getlist(dropped.parameter) if raw != dropped.raw])
    return data


def _clear_url(query: ListQuery) -> str:
    return query.url(**dict.fromkeys((*FILTER_FIELDS, "q")))


def _to_look_at(request: ProjectRequest) -> dict[str, Any]:
    waiting = Mention.objects.filter(project=request.project).to_look_at()
    return {
        "evidence": verified(waiting.with_words().newest_first()[:LOOKED_AT]),
        "waiting": waiting.count(),
    }


def progress_of(project: Project, accounting: Any) -> dict[str, Any] | None:
    """Return how far the reading of what was received is, or None when nothing waits."""
    if not accounting.waiting:
        return None
    read = accounting.received - accounting.waiting
    return {
        "poll_url": reverse("insight_progress", args=[project.slug]),
        "done": read,
        "total": accounting.received,
        "text": f"{read:,} of {accounting.received:,} read. The first insights appear from the first item on.",
        "steps": [
            {"label": "Received", "count": accounting.received},
            {"label": "Used", "count": accounting.used},
            {"label": "Set aside", "count": accounting.set_aside},
            {"label": "Waiting", "count": accounting.waiting},
        ],
    }


@require_GET
@project_page()
def insight_progress(request: ProjectRequest) -> HttpResponse:
    """Show the progress again; once there is something else to show, have the page loaded anew."""
    accounting = Source.objects.listed().filter(project=request.project).accounting()
    progress = progress_of(request.project, accounting)
    first = request.GET.get("until") == "first"
    found = first and Insight.objects.live().filter(project=request.project, last_seen__isnull=False).exists()
    if progress is None or found:
        return HttpResponse(headers={"HX-Refresh": "true"})
    if first:
        progress["poll_url"] += "?until=first"
    return render(request, "insights/_progress.html", {"progress": progress})


@require_GET
@project_page()
def insight_export(request: ProjectRequest) -> HttpResponseBase:
    """Export the list as it stands, or only the chosen insights, with the same numbers."""
    query = ListQuery(request.project, request.GET, last_look(request))
    filters = replace(query.filters, ids=_ids(request.GET.getlist("insight")))
    rows = insight_rows(request.project, query.period.within, filters, query.ordering)
    return csv_answer(f"{request.project.slug}-insights.csv", rows)


def _ids(texts: list[str]) -> list[UUID]:
    found = []
    for text in texts[:1000]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
