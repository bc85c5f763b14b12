"""Running agents, registering runs of elsewhere, and reading both."""

from collections.abc import Iterator
from contextlib import closing
from uuid import UUID

from django.http import HttpResponseBase
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import DomainError
from projects.models import User
from projects.roles import Permission
from review.models import Agent, AgentDeployment, AgentSchema, AgentVersion, Run
from review.services import agents, counts
from review.services.agent_runs import Order, Piece, run_agent, stream_agent
from review.services.runs import Private, Registered, RunFailed, client_id, register_run
from review.validation import read_body, read_query
from review.workflowai import bodies, representation
from review.workflowai.base import WorkflowAIView, person, project_for
from review.workflowai.errors import described
from review.workflowai.streaming import event_stream, frame, waiting


class RunAgent(WorkflowAIView):
    """`POST /v1/{tenant}/agents/{id}/schemas/{n}/run`."""

    def post(self, request: Request, tenant: str, agent: str, number: int) -> HttpResponseBase:
        """Run an agent; the answer comes as a whole, or in pieces where a stream is asked for."""
        named = agents.agent_named(project_for(request, tenant, Permission.MANAGE), agent)
        schema = agents.schema_numbered(named, number)
        sent = read_body(request, bodies.RunRequest)
        order = _order(schema, sent, person(request))
        if sent.stream:
            return event_stream(_frames(order, person(request)))
        with waiting():
            run = run_agent(order, actor=person(request))
        return Response(representation.run_response(run))


class Runs(WorkflowAIView):
    """`GET` and `POST /v1/{tenant}/agents/{id}/runs`."""

    def get(self, request: Request, tenant: str, agent: str) -> Response:
        """List the runs of an agent, the newest first; from some number on they are no longer counted."""
        named = agents.agent_named(project_for(request, tenant, Permission.VIEW), agent)
        asked = read_query(request, bodies.Page)
        rows = Run.objects.filter(project=named.project, agent=named).order_by("-created_at", "-id")
        page = rows.select_related("version")[asked.offset : asked.offset + asked.limit]
        return Response({"items": [representation.listed_run(run) for run in page], "count": counts.capped(rows)})

    def post(self, request: Request, tenant: str, agent: str) -> Response:
        """Register a run that was executed elsewhere, so that its answer can be judged."""
        project = project_for(request, tenant, Permission.MANAGE)
        sent = read_body(request, bodies.RegisteredRun)
        named = agents.open_agent(project, agent, actor=person(request))
        run = register_run(named, _registered(named, sent, person(request)), actor=person(request))
        return Response(representation.listed_run(run), status=status.HTTP_201_CREATED)


class OneRun(WorkflowAIView):
    """`GET /v1/{tenant}/agents/{id}/runs/{run}`."""

    def get(self, request: Request, tenant: str, agent: str, run_id: str) -> Response:
        """Show a run."""
        named = agents.agent_named(project_for(request, tenant, Permission.VIEW), agent)
        return Response(representation.listed_run(run_of(named, run_id)))


def run_of(agent: Agent, run_id: str) -> Run:
    """Return a run of an agent. Raises DomainError."""
    rows = Run.objects.filter(project=agent.project, agent=agent).select_related("version")
    try:
        run: Run | None = rows.filter(pk=UUID(run_id)).first()
    except ValueError:
        run = None
    if run is None:
        raise DomainError("There is no such run.", code="agent_run_not_found", status=404)
    return run


def _order(schema: AgentSchema, sent: bodies.RunRequest, actor: User) -> Order:
    is_environment = sent.version in AgentDeployment.Environment.values
    return Order(
        schema=schema,
        version=_version(schema.agent, sent.version, actor, schema),
        input=sent.task_input,
        environment=str(sent.version) if is_environment else "",
        run_id=client_id(sent.id),
        cache=sent.use_cache,
        fallback=tuple(sent.use_fallback) if isinstance(sent.use_fallback, list) else (),
        metadata=sent.metadata or {},
        private=Private(sent.private_fields or frozenset()),
        conversation_id=sent.conversation_id,
        with_examples=sent.use_examples,
    )


def _registered(agent: Agent, sent: bodies.RegisteredRun, actor: User) -> Registered:
    schema = agents.schema_numbered(agent, sent.schema_id) if sent.schema_id else None
    is_environment = sent.version in AgentDeployment.Environment.values
    version = None if sent.version is None or is_environment else _version(agent, sent.version, actor)
    return Registered(
        input=sent.task_input,
        output=sent.task_output,
        external_id=sent.id,
        schema=schema,
        version=version,
        environment=str(sent.version) if is_environment else "",
        model=sent.model or (version.model if version else ""),
        metadata=sent.metadata or {},
        conversation_id=sent.conversation_id,
        duration_seconds=sent.duration_seconds,
        cost_usd=sent.cost_usd,
        created_at=sent.created_at,
    )


def _version(agent: Agent, wanted: bodies.Version, actor: User, schema: AgentSchema | None = None) -> AgentVersion:
    if isinstance(wanted, bodies.Properties):
        return agents.save_version(agent, wanted.model_dump(exclude_none=True), actor=actor)
    if schema and wanted in AgentDeployment.Environment.values:
        return agents.deployed_version(schema, str(wanted), actor=actor)
    return agents.find_version(agent, wanted)


def _frames(order: Order, actor: User) -> Iterator[bytes]:
    """Yield what a stream consists of; a failure after its beginning is a frame too."""
    begun = False
    with closing(stream_agent(order, actor=actor)) as pieces:
        try:
            for piece in pieces:
                yield frame(_written(piece))
                begun = True
        except RunFailed as failure:
            if not begun:
                raise
            # With the id of the run beside it, clients would take this for one more piece of the answer.
            yield frame({"error": described(failure)["error"]})


def _written(piece: Piece | Run) -> dict[str, object]:
    if isinstance(piece, Run):
        return representation.run_response(piece)
    return {"id": piece.run.pk, "task_output": piece.output}
