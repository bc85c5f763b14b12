"""The table: many simple verdicts at once."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from config.errors import DomainError
from projects.console import toast
from projects.models import Project
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from review import satisfaction
from review.models import Feedback
from review.queue import Filters, Place, before_place
from review.services import transitions
from review.services.counts import MOST_COUNTED, capped, list_count
from review.views.deciding import back
from review.views.query import QueueQuery, frame

PAGE_SIZE = 50
MOST_AT_ONCE = 100
Status = Feedback.Status
SHOWN = (
    "uuid", "project", "sentiment", "status", "sampled", "sample_right", "reason", "comment", "original_query",
    "original_response", "reviewed_at", "created_at", "model", "reviewed_by__name", "reviewed_by__email",
)  # fmt: skip


@require_GET
@project_page()
def review_table(request: ProjectRequest) -> HttpResponse:
    """List verdicts, the newest first, with what can be decided about many at once."""
    query = QueueQuery(request, request.GET)
    rows, place = _page(query)
    total = _total(request.project, query.filters)
    context = frame(request, "table", "Feedback table") | {
        "query": query,
        "rows": rows,
        "total": total,
        "checks": satisfaction.checks(request.project),
        "is_at_least": not query.filters.is_counted and total == MOST_COUNTED,
        "next_url": query.page_url(place),
        "first_url": query.url() if query.after else None,
    }
    return render(request, "review/table.html", context)


def _page(query: QueueQuery) -> tuple[list[Feedback], Place | None]:
    rows = query.filters.narrow(Feedback.objects.reviewable().filter(project=query.project))
    keys = before_place(rows, "created_at", query.after).newest_first().values("pk")[: PAGE_SIZE + 1]
    # Found by their keys first, so that the index alone says which rows are read.
    shown = Feedback.objects.filter(pk__in=keys).select_related("reviewed_by").only(*SHOWN)
    found = list(shown.newest_first())
    last = found[PAGE_SIZE - 1] if len(found) > PAGE_SIZE else None
    return found[:PAGE_SIZE], Place(False, last.created_at.isoformat(), last.pk) if last else None


def _total(project: Project, filters: Filters) -> int:
    """Count the rows by the counters where they know, else up to a limit."""
    if filters.is_counted:
        return list_count(project, status=filters.status or None, sentiment=filters.sentiment or None).total
    return capped(filters.narrow(Feedback.objects.reviewable().filter(project=project)))


@require_POST
@project_page(Permission.MANAGE)
def review_decide_chosen(request: ProjectRequest) -> HttpResponse:
    """Approve, dismiss or reopen the chosen verdicts, each by itself; say which somebody else had decided."""
    acts: dict[str, Callable[[Feedback], None]] = {
        "approve": lambda feedback: _approve(request, feedback),
        "dismiss": lambda feedback: transitions.dismiss_feedback(feedback, actor=request.user),
        "reopen": lambda feedback: transitions.reconsider_feedback(feedback, actor=request.user),
    }
    action = request.POST.get("action") or request.GET.get("action", "")
    if action not in acts:
        raise DomainError("Choose what to do.", code="bad_action")
    outcomes: Counter[str] = Counter()
    decided = []
    for feedback in _chosen(request):
        try:
            acts[action](feedback)
        except DomainError as refused:
            if refused.code not in ("already_processed", "answer_required"):
                raise
            outcomes[refused.code] += 1
        else:
            decided.append(feedback)
    _tell(request, action, decided, outcomes)
    return back(request, reverse("review_table", args=[request.project.slug]))


def _approve(request: ProjectRequest, feedback: Feedback) -> None:
    """Call the answer right as it is; a thumbs-down needs somebody to read it first."""
    if feedback.status == Status.AUTO_APPROVED:
        transitions.confirm_approval(feedback, actor=request.user)
    else:
        transitions.resolve_feedback(feedback, actor=request.user, overrules_dismissal=False)


def _chosen(request: ProjectRequest) -> list[Feedback]:
    """Return the verdicts that a form, or an undo, names. Raises DomainError for none or too many."""
    named = request.POST.getlist("feedback") or request.GET.getlist("feedback")
    try:
        ids = list(dict.fromkeys(UUID(text) for text in named))
    except ValueError:
        ids = []
    if not ids or len(ids) > MOST_AT_ONCE:
        raise DomainError(f"Choose 1 to {MOST_AT_ONCE} verdicts.", code="bad_choice")
    rows = Feedback.objects.visible_to(request.user).reviewable().filter(project=request.project, uuid__in=ids)
    found = list(rows.defer("search").order_by("pk"))
    for feedback in found:
        feedback.project = request.project
    return found


def _tell(request: ProjectRequest, action: str, decided: list[Feedback], outcomes: Counter[str]) -> None:
    words = {"approve": "approved", "dismiss": "dismissed", "reopen": "sent back to the queue"}[action]
    if decided:
        toast(request, f"{len(decided)} {words}.", undo_url="" if action == "reopen" else _undo_url(request, decided))
    if late := outcomes["already_processed"]:
        toast(request, f"{late} left alone: somebody decided before.", level=messages.WARNING)
    if unread := outcomes["answer_required"]:
        toast(request, f"{unread} left alone: a thumbs-down needs the right answer.", level=messages.WARNING)


def _undo_url(request: ProjectRequest, decided: list[Feedback]) -> str:
    parameters: dict[str, Any] = {"action": "reopen", "feedback": [str(feedback.uuid) for feedback in decided]}
    return reverse("review_decide_chosen", args=[request.project.slug]) + "?" + urlencode(parameters, doseq=True)
