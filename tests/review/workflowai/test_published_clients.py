"""The published clients, unchanged, against a server on loopback: they run, stream and send feedback."""

from pathlib import Path
from typing import Any

import pytest
import requests
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from projects.roles import Role
from review.models import Feedback, Run
from tests.clients.environments import node_folder_of, python_of
from tests.clients.scripts import run_node, run_python
from tests.factories import Member, make_member, make_project
from tests.model_server import Fault, ModelServer
from tests.review.workflowai.calling import AGENT, answering, call, register

pytestmark = [pytest.mark.clients, pytest.mark.django_db(transaction=True)]

EXPECTED = "It takes two hours on average."
# What the document prints around its samples: an agent with its input.
PYTHON_AGENT = """
import asyncio, json
import workflowai
from pydantic import BaseModel

class MyAgentInput(BaseModel):
    question: str = "How long does it take?"

class MyAgentOutput(BaseModel):
    answer: str = ""

@workflowai.agent(id="support-agent")
async def my_agent(given: MyAgentInput) -> MyAgentOutput: ...

def show(value): print("\\n" + json.dumps(value))
"""
PYTHON_RUN = """
async def main():
    run = await my_agent.run(MyAgentInput())
    print(run.feedback_token)
    chunks = []
    async for chunk in my_agent.stream(MyAgentInput(question="And in winter?")):
        chunks.append([chunk.output.answer, chunk.feedback_token])
    print(chunk.feedback_token)
    await workflowai.send_feedback(feedback_token=run.feedback_token, outcome="positive", comment="Thanks", user_id="u")
    await workflowai.send_feedback(feedback_token=run.feedback_token, outcome="negative", comment=None, user_id="u")
    show({"id": str(run.id), "answer": run.output.answer, "token": run.feedback_token, "cost": run.cost_usd,
          "model": run.version.properties.model, "chunks": chunks})

asyncio.run(main())
"""
PYTHON_FAILURES = """
from workflowai import WorkflowAIError

async def failure(happens):
    try:
        await happens
    except WorkflowAIError as error:
        return [error.code, error.status_code, error.message]

async def listen():
    return [chunk async for chunk in my_agent.stream(MyAgentInput())]

async def main():
    wrong = workflowai.send_feedback(feedback_token="x.y", outcome="positive")
    show([await failure(my_agent.run(MyAgentInput())), await failure(listen()), await failure(wrong)])

asyncio.run(main())
"""
NODE_RUN = """
import { WorkflowAI } from "@workflowai/workflowai";

const workflowAI = new WorkflowAI();
const myAgentFunction = workflowAI.agent({ id: "Support-Agent", schemaId: 1, version: "production" });
const input = { question: "How long does it take?" };

const { output, feedbackToken } = await myAgentFunction(input);
console.log(feedbackToken);

const { stream } = await myAgentFunction({ question: "And in winter?" }).stream();
const chunks = [];
let lastChunk;
for await (const chunk of stream) {
    lastChunk = chunk;
    chunks.push([chunk.output.answer, chunk.feedbackToken ?? null]);
}
console.log(lastChunk?.feedbackToken);

await workflowAI.sendFeedback({ feedbackToken, outcome: "positive", comment: "Thanks", userID: "u" });
await workflowAI.sendFeedback({ feedbackToken, outcome: "negative", userID: "u" });
const forged = { feedbackToken: "x.y", outcome: "positive" };
const refused = await workflowAI.sendFeedback(forged).catch((error) => error.message);
console.log(JSON.stringify({ answer: output.answer, token: feedbackToken, chunks, refused }));
"""
OPENAI_RUN = """
import json, os
from openai import OpenAI, BadRequestError

client = OpenAI(base_url=os.environ["SERVER"] + "/v1", api_key=os.environ["TOKEN"])
asked = {"model": "helper/gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
whole = client.chat.completions.create(**asked, metadata={"user_id": "u"})
chunks = list(client.chat.completions.create(**asked, stream=True))
print(json.dumps({
    "id": whole.id, "text": whole.choices[0].message.content, "token": whole.choices[0].feedback_token,
    "cost": whole.choices[0].cost_usd, "version": whole.version_id,
    "streamed": "".join(chunk.choices[0].delta.content or "" for chunk in chunks),
    "tokens": [getattr(chunk.choices[0], "feedback_token", None) for chunk in chunks],
}))
"""


@pytest.fixture
def member(db: None, model: ModelServer) -> Member:
    model.model = answering
    return make_member(make_project(), Role.REVIEWER)


def variables(server: LiveServer, member: Member) -> dict[str, str]:
    return {"WORKFLOWAI_API_URL": server.url, "WORKFLOWAI_API_KEY": member.token}


