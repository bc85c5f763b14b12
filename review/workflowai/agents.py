"""Agents, their versions, and which of them answers in an environment."""

from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from projects.roles import Permission
from review.models import Agent, AgentSchema, AgentVersion
from review.services import agents
from review.validation import read_body, read_query
from review.workflowai import bodies, representation
from review.workflowai.base import WorkflowAIView, person, project_for


class Agents(WorkflowAIView):
    """`GET` and `POST /v1/{tenant}/agents`."""

    def get(self, request: Request, tenant: str) -> Response:
        """List agents, the newest first."""
        project = project_for(request, tenant, Permission.VIEW)
        asked = read_query(request, bodies.Page)
        rows = Agent.objects.filter(project=project).order_by("-pk")
        page = [representation.agent(agent) for agent in rows[asked.offset : asked.offset + asked.limit]]
        return Response({"items": page, "count": rows.count()})

    def post(self, request: Request, tenant: str) -> Response:
        """Register an agent; the same schemas keep their number."""
        project = project_for(request, tenant, Permission.MANAGE)
        sent = read_body(request, bodies.AgentDraft)
        schema = agents.register_agent(
            project, sent.id, sent.input_schema, sent.output_schema, actor=person(request), name=sent.name
        )
        return Response(representation.registered_agent(schema))


class Versions(WorkflowAIView):
    """`GET /v1/{tenant}/agents/{id}/versions`."""

    def get(self, request: Request, tenant: str, agent: str) -> Response:
        """List versions, the newest first, with the environments in which each answers."""
        named = agents.agent_named(project_for(request, tenant, Permission.VIEW), agent)
        asked = read_query(request, bodies.Page)
        rows = AgentVersion.objects.filter(project=named.project, agent=named).order_by("-major", "-minor")
        page = rows.prefetch_related("deployments__schema")[asked.offset : asked.offset + asked.limit]
        return Response({"items": [_with_deployments(version) for version in page], "count": rows.count()})


class SchemaVersions(WorkflowAIView):
    """`POST /v1/{tenant}/agents/{id}/schemas/{n}/versions`."""

    def post(self, request: Request, tenant: str, agent: str, number: int) -> Response:
        """Make a version; the same properties are the same version."""
        named = agents.agent_named(project_for(request, tenant, Permission.MANAGE), agent)
        agents.schema_numbered(named, number)
        sent = read_body(request, bodies.VersionDraft)
        version = agents.save_version(named, sent.properties.model_dump(exclude_none=True), actor=person(request))
        return Response(representation.version(version), status=status.HTTP_201_CREATED)


class Deploy(WorkflowAIView):
    """`POST /v1/{tenant}/agents/{id}/versions/{version}/deploy`."""

    def post(self, request: Request, tenant: str, agent: str, version: str) -> Response:
        """Let a version answer in an environment from now on."""
        named = agents.agent_named(project_for(request, tenant, Permission.MANAGE), agent)
        known = agents.find_version(named, version)
        sent = read_body(request, bodies.Deployment)
        number = sent.schema_id or _latest_schema(named)
        deployment = agents.deploy_version(
            known, agents.schema_numbered(named, number), sent.environment, actor=person(request)
        )
        return Response(
            {
                "version_id": known.hash,
                "schema_id": number,
                "environment": deployment.environment,
                "deployed_at": deployment.deployed_at,
            }
        )


def _latest_schema(agent: Agent) -> int:
    numbers = AgentSchema.objects.filter(project=agent.project, agent=agent).order_by("-number")
    return numbers.values_list("number", flat=True).first() or 0


def _with_deployments(version: AgentVersion) -> dict[str, Any]:
    deployments = [
        {"environment": each.environment, "schema_id": each.schema.number, "deployed_at": each.deployed_at}
        for each in version.deployments.all()
    ]
    return representation.version(version) | {"created_at": version.created_at, "deployments": deployments}
