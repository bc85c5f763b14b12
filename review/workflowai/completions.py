"""`POST /v1/chat/completions`: any OpenAI client, whose answers can then be judged."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from projects.models import Project, User
from projects.roles import Permission
from review.models import Run
from review.services import agents
from review.services.chat import ChatOrder, Part, complete, stream_completion
from review.services.runs import RunFailed
from review.services.tokens import mint_token
from review.storable import storable
from review.validation import read_body
from review.workflowai import bodies
from review.workflowai.base import OWN, WorkflowAIView, person, project_for
from review.workflowai.errors import described
from review.workflowai.streaming import event_stream, frame, waiting

DEFAULT_AGENT = "default"
# Addressed to us: the model's endpoint would not know them.
OURS = frozenset({"agent_id", "conversation_id", "metadata", "use_cache", "use_fallback", "provider", "stream"})
DONE = b"data: [DONE]\n\n"


class ChatCompletions(WorkflowAIView):
    """`POST /v1/chat/completions`."""

    def post(self, request: Request) -> HttpResponseBase:
        """Pass a chat completion on to the model, and keep it as a run of the agent that it names."""
        project = project_for(request, OWN, Permission.MANAGE)
        sent = read_body(request, bodies.ChatRequest)
        order = _order(project, sent, dict(request.data), person(request))
        if sent.stream:
            return event_stream(_frames(order, person(request)))
        with waiting():
            run, completion = complete(order, actor=person(request))
        first, *others = completion["choices"]
        return Response(_named(completion, run) | {"choices": [first | _extras(run), *others]})


def _order(project: Project, sent: bodies.ChatRequest, given: dict[str, Any], actor: User) -> ChatOrder:
    slug, model = _agent_and_model(sent)
    body = {name: storable(value) for name, value in given.items() if name not in OURS}
    body["model"] = model or settings.MODEL_NAME
    agent = agents.open_agent(project, slug, actor=actor)
    version = agents.save_version(agent, {"model": body["model"]}, actor=actor)
    return ChatOrder(agent, version, body, sent.metadata or {}, sent.conversation_id)


def _agent_and_model(sent: bodies.ChatRequest) -> tuple[str, str]:
    """Return whom a request names, as `agent/model` or in `metadata.agent_id`, and the model it wants."""
    prefix, slash, model = sent.model.partition("/")
    noted = (sent.metadata or {}).get("agent_id")
    named = sent.agent_id or (noted if isinstance(noted, str) else None)
    if named:
        return named, model if slash and prefix == named else sent.model
    return (prefix, model) if slash else (DEFAULT_AGENT, sent.model)


def _frames(order: ChatOrder, actor: User) -> Iterator[bytes]:
    asked = order.body.get("stream_options")
    wants_usage = isinstance(asked, dict) and bool(asked.get("include_usage"))
    begun = False
    with closing(stream_completion(order, actor=actor)) as parts:
        try:
            for part in parts:
                if part.chunk.get("choices") or wants_usage:
                    yield frame(_ending(part) if part.ends else _named(part.chunk, part.run))
                begun = True
            yield DONE
        except RunFailed as failure:
            if not begun:
                raise
            yield frame({"error": described(failure)["error"]})


def _ending(part: Part) -> dict[str, Any]:
    """Return the chunk that ends an answer, with what is known of the run by then."""
    first, *others = part.chunk["choices"]
    usage = {
        "prompt_tokens": part.run.input_tokens,
        "completion_tokens": part.run.output_tokens,
        "total_tokens": part.run.input_tokens + part.run.output_tokens,
    }
    return _named(part.chunk, part.run) | {"choices": [first | _extras(part.run) | {"usage": usage}, *others]}


def _named(completion: dict[str, Any], run: Run) -> dict[str, Any]:
    """Return a completion or a chunk of one under the id of its run."""
    named = completion | {"id": f"{run.agent.slug}/{run.pk}"}
    if run.version:
        named["version_id"] = run.version.hash
    return named | ({"metadata": run.metadata} if run.metadata else {})


def _extras(run: Run) -> dict[str, Any]:
    address = reverse("run_detail", args=[run.project.slug, run.pk])
    return {
        "feedback_token": mint_token(run),
        "cost_usd": float(run.cost_usd),
        "duration_seconds": run.duration_seconds,
        "url": f"{settings.SITE_URL}{address}",
    }
