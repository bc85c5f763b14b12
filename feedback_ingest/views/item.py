"""One item: its whole conversation, what became of it, and its neighbours in the list."""

import json
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from feedback_ingest.forms import language_word
from feedback_ingest.highlights import highlights_of
from feedback_ingest.models import ConversationPart, FeedbackItem
from feedback_ingest.services import items as services
from feedback_ingest.threads import Turn, read_thread
from feedback_ingest.views.listing import SENTIMENT_WORDS, first_line
from feedback_ingest.views.query import ACTS, Act, ListQuery, place_of
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission

TITLE = 80  # characters of the title of a page
State = FeedbackItem.State
Inbox = FeedbackItem.Inbox
# Why an item is set aside, in a sentence.
REASONS: dict[str, str] = {
    FeedbackItem.SetAside.EMPTY: "No customer says anything in it: only staff or a bot speaks, or there is no text.",
    FeedbackItem.SetAside.LOW_SIGNAL: "It only greets or thanks, or says what the analysis does not know.",
    FeedbackItem.SetAside.GIBBERISH: "It is not readable as language.",
    FeedbackItem.SetAside.FAILED: "It was tried three times. Retry once the cause is mended.",
    FeedbackItem.SetAside.BY_HAND: "Somebody set it aside.",
    FeedbackItem.SetAside.NOT_WANTED: "It says only what somebody deleted from the insights.",
}


def find_item(request: ProjectRequest, pk: int) -> FeedbackItem:
    """Return an item of the project. Raises Http404, also where its source is deleted."""
    items = FeedbackItem.objects.visible_to(request.user).filter(project=request.project).listed()
    found = items.select_related("project", "source", "person__account").defer("search").filter(pk=pk).first()
    if found is None:
        raise Http404("No such feedback.")
    item: FeedbackItem = found
    return item


@require_GET
@project_page()
def item_page(request: ProjectRequest, pk: int) -> HttpResponse:
    """Show an item; it is read from then on, if the visitor may edit."""
    item, query = find_item(request, pk), ListQuery(request)
    if item.inbox == Inbox.UNREAD and Permission.EDIT_INSIGHTS in request.permissions:
        services.mark_read(item)
        item.inbox = Inbox.READ
    turns = read_thread(item, highlights_of(item))
    context = {
        "page_title": _title(item, turns),
        "sees_people": request.sees_people,
        "item": item,
        "turns": turns,
        "reason": REASONS.get(item.set_aside_reason or "", ""),
        "original": item.url if (item.url or "").startswith(("https://", "http://")) else "",
        "sentiment": SENTIMENT_WORDS.get(item.sentiment, "") if item.sentiment is not None else "",
        "language": language_word(item.language) if item.language else "",
        "details": _details(item),
        "acts": [act for act in _acts(item) if act.permission in request.permissions],
        "may_rule": Permission.EDIT_INSIGHTS in request.permissions,
        "roles": ConversationPart.Role.choices,
        "list_url": reverse("feedback_list", args=[request.project.slug]) + query.carried,
        **_neighbours(query, item),
    }
    return render(request, "feedback/item.html", context)


def _title(item: FeedbackItem, turns: list[Turn]) -> str:
    """Return the first line of what was said first."""
    words = item.body or next((segment.text for turn in turns for segment in turn.segments), "")
    return first_line(words, TITLE) or "Feedback without words"


def _details(item: FeedbackItem) -> list[tuple[str, str]]:
    """Return what was sent with an item, as names and texts."""
    details: dict[str, Any] = item.metadata or {}
    return [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in details.items()
    ]


def _acts(item: FeedbackItem) -> list[Act]:
    """Return what can be done with an item as it stands, the most likely first."""
    moved = {
        Inbox.UNREAD: ("archived", "read"),
        Inbox.READ: ("archived", "unread"),
        Inbox.ARCHIVED: ("unread",),
    }[Inbox(item.inbox)]
    if item.state != State.SET_ASIDE:
        names = (*moved, "set_aside")
    elif item.set_aside_reason == FeedbackItem.SetAside.FAILED:
        names = ("retry", *moved)
    else:
        names = ("restore", *moved)
    return [ACTS[name] for name in names]


def _neighbours(query: ListQuery, item: FeedbackItem) -> dict[str, str]:
    """Return the addresses of the items beside this one in the list that it was opened from."""
    place = place_of(item)
    newer = query.items.newer_than(place).order_by("created_at", "id").values_list("pk", flat=True).first()
    older = query.items.older_than(place).newest_first().values_list("pk", flat=True).first()
    return {
        name: reverse("feedback_item", args=[query.request.project.slug, pk]) + query.carried if pk else ""
        for name, pk in (("previous_item", newer), ("next_item", older))
    }
