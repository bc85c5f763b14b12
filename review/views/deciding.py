"""What reviewers do with one verdict; each act can be taken back."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_POST

from config.errors import DomainError
from projects.console import toast
from projects.models import User
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from projects.templatetags.console import ago_words
from review.diffs import word_diff
from review.forms import AnswerForm, DismissalForm, TestsForm
from review.models import Feedback
from review.queue import needs_decision, still_waiting
from review.services import holding, transitions
from review.services.preview import preview_example
from review.views.query import QueueQuery, find_feedback, frame

Status = Feedback.Status
DECIDED_WORDS = {
    Status.REVIEWED: "approved it",
    Status.DISMISSED: "dismissed it",
    Status.PENDING: "reopened it",
    Status.AUTO_APPROVED: "approved it",
}


@require_POST
@project_page(Permission.MANAGE)
def review_resolve(request: ProjectRequest, uuid: UUID) -> HttpResponse:
    """Call the answer right as it is, or save the reviewer's own as the right one."""
    feedback = find_feedback(request, uuid)
    as_is = "as_is" in request.POST
    text = "" if as_is else AnswerForm(request.POST).answer
    if not as_is and not text.strip():
        toast(request, "Write the right answer first.", level=messages.ERROR)
        return HttpResponseRedirect(_query(request).item_url(uuid))

    def act() -> str:
        return _approve(request, feedback) if as_is else _correct(request, feedback, text)

    return _decide(request, feedback, act, draft=text)


def _approve(request: ProjectRequest, feedback: Feedback) -> str:
    if feedback.status == Status.AUTO_APPROVED:
        transitions.confirm_approval(feedback, actor=request.user)
        return "Approval confirmed."
    _resolve(request, feedback, feedback.original_response or "")
    return "Saved as a golden example, as it was."


def _correct(request: ProjectRequest, feedback: Feedback, text: str) -> str:
    checks = TestsForm(request.POST).checks
    if feedback.status == Status.AUTO_APPROVED:
        transitions.correct_approval(feedback, actor=request.user, golden_response=text, checks=checks)
    else:
        _resolve(request, feedback, text, checks)
    if not checks:
        return "Saved as a golden example."
    return f"Saved as a golden example with {len(checks)} {'test' if len(checks) == 1 else 'tests'}."


def _resolve(request: ProjectRequest, feedback: Feedback, answer: str, checks: Sequence[dict[str, Any]] = ()) -> None:
    # Whoever dismissed it since the page was shown was first.
    transitions.resolve_feedback(
        feedback, actor=request.user, golden_response=answer, checks=checks, overrules_dismissal=False
    )


@require_POST
@project_page(Permission.MANAGE)
def review_dismiss(request: ProjectRequest, uuid: UUID) -> HttpResponse:
    """Set a verdict aside, with a reason or without."""
    feedback = find_feedback(request, uuid)
    reason = DismissalForm(request.POST).words

    def act() -> str:
        transitions.dismiss_feedback(feedback, actor=request.user, reason=reason)
        return "Dismissed."

    return _decide(request, feedback, act)


@require_POST
@project_page(Permission.MANAGE)
def review_reopen(request: ProjectRequest, uuid: UUID) -> HttpResponse:
    """Make a verdict pending again; an undo names the decision it takes back, and leaves a later one alone."""
    feedback = find_feedback(request, uuid)
    undone = request.GET.get("decided")
    if undone and undone != _moment(feedback):
        toast(request, f"Too late: {decision_words(feedback)}.", level=messages.ERROR)
    else:
        transitions.reconsider_feedback(feedback, actor=request.user)
        toast(request, "Undone: it waits again." if undone else "Reopened.")
    return HttpResponseRedirect(_query(request).item_url(uuid))


@require_POST
@project_page(Permission.MANAGE)
def review_assign(request: ProjectRequest, uuid: UUID) -> HttpResponse:
    """Ask another reviewer; an empty `to` gives a verdict back to everybody."""
    feedback = find_feedback(request, uuid)
    chosen = request.GET.get("to", request.POST.get("to", ""))
    if not chosen.isdecimal() and "to" not in request.GET:
        raise DomainError("Choose whom to ask.", code="nobody_chosen")
    assignee = User.objects.filter(pk=int(chosen[:18])).first() if chosen.isdecimal() else None
    before = feedback.assignee_id
    holding.assign_feedback(feedback, actor=request.user, assignee=assignee)
    if "to" in request.GET:
        toast(request, "Undone: it waits for you again.")
        return HttpResponseRedirect(_query(request).item_url(uuid))
    undo = _url("review_assign", feedback) + f"?to={before or ''}"
    toast(request, f"Given to {assignee}.", undo_url=undo)
    return _onward(request, feedback)


@require_POST
@project_page(Permission.MANAGE)
def review_skip(request: ProjectRequest, uuid: UUID) -> HttpResponse:
    """Put a verdict at the end of one's own queue, or back where it stood."""
    feedback = find_feedback(request, uuid)
    if "back" in request.GET:
        holding.unskip_feedback(feedback, actor=request.user)
        toast(request, "Back in its place.")
        return HttpResponseRedirect(_query(request).item_url(uuid))
    holding.skip_feedback(feedback, actor=request.user)
    toast(request, "Skipped: it waits at the end of your queue.", undo_url=_url("review_skip", feedback) + "?back=yes")
    return _onward(request, feedback, skipped=True)