def outcome(server: LiveServer, token: str, user: str = "u") -> Any:
    """Ask as the React buttons do: over HTTP, without a key."""
    query = {"feedback_token": token, "user_id": user}
    return requests.get(f"{server.url}/v1/feedback", params=query, timeout=10).json()


def one_verdict(client: Client, member: Member) -> dict[str, Any]:
    listed = call(client, member, f"agents/{AGENT}/feedback").json()
    assert listed["count"] == 1
    [verdict] = listed["items"]
    return dict(verdict)


def test_python_runs_streams_and_changes_its_mind(
    live_server: LiveServer, client: Client, member: Member, tmp_path: Path
) -> None:
    python = python_of("workflowai-0.6.10")
    said = run_python(python, PYTHON_AGENT + PYTHON_RUN, tmp_path, **variables(live_server, member))

    assert (said["answer"], said["model"]) == (EXPECTED, "gpt-4o-mini")
    assert said["cost"] > 0
    *pieces, last = said["chunks"]
    assert all(token is None for _, token in pieces)
    assert last[0] == EXPECTED
    assert last[1] not in (None, said["token"])
    verdict = one_verdict(client, member)
    assert (verdict["outcome"], verdict["run_id"], verdict["comment"]) == ("negative", said["id"], None)
    assert outcome(live_server, said["token"]) == {"outcome": "negative"}
    assert Feedback.objects.count() == 2


def test_python_reads_our_errors(live_server: LiveServer, member: Member, model: ModelServer, tmp_path: Path) -> None:
    python = python_of("workflowai-0.6.10")
    model.model = lambda asked: {"answer": 5}
    failures = run_python(python, PYTHON_AGENT + PYTHON_FAILURES, tmp_path, **variables(live_server, member))
    run, stream, token = failures
    assert run[:2] == stream[:2] == ["invalid_generation", 400]
    assert token == ["bad_request", 400, "Invalid feedback token"]


def test_python_reads_an_error_in_the_middle_of_a_stream(
    live_server: LiveServer, member: Member, model: ModelServer, tmp_path: Path
) -> None:
    python = python_of("workflowai-0.6.10")
    model.fail_always(Fault.CUT)
    failures = run_python(python, PYTHON_AGENT + PYTHON_FAILURES, tmp_path, **variables(live_server, member))
    assert failures[1] == ["provider_unavailable", 424, "The model cannot be reached."]


def test_javascript_runs_streams_and_changes_its_mind(
    live_server: LiveServer, client: Client, member: Member, tmp_path: Path
) -> None:
    folder = node_folder_of("workflowai-js-1.6.8")
    register(client, member)
    said = run_node(folder, NODE_RUN, tmp_path, **variables(live_server, member))

    assert said["answer"] == EXPECTED
    assert said["refused"] == "Failed to send feedback"
    *pieces, last = said["chunks"]
    assert all(token is None for _, token in pieces)
    assert last[0] == EXPECTED
    assert last[1] not in (None, said["token"])
    assert one_verdict(client, member)["outcome"] == "negative"
    assert outcome(live_server, said["token"]) == {"outcome": "negative"}


def test_openai_finds_the_token_in_the_choice(
    live_server: LiveServer, member: Member, model: ModelServer, tmp_path: Path
) -> None:
    python = python_of("openai-3.52.0")
    model.model = lambda asked: "Hello to you."
    said = run_python(python, OPENAI_RUN, tmp_path, SERVER=live_server.url, TOKEN=member.token)

    run = Run.objects.earliest("created_at")
    assert (said["id"], said["text"], said["streamed"]) == (f"helper/{run.pk}", "Hello to you.", "Hello to you.")
    assert run.version
    assert (said["version"], said["cost"]) == (run.version.hash, float(run.cost_usd))
    *pieces, last = said["tokens"]
    assert (set(pieces), last is not None) == ({None}, True)
    assert outcome(live_server, said["token"]) == {"outcome": None}


def test_the_requests_of_the_document_are_answered_as_it_shows(
    live_server: LiveServer, client: Client, member: Member
) -> None:
    register(client, member, "my-agent")
    headers = {"Authorization": f"Bearer {member.token}", "Content-Type": "application/json"}
    ran = requests.post(
        f"{live_server.url}/v1/_/agents/my-agent/schemas/1/run",
        headers=headers,
        json={"task_input": {"question": "How long does it take?"}},
        timeout=30,
    ).json()
    assert ran["task_output"] == {"answer": EXPECTED}
    body = {"feedback_token": ran["feedback_token"], "outcome": "positive", "comment": "Good", "user_id": "u"}
    posted = requests.post(f"{live_server.url}/v1/feedback", json=body, timeout=30)
    assert posted.status_code == 200
    assert outcome(live_server, ran["feedback_token"]) == {"outcome": "positive"}
