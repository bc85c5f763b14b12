"""What users said of an agent's runs, and what members noted on it."""

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase, JsonResponse
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import DomainError
from projects.access import can
from projects.models import Project
from projects.roles import Permission
from review.models import Feedback
from review.querysets import FeedbackQuerySet
from review.services import counts
from review.services.agents import agent_named
from review.services.annotations import annotate_verdict, latest_annotations
from review.validation import read_body, read_query
from review.workflowai import bodies, representation
from review.workflowai.base import WorkflowAIView, person, project_for
from review.workflowai.runs import run_of


class AgentFeedback(WorkflowAIView):
    """`GET /v1/{tenant}/agents/{id}/feedback`."""

    def get(self, request: Request, tenant: str, agent: str) -> Response:
        """List what users said of all runs of an agent, the newest first."""
        named = agent_named(project_for(request, tenant, Permission.VIEW), agent)
        rows = Feedback.objects.current().filter(project=named.project, agent=named, kind=Feedback.Kind.RUN)
        return Response(_page(request, named.project, rows))


class RunFeedback(WorkflowAIView):
    """`GET /v1/{tenant}/agents/{id}/runs/{run}/feedback`."""

    def get(self, request: Request, tenant: str, agent: str, run_id: str) -> Response:
        """List what users said of one run, without what is null."""
        named = agent_named(project_for(request, tenant, Permission.VIEW), agent)
        run = run_of(named, run_id)
        rows = Feedback.objects.current().filter(project=named.project, run=run, kind=Feedback.Kind.RUN)
        page = _page(request, named.project, rows)
        return Response(page | {"items": [representation.given(item) for item in page["items"]]})


class Annotate(WorkflowAIView):
    """`POST /v1/{tenant}/agents/{id}/feedback/{feedback}/annotate`."""

    def post(self, request: Request, tenant: str, agent: str, verdict_id: str) -> HttpResponseBase:
        """Note something on a verdict; the last note is shown."""
        named = agent_named(project_for(request, tenant, Permission.MANAGE), agent)
        rows = Feedback.objects.current().filter(project=named.project, agent=named).select_related("project")
        try:
            verdict = rows.filter(uuid=UUID(verdict_id)).first()
        except ValueError:
            verdict = None
        if verdict is None:
            raise DomainError("There is no such feedback.", code="object_not_found", status=404)
        sent = read_body(request, bodies.AnnotationDraft)
        annotate_verdict(verdict, sent.annotation, comment=sent.comment, actor=person(request))
        return JsonResponse(None, safe=False)


def _page(request: Request, project: Project, rows: FeedbackQuerySet) -> dict[str, Any]:
    asked = read_query(request, bodies.Page)
    found = list(rows.newest_first().defer("search")[asked.offset : asked.offset + asked.limit])
    notes = latest_annotations(found)
    personal = can(request.user, Permission.VIEW_PERSONAL_DATA, project)
    items = [representation.feedback(verdict, notes.get(verdict.pk), personal=personal) for verdict in found]
    return {"items": items, "count": counts.capped(rows)}
