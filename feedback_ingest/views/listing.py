"""The list of feedback."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from feedback_ingest.forms import language_word
from feedback_ingest.highlights import tallies_of
from feedback_ingest.models import ConversationPart, FeedbackItem
from feedback_ingest.views import nothing
from feedback_ingest.views.query import ACTS, FILTER_PARAMETERS, TABS, ListQuery, Tab, place_of, write_place
from projects.api import CAPPED_AT, SEARCH_CAPPED_AT
from projects.pages import ProjectRequest, project_page
from sources.querysets import Accounting

PAGE_SIZE = 50
WORDS = 200  # characters of a row
SENTIMENT_WORDS = {-1: "negative", 0: "neutral", 1: "positive"}

FIGURES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("received", "received", {}),
    ("used", "used", {"state": "used"}),
    ("set aside", "set_aside", {"tab": "set_aside"}),
    ("waiting", "waiting", {"tab": "waiting"}),
)


@dataclass(frozen=True, slots=True)
class Row:
    """An item as the list shows it; `insights` is how many it speaks for."""

    item: FeedbackItem
    words: str
    url: str
    sentiment: str
    language: str
    insights: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page of items, the newest first, and whether there are newer and older ones."""

    items: list[FeedbackItem]
    has_newer: bool
    has_older: bool


@require_GET
@project_page()
def item_list(request: ProjectRequest) -> HttpResponse:
    """Show the feedback of a project, or why there is none here."""
    query = ListQuery(request)
    page = read_page(query)
    accounting = _accounting(query)
    tabs = _tabs(query, accounting)
    context = {
        "page_title": "Feedback",
        "sees_people": request.sees_people,
        "query": query,
        "acts": [ACTS[act] for act in query.acts],
        "tabs": tabs,
        "rows": _rows(query, page.items),
        "pager": _pager(query, page, next(tab for tab in tabs if tab["active"])),
        "chips": _chips(query),
        "search_hidden": query.hidden("q"),
        "filter_hidden": query.hidden(*(set(FILTER_PARAMETERS) - {"q", "person", "state"})),
        "accounting": _sum(query, accounting),
        "has_feedback": bool(accounting.received) or bool(query.form.chosen),
    }
    if not page.items:
        context["nothing"] = nothing.explain(query, accounting)
    return render(request, "feedback/list.html", context)


def read_page(query: ListQuery) -> Page:
    """Read the page that the address names."""
    rows = query.items.select_related("source", "person").defer("search")
    if query.before:
        found = list(rows.newer_than(query.before).order_by("created_at", "id")[: PAGE_SIZE + 1])
        return Page(found[:PAGE_SIZE][::-1], has_newer=len(found) > PAGE_SIZE, has_older=True)
    if query.after:
        rows = rows.older_than(query.after)
    found = list(rows.newest_first()[: PAGE_SIZE + 1])
    return Page(found[:PAGE_SIZE], has_newer=query.after is not None, has_older=len(found) > PAGE_SIZE)


def _rows(query: ListQuery, items: list[FeedbackItem]) -> list[Row]:
    said = _first_words([item.pk for item in items if not (item.body or "").strip()])
    tallies = tallies_of([item.pk for item in items])
    return [
        Row(
            item=item,
            words=first_line(item.body or "") or said.get(item.pk, ""),
            url=reverse("feedback_item", args=[query.request.project.slug, item.pk]) + query.carried,
            sentiment=SENTIMENT_WORDS.get(item.sentiment, "") if item.sentiment is not None else "",
            language=language_word(item.language) if item.language else "",
            insights=tallies[item.pk],
        )
        for item in items
    ]


def _first_words(ids: Sequence[int]) -> dict[int, str]:
    """Return what a customer said first, or else anybody, in items that are only conversations."""
    if not ids:
        return {}
    parts = ConversationPart.objects.filter(item__in=ids).distinct("item")
    ordered = parts.order_by("item", F("role").desc(nulls_last=True), "created_at", "pk")  # customer, bot, agent
    return {item: first_line(body) for item, body in ordered.values_list("item", "body")}


def first_line(text: str, length: int = WORDS) -> str:
    """Return the first line that has words, cut to `length` characters."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= length else line[:length].rstrip() + "…"


def _accounting(query: ListQuery) -> Accounting:
    """Add up the counters of the project, or of the source that is filtered by."""
    chosen = query.form.parameters.get("source")
    sources = [source for key, source in query.vocabulary.sources.items() if chosen in (None, key)]
    counts = [source.count for source in sources]
    return Accounting(
        used=sum(count.used for count in counts),
        set_aside=sum(count.set_aside for count in counts),
        waiting=sum(count.waiting for count in counts),
    )


def _tabs(query: ListQuery, accounting: Accounting) -> list[dict[str, Any]]:
    """Return the tabs, counted: all of them where counters and short walks answer, else the one in view."""
    shown: list[dict[str, Any]] = []
    for name, tab in TABS.items():
        active = name == query.name
        count, is_at_least = _count(query, tab, accounting) if query.is_counted or active else (None, False)
        url = query.url(tab=name or None)
        shown.append({"label": tab.label, "url": url, "active": active, "count": count, "is_at_least": is_at_least})
    return shown


def _count(query: ListQuery, tab: Tab, accounting: Accounting) -> tuple[int, bool]:
    """Return the size of a tab, and whether it is only known to be larger."""
    if query.is_counted and tab.kept_count:
        return getattr(accounting, tab.kept_count), False
    cap = SEARCH_CAPPED_AT if query.form.parameters.get("q") else CAPPED_AT
    counted = tab.narrow(query.filtered).order_by().values("pk")[: cap + 1].count()
    return min(counted, cap), counted > cap


def _pager(query: ListQuery, page: Page, tab: dict[str, Any]) -> dict[str, Any]:
    newer = query.url(before=write_place(place_of(page.items[0]))) if page.items and page.has_newer else None
    older = query.url(after=write_place(place_of(page.items[-1]))) if page.items and page.has_older else None
    note = "or more" if tab["is_at_least"] else ""
    return {
        "shown": len(page.items),
        "total": tab["count"],
        "note": note,
        "previous_url": newer,
        "next_url": older,
    }


def _chips(query: ListQuery) -> list[dict[str, str]]:
    return [
        {"name": each.name, "value": each.value, "remove_url": query.url(**{each.parameter: None})}
        for each in query.form.chosen
    ]


def _sum(query: ListQuery, accounting: Accounting) -> list[dict[str, Any]]:
    """Return received and the parts that sum to it, each with the address of its items."""
    source = query.form.parameters.get("source")
    kept = {"source": source} if source else {}
    return [
        {"word": word, "count": getattr(accounting, name), "url": f"?{urlencode(kept | where)}"}
        for word, name, where in FIGURES
    ]
