"""The queue: one verdict in the middle, what waits beside it, and what to do about it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from insights.llm.client import configured
from projects.models import Membership, Project, User
from projects.pages import ProjectRequest, project_page
from projects.roles import ROLE_PERMISSIONS, Permission
from review.diffs import word_diff
from review.forms import DISMISSALS, REASON_CHARACTERS, agent_choices, model_names, version_choices
from review.models import ApprovalStream, Feedback, FeedbackSettings, GoldenExample, ReviewDraft
from review.queue import Pace, Show, Tallies, is_held, needs_decision, pace_of
from review.reading import lit_answer, tools_used, turns_before, why_here
from review.services.settings import settings_of
from review.views.query import QueueQuery, find_feedback, frame, today_in

LISTED = 25
PACE_WEEK = timedelta(days=7)
MISSING_MODEL = "No model is set up. Set OPENAI_API_KEY, or OPENAI_BASE_URL for one of your own, to get suggestions."


@dataclass(frozen=True, slots=True)
class Row:
    """A verdict in the list beside the one in view."""

    feedback: Feedback
    url: str
    held: bool


@require_GET
@project_page()
def review_queue(request: ProjectRequest, uuid: UUID | None = None) -> HttpResponse:
    """Show the verdict that is named, or the first that waits and that nobody else has open."""
    query = QueueQuery(request, request.GET)
    rows, place = query.queue.page(query.show, limit=LISTED, after=query.after)
    feedback = find_feedback(request, uuid or _first(rows, request.user)) if uuid or rows else None
    tallies = query.queue.tallies()
    settings = settings_of(request.project)
    context = frame(request, "queue", "Review") | {
        "query": query,
        "rows": [Row(row, query.item_url(row.uuid), is_held(row, request.user)) for row in rows],
        "next_page_url": query.page_url(place),
        "parts": _parts(query, tallies),
        "stay_url": query.url(stay=None if query.stays else "yes"),
        "sort_url": query.url(sort=None if query.is_oldest_first else "oldest"),
        "guidelines": settings.guidelines,
        **alarm(request.project, settings),
        **_progress(request, tallies),
    }
    if feedback is None:
        context |= _nothing(query, tallies)
    else:
        context |= _detail(request, query, feedback) | _walk(query, rows, feedback)
    return render(request, "review/queue.html", context)


@require_GET
@project_page()
def review_filters(request: ProjectRequest) -> HttpResponse:
    """Offer what the queue, or the table, can be narrowed to."""
    query = QueueQuery(request, request.GET)
    table = request.GET.get("for") == "table"
    context = frame(request, "table" if table else "queue", "Filter feedback") | {
        "query": query,
        "agents": agent_choices(request.project),
        "versions": version_choices(request.project),
        "models": model_names(request.project),
        "target": reverse("review_table" if table else "review_queue", args=[request.project.slug]),
        "hidden": query.hidden("status", "type", "agent", "version", "model", "source", "from", "to"),
    }
    partial = request.headers.get("HX-Request")
    return render(request, "review/_filter_form.html" if partial else "review/filters.html", context)


def _first(rows: list[Feedback], user: User) -> UUID:
    """Return what comes first: the first that nobody else has open, or simply the first."""
    return next((row for row in rows if not is_held(row, user)), rows[0]).uuid


def _parts(query: QueueQuery, tallies: Tallies) -> list[dict[str, Any]]:
    words = {Show.MINE: "Needs you", Show.OTHERS: "Needs others", Show.DONE: "Done"}
    counts = {Show.MINE: tallies.mine, Show.OTHERS: tallies.others, Show.DONE: None}
    home = reverse("review_queue", args=[query.project.slug])
    return [
        {"label": word, "url": home + query.url(show=show), "active": query.show == show, "count": counts[show]}
        for show, word in words.items()
    ]


def _progress(request: ProjectRequest, tallies: Tallies) -> dict[str, Any]:
    """Return how far the reviewer is today, and how long the rest takes at their own pace."""
    if Permission.MANAGE not in request.permissions:
        return {"pace": None}
    pace: Pace = pace_of(request.project, request.user, today_in(request.project))
    left = pace.time_for(tallies.mine)
    minutes = max(1, round(left.total_seconds() / 60)) if left else None
    return {"pace": pace, "in_all": pace.today + tallies.mine, "waiting": tallies.mine, "minutes_left": minutes}


def alarm(project: Project, settings: FeedbackSettings) -> dict[str, Any]:
    """Return the streams in which approval suspended itself; nothing while all of it is suspended by hand."""
    if settings.suspended_at:
        return {"suspended": []}
    streams = ApprovalStream.objects.filter(project=project, suspended_at__isnull=False)
    return {"suspended": list(streams.select_related("tracked_agent", "version__agent").order_by("-suspended_at"))}


def _detail(request: ProjectRequest, query: QueueQuery, feedback: Feedback) -> dict[str, Any]:
    waits = needs_decision(feedback)
    may_decide = Permission.MANAGE in request.permissions
    held = waits and is_held(feedback, request.user)
    context = {
        "feedback": feedback,
        "answer": lit_answer(feedback),
        "turns": turns_before(feedback),
        "tools": tools_used(feedback),
        "reasons": why_here(feedback, request.user),
        "waits": waits,
        "held": held,
        "decides": waits and may_decide and not held,
    }
    if not waits:
        return context | _decided(feedback)
    return context | (_panel(request, feedback) if may_decide else {})


def _decided(feedback: Feedback) -> dict[str, Any]:
    """Return what came of a verdict: its golden answer, and where that differs from the original."""
    example: GoldenExample | None = getattr(feedback, "golden_example", None)
    if example is None or example.golden_response == feedback.original_response:
        return {"example": example}
    return {"example": example, "diff": word_diff(feedback.original_response or "", example.golden_response)}


def _panel(request: ProjectRequest, feedback: Feedback) -> dict[str, Any]:
    """Return what the decision panel begins with: the reviewer's draft, else the original answer."""
    draft = ReviewDraft.objects.filter(feedback=feedback, reviewer=request.user).first()
    original = feedback.original_response or ""
    suggestion = (draft.suggestion if draft else None) or ""
    return {
        "draft": draft,
        "editor": (draft.text if draft else "") or original,
        "suggestion": suggestion,
        "suggestion_diff": word_diff(original, suggestion) if suggestion else [],
        "model_missing": "" if configured() else MISSING_MODEL,
        "dismissals": DISMISSALS,
        "reason_characters": REASON_CHARACTERS,
        "reviewers": [user for user in reviewers_of(request.project) if user != request.user],
    }


