"""The runs of agents: what went in, what came out, what it took, and what users said of it."""

from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from review.models import Feedback, GoldenExample, Run
from review.querysets import FeedbackQuerySet
from review.record_forms import RunForm
from review.rendering import headline
from review.rendering import render as rendered
from review.services.tokens import mint_token
from review.views.record_list import RecordList

HEAVY = ("messages", "answer", "tool_calls", "metadata", "examples")
IN_THREAD = 50


@require_GET
@project_page()
def run_list(request: ProjectRequest) -> HttpResponse:
    """List runs, the newest first."""
    form = RunForm(request.project, request.GET, sees_people=request.sees_people)
    visible = Run.objects.visible_to(request.user).filter(project=request.project)
    rows = _narrowed(visible, form).select_related("agent", "version").defer(*HEAVY)
    context = RecordList(request, form, rows, "created_at").context("runs", "Runs")
    tallies = tallies_by("run", [run.pk for run in context["rows"]])
    context["rows"] = [
        (run, headline(run.input), headline(run.output) if run.output is not None else "", tallies.get(run.pk))
        for run in context["rows"]
    ]
    return render(request, "review/runs.html", context)


def _narrowed(rows: QuerySet[Run], form: RunForm) -> QuerySet[Run]:
    wanted: dict[str, Any] = {name: form.value(name) for name in ("status", "environment") if form.value(name)}
    if user := form.value("user"):
        wanted["user_id"] = user
    given = Feedback.objects.current().filter(run=OuterRef("pk"))
    if (outcome := form.value("outcome")) == "none":
        rows = rows.filter(~Exists(given))
    elif outcome:
        rows = rows.filter(Exists(given.filter(sentiment=outcome)))
    return rows.filter(**wanted, **form.agent_fields, **form.days("created_at"))


def tallies_by(target: str, ids: list[Any]) -> dict[Any, dict[str, int]]:
    """Count the verdicts that stand on each of some runs or conversations."""
    given = Feedback.objects.current().filter(**{f"{target}__in": ids}).order_by().values(target)
    counted = given.annotate(
        positive=Count("pk", filter=Q(sentiment="positive")),
        neutral=Count("pk", filter=Q(sentiment="neutral")),
        negative=Count("pk", filter=Q(sentiment="negative")),
    )
    return {row[target]: row for row in counted}


@require_GET
@project_page()
def run(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Show one run."""
    found = Run.objects.visible_to(request.user).filter(project=request.project, pk=pk)
    run: Run | None = found.select_related("agent", "version", "schema").first()
    if run is None:
        raise Http404("No such run.")
    context = {
        "page_title": f"Run of {run.agent.name}",
        "tab": "runs",
        "sees_people": request.sees_people,
        "may_decide": Permission.MANAGE in request.permissions,
        "run": run,
        "input": rendered(run.input),
        "answer": run.answer or (rendered(run.output) if run.output is not None else ""),
        "error": rendered(run.error) if run.error else "",
        "messages_sent": [
            (str(each.get("role") or ""), rendered(each.get("content") or ""))
            for each in run.messages
            if isinstance(each, dict)
        ],
        "tool_calls": [rendered(call) for call in run.tool_calls],
        "metadata": rendered(run.metadata) if run.metadata and request.sees_people else "",
        "examples": GoldenExample.objects.filter(project=run.project_id, pk__in=run.examples).defer("vector", "search"),
        "verdicts": verdicts_on(run=run),
        "thread": [(each, headline(each.output) if each.output is not None else "") for each in _thread(run)],
        "token": mint_token(run) if run.status == Run.Status.SUCCESS else "",
    }
    return render(request, "review/run.html", context)


def verdicts_on(**target: Any) -> FeedbackQuerySet:
    """Return the verdicts that stand on something, with what a row of them shows."""
    rows = Feedback.objects.current().filter(**target).select_related("user", "version", "agent", "tracked_agent")
    return rows.defer("search", "original_response", "original_query").newest_first()


def _thread(run: Run) -> QuerySet[Run]:
    if run.conversation_id is None:
        return Run.objects.none()
    same = Run.objects.filter(project=run.project_id, conversation_id=run.conversation_id)
    return same.defer(*HEAVY).order_by("created_at")[:IN_THREAD]
