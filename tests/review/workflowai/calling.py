"""How tests call the surface: an agent that answers questions, and the requests about it."""

import json
from typing import Any

from django.test import Client

from projects.models import Project
from review.models import AgentSchema, AgentVersion
from tests.factories import Member
from tests.model_server import Asked, Reply
from tests.review.factories import make_run_feedback

QUESTION = {"type": "object", "properties": {"question": {"type": "string"}}, "required": ["question"]}
ANSWER = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
AGENT = "support-agent"


def make_served(project: Project) -> dict[str, Any]:
    """Make an agent with a schema, a version and a run that was judged; return how an address names them."""
    verdict = make_run_feedback(project)
    assert verdict.run
    agent = verdict.run.agent
    schemas = {"input_schema": QUESTION, "output_schema": ANSWER}
    AgentSchema.objects.create(project=project, agent=agent, number=1, hash="h", **schemas)
    version = AgentVersion.objects.create(project=project, agent=agent, major=1, minor=1, hash="0" * 32, model="m")
    return {
        "tenant": "_",
        "agent": agent.slug,
        "number": 1,
        "version": version.hash,
        "run_id": verdict.run.pk,
        "verdict_id": verdict.uuid,
    }


def answering(asked: Asked) -> Reply:
    """Answer as a model that does what it is told."""
    return {"answer": "It takes two hours on average."}


def call(client: Client, member: Member, path: str, body: Any = None) -> Any:
    """Post to, or without a body get, a path under `/v1/_/`."""
    if body is None:
        return client.get(f"/v1/_/{path}", headers=member.headers)
    return client.post(f"/v1/_/{path}", body, content_type="application/json", headers=member.headers)


def register(client: Client, member: Member, slug: str = AGENT, **schemas: Any) -> dict[str, Any]:
    """Register the agent."""
    body = {"id": slug, "input_schema": QUESTION, "output_schema": ANSWER} | schemas
    answer = call(client, member, "agents", body)
    assert answer.status_code == 200, answer.content
    registered: dict[str, Any] = answer.json()
    return registered


def run(client: Client, member: Member, question: str = "How long does it take?", **fields: Any) -> Any:
    """Run the agent."""
    body = {"task_input": {"question": question}} | fields
    return call(client, member, f"agents/{AGENT}/schemas/1/run", body)


def frames(answer: Any) -> list[dict[str, Any]]:
    """Return the events of a stream."""
    text = b"".join(answer.streaming_content).decode()
    assert text.endswith("\n\n")
    return [json.loads(event.removeprefix("data: ")) for event in text.removesuffix("\n\n").split("\n\n")]
