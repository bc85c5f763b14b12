"""Single pieces of evidence: the conversation around them, and putting them right."""

from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from config.errors import DomainError
from insights import corrections
from insights.models import Insight, Mention
from insights.threads import read_conversation
from insights.views.detail import live_insight
from insights.views.editing import back, tell
from insights.views.evidence import Evidence
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission

PROPOSED = 8


def _find(request: ProjectRequest, pk: int) -> Mention:
    mentions = Mention.objects.visible_to(request.user).filter(project=request.project)
    found = mentions.live().with_words().select_related("insight__project", "project").filter(pk=pk)
    mention: Mention | None = found.first()
    if mention is None:
        raise Http404("No such mention.")
    return mention


def _home(request: ProjectRequest, mention: Mention) -> str:
    return reverse("insight_detail", args=[request.project.slug, mention.insight_id])


def _is_drawer(request: ProjectRequest) -> bool:
    return request.headers.get("HX-Target") == "drawer-body"


@require_GET
@project_page()
def mention_thread(request: ProjectRequest, pk: int) -> HttpResponse:
    """Show the whole conversation that a mention stands in, with all that it is evidence for lit."""
    mention = _find(request, pk)
    context = {
        "page_title": mention.insight.title,
        "sees_people": request.sees_people,
        "evidence": Evidence(mention),
        "turns": read_conversation(mention),
        "home": _home(request, mention),
    }
    return render(request, "insights/_thread.html" if _is_drawer(request) else "insights/thread.html", context)


@require_GET
@project_page(Permission.EDIT_INSIGHTS)
def mention_move(request: ProjectRequest, pk: int) -> HttpResponse:
    """Offer insights that a mention could be moved to."""
    mention = _find(request, pk)
    context = {
        "page_title": "Move a quote",
        "sees_people": request.sees_people,
        "evidence": Evidence(mention),
        "proposed": _proposed(mention, request.GET.get("q", "")),
        "q": request.GET.get("q", ""),
        "home": _home(request, mention),
        "next": request.GET.get("next", ""),
    }
    return render(request, "insights/_move.html" if _is_drawer(request) else "insights/move.html", context)


def _proposed(mention: Mention, q: str) -> Any:
    insights = Insight.objects.live().filter(project=mention.project_id).exclude(pk=mention.insight_id)
    if words := q.replace("\x00", "").strip():
        found = insights.filter(search=SearchQuery(words, config="simple", search_type="websearch"))
        return found.order_by("-last_seen")[:PROPOSED]
    if mention.insight.centroid is None:
        return insights.order_by("-last_seen")[:PROPOSED]
    return insights.nearest_to(mention.insight)[:PROPOSED]


@require_POST
@project_page(Permission.EDIT_INSIGHTS)
def move_mention(request: ProjectRequest, pk: int) -> HttpResponse:
    """Move a mention to another insight, or make one of it under a typed name."""
    mention = _find(request, pk)
    home = _home(request, mention)
    title = request.POST.get("title", "").strip()
    if title:
        made = corrections.split_insight(mention.insight, [mention], title, actor=request.user)
    else:
        made = corrections.move_mention(mention, _target(request), actor=request.user)
    tell(request, f"Moved to “{made.insight.title}”. Later analysis leaves it there.", [made])
    return back(request, home)


def _target(request: ProjectRequest) -> Insight:
    try:
        return live_insight(request, UUID(request.POST.get("to", "")))
    except ValueError:
        raise DomainError("Choose an insight, or type a name.", code="bad_target") from None


@require_POST
@project_page(Permission.EDIT_INSIGHTS)
def delete_mention(request: ProjectRequest, pk: int) -> HttpResponse:
    """Take a mention out of its insight for good."""
    mention = _find(request, pk)
    made = corrections.delete_mention(mention, actor=request.user)
    tell(request, "Removed. Later analysis does not bring it back.", [made])
    return back(request, _home(request, mention))


@require_POST
@project_page(Permission.EDIT_INSIGHTS)
def confirm_mention(request: ProjectRequest, pk: int) -> HttpResponse:
    """Say that a doubtful mention is where it belongs."""
    mention = _find(request, pk)
    made = corrections.confirm_mention(mention, actor=request.user)
    tell(request, f"Confirmed in “{mention.insight.title}”.", [made])
    return back(request, _home(request, mention))