@require_POST
@project_page(Permission.MANAGE)
def review_draft(request: ProjectRequest, uuid: UUID) -> HttpResponse:
    """Keep what the reviewer has written so far."""
    feedback = find_feedback(request, uuid)
    holding.save_draft(feedback, actor=request.user, text=AnswerForm(request.POST).answer)
    if request.headers.get("HX-Request"):
        return render(request, "review/_draft_saved.html")
    toast(request, "Draft saved.")
    return HttpResponseRedirect(_query(request).item_url(uuid))


@require_POST
@project_page(Permission.MANAGE)
def review_hold(request: ProjectRequest, uuid: UUID) -> HttpResponse:
    """Take, prolong or (with `release`) give up the soft lock; the page is drawn anew once it is another's turn."""
    feedback = find_feedback(request, uuid)
    if "release" in request.GET:
        holding.release_feedback(feedback, actor=request.user)
        return HttpResponse(status=204)
    was_held = "held" in request.GET
    is_held_now = not (needs_decision(feedback) and holding.hold_feedback(feedback, actor=request.user))
    response = render(request, "review/_hold.html", {"feedback": feedback, "held": is_held_now})
    if was_held != is_held_now or not needs_decision(feedback):
        response.headers["HX-Refresh"] = "true"
    return response


@require_POST
@project_page(Permission.MANAGE)
def review_preview(request: ProjectRequest, uuid: UUID) -> HttpResponse:
    """Show what saving would make: the changed words, the side of the split, near twins and conflicts."""
    feedback = find_feedback(request, uuid)
    text = AnswerForm(request.POST).answer
    context = frame(request, "queue", "Before it is saved") | {
        "feedback": feedback,
        "preview": preview_example(feedback, text),
        "diff": word_diff(feedback.original_response or "", text),
        "unchanged": text.split() == (feedback.original_response or "").split(),
        "back_url": _query(request).item_url(uuid),
    }
    partial = request.headers.get("HX-Request")
    return render(request, "review/_preview.html" if partial else "review/preview.html", context)


def decision_words(feedback: Feedback) -> str:
    """Say who decided a verdict, what and when."""
    who = feedback.reviewed_by or "somebody"
    when = (
        f" {ago_words(feedback.reviewed_at, datetime.now(feedback.reviewed_at.tzinfo))}" if feedback.reviewed_at else ""
    )
    return f"{who} {DECIDED_WORDS[Status(feedback.status)]}{when}"


def undo_url(feedback: Feedback) -> str:
    """Return the address that takes back the decision on a verdict, and no later one."""
    return _url("review_reopen", feedback) + "?" + urlencode({"decided": _moment(feedback)})


def back(request: ProjectRequest, fallback: str) -> HttpResponse:
    """Go where the form said it came from, if that is a page of this site."""
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(target if target.startswith("/") and is_ours else fallback)


def _decide(request: ProjectRequest, feedback: Feedback, act: Callable[[], str], *, draft: str = "") -> HttpResponse:
    """Do it and go on to the next; who comes too late is told who was first, and keeps what they wrote."""
    try:
        words = act()
    except DomainError as refused:
        if refused.code != "already_processed":
            raise
        _tell_late(request, feedback, draft)
        return _onward(request, feedback)
    toast(request, words, undo_url=undo_url(feedback))
    return _onward(request, feedback)


def _tell_late(request: ProjectRequest, feedback: Feedback, draft: str) -> None:
    first = Feedback.objects.select_related("reviewed_by").defer("search").get(pk=feedback.pk)
    kept = ""
    if draft:
        holding.save_draft(feedback, actor=request.user, text=draft)
        kept = " What you wrote is kept as your draft."
    toast(request, f"Too late: {decision_words(first)}.{kept}", level=messages.WARNING)


def _onward(request: ProjectRequest, feedback: Feedback, *, skipped: bool = False) -> HttpResponse:
    """Go to the verdict that was next when the page was shown, if it still waits; else to the queue's first."""
    query = _query(request)
    if query.stays and not skipped:
        return HttpResponseRedirect(query.item_url(feedback.uuid))
    try:
        following = UUID(request.POST.get("following", ""))
    except ValueError:
        return HttpResponseRedirect(query.queue_url())
    waits = still_waiting(request.project, request.user, following)
    return HttpResponseRedirect(query.item_url(following) if waits else query.queue_url())


def _query(request: ProjectRequest) -> QueueQuery:
    """Return the state of the queue that a form was sent from."""
    carried = request.POST.get("query") or request.POST.get("next", "").partition("?")[2]
    return QueueQuery(request, QueryDict(carried.removeprefix("?")))


def _moment(feedback: Feedback) -> str:
    return feedback.reviewed_at.isoformat() if feedback.reviewed_at else ""


def _url(name: str, feedback: Feedback) -> str:
    return reverse(name, args=[feedback.project.slug, feedback.uuid])
