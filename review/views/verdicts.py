"""The list that WorkflowAI calls "User Feedbacks": every verdict, whether or not it is ever reviewed."""

from typing import Any
from uuid import UUID

from django.db.models import Q, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from insights.models import Insight, Mention
from projects.console import toast
from projects.models import Project
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from review.models import Feedback, FeedbackCount
from review.querysets import FeedbackQuerySet
from review.reading import lit_answer
from review.record_forms import VerdictForm
from review.services.transitions import delete_feedback
from review.views.record_list import RecordList

RELATED = ("run__agent", "agent", "version", "tracked_agent", "conversation", "item")
HEAVY = ("search", "run__messages", "run__output", "run__answer", "original_response", "item__search")
COUNTED = {"outcome": "sentiment", "origin": "origin", "environment": "environment"}
WITH_WORDS = ~Q(comment=None, reason=None) & ~Q(comment="", reason=None) & ~Q(comment=None, reason="")


@require_GET
@project_page()
def verdict_list(request: ProjectRequest) -> HttpResponse:
    """List verdicts, the newest first; what a user has judged anew is shown on the verdict that took its place."""
    form = VerdictForm(request.project, request.GET, sees_people=request.sees_people)
    rows = Feedback.objects.visible_to(request.user).current().filter(project=request.project)
    rows = _narrowed(rows, form).select_related(*RELATED).defer(*HEAVY)
    listed = RecordList(request, form, rows, "created_at", total=_counted(request.project, form))
    context = listed.context("verdicts", "User feedbacks")
    context["rows"] = [(row, row.asked) for row in context["rows"]]
    return render(request, "review/verdicts.html", context)


def _counted(project: Project, form: VerdictForm) -> int | None:
    """Return how many verdicts the filters leave, if the counters tell them apart."""
    agent = form.agent_fields
    if "agent" in agent or {name for name, _ in form.carried} - {*COUNTED, "agent"}:
        return None
    counted = FeedbackCount.objects.filter(project=project, **_equal(form, COUNTED), **agent)
    return counted.aggregate(sum=Sum("verdicts"))["sum"] or 0


def _equal(form: VerdictForm, fields: dict[str, str]) -> dict[str, Any]:
    return {field: form.value(name) for name, field in fields.items() if form.value(name)}


def _narrowed(rows: FeedbackQuerySet, form: VerdictForm) -> FeedbackQuerySet:
    if user := form.value("user"):
        rows = rows.filter(Q(external_user_id=user) | Q(user_email__iexact=user))
    if words := form.value("words"):
        rows = rows.filter(WITH_WORDS) if words == "yes" else rows.exclude(WITH_WORDS)
    if text := form.value("q"):
        rows = rows.matching(text)
    equal = _equal(form, {**COUNTED, "channel": "channel"})
    return rows.filter(**equal, **form.agent_fields, **form.days("created_at"))


@require_GET
@project_page()
def verdict(request: ProjectRequest, uuid: UUID) -> HttpResponse:
    """Show a verdict with what was judged, what became of its words, and what its user said before."""
    feedback = _find(request, uuid)
    context = {
        "page_title": f"{feedback.get_sentiment_display()} verdict",
        "tab": "verdicts",
        "sees_people": request.sees_people,
        "may_decide": Permission.MANAGE in request.permissions,
        "feedback": feedback,
        "answer": lit_answer(feedback),
        "insights": _insights(feedback),
        "earlier": _others_of_user(feedback).exclude(pk=feedback.pk),
    }
    return render(request, "review/verdict.html", context)


@require_POST
@project_page(Permission.MANAGE)
def verdict_delete(request: ProjectRequest, uuid: UUID) -> HttpResponse:
    """Remove a verdict for good, with its words and its golden example."""
    delete_feedback(_find(request, uuid), actor=request.user)
    toast(request, "The verdict is deleted.")
    return redirect("verdict_list", request.project.slug)


def _find(request: ProjectRequest, uuid: UUID) -> Feedback:
    rows = Feedback.objects.visible_to(request.user).filter(project=request.project, uuid=uuid)
    related = (*RELATED, "message", "golden_example", "reviewed_by", "project")
    heavy = ("search", "run__messages", "run__output", "golden_example__search", "golden_example__vector")
    feedback: Feedback | None = rows.select_related(*related).defer(*heavy).first()
    if feedback is None:
        raise Http404("No such feedback.")
    return feedback


def _insights(feedback: Feedback) -> list[Insight]:
    said = Mention.objects.live().filter(project=feedback.project_id, item=feedback.item_id)
    return list(Insight.objects.live().filter(pk__in=said.values("insight")).defer("centroid", "search"))


def _others_of_user(feedback: Feedback) -> FeedbackQuerySet:
    if feedback.kind != Feedback.Kind.RUN:
        return Feedback.objects.none()
    rows = Feedback.objects.filter(
        project=feedback.project_id, run=feedback.run_id, external_user_id=feedback.external_user_id
    )
    return rows.newest_first().defer("search", "original_response", "original_query")