def reviewers_of(project: Project) -> list[User]:
    """Return the members whose role lets them decide, by name."""
    roles = [role for role, held in ROLE_PERMISSIONS.items() if Permission.MANAGE in held]
    members = Membership.objects.filter(project=project, role__in=roles, user__is_active=True)
    return sorted((member.user for member in members.select_related("user")), key=str)


def _walk(query: QueueQuery, rows: list[Feedback], feedback: Feedback) -> dict[str, Any]:
    """Return the verdicts before and after the one in view, and where a decision leads."""
    place = next((index for index, row in enumerate(rows) if row.pk == feedback.pk), -1)
    later = rows[place + 1 :]
    following = next((row for row in later if not is_held(row, query.request.user)), None)
    return {
        "previous_url": query.item_url(rows[place - 1].uuid) if place > 0 else None,
        "next_url": query.item_url(later[0].uuid) if later else None,
        "following": following.uuid if following else "",
    }


def _nothing(query: QueueQuery, tallies: Tallies) -> dict[str, Any]:
    """Say why there is nothing to show: filters, the part, or because the queue is clear."""
    if query.form.chosen:
        return {"nothing": "filters"}
    if query.show != Show.MINE:
        return {"nothing": query.show.value}
    since = timezone.now() - PACE_WEEK
    decided = Feedback.objects.filter(project=query.project, reviewed_at__gte=since)
    goldens = GoldenExample.objects.filter(project=query.project, created_at__gte=since)
    week = decided.aggregate(reviewed=Count("pk", filter=Q(reviewable=True)))
    return {"nothing": "clear", "week": week["reviewed"], "goldens": goldens.count(), "others_wait": tallies.others}
