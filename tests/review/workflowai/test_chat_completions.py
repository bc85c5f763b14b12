"""Chat completions of any OpenAI client go to the model unchanged, and their answers can be judged."""

import json
from typing import Any

import pytest
from django.test import Client

from insights.models import LlmCall
from review.models import Agent, AgentVersion, Run
from review.services.tokens import mint_token
from tests.factories import Member
from tests.model_server import CallTool, Fault, ModelServer
from tests.review.workflowai.calling import call

pytestmark = pytest.mark.django_db

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Call jane@example.com {x}"}]


def chat(client: Client, member: Member, **fields: Any) -> Any:
    body = {"model": "helper/gpt-4o", "messages": MESSAGES} | fields
    return client.post("/v1/chat/completions", body, content_type="application/json", headers=member.headers)


def chunks(answer: Any) -> list[dict[str, Any]]:
    events = b"".join(answer.streaming_content).decode().removesuffix("\n\n").split("\n\n")
    assert events[-1] == "data: [DONE]"
    return [json.loads(event.removeprefix("data: ")) for event in events[:-1]]


def test_a_completion_has_the_token_and_the_cost_in_its_first_choice(
    client: Client, reviewer: Member, model: ModelServer
) -> None:
    answer = chat(client, reviewer, metadata={"user_id": "u1", "tier": "gold"}, conversation_id="c1")

    run = Run.objects.get()
    body = answer.json()
    choice = body["choices"][0]
    assert answer.status_code == 200
    assert body["id"] == f"helper/{run.pk}"
    assert (body["object"], choice["message"]["content"], choice["finish_reason"]) == (
        "chat.completion", "An answer.", "stop",
    )  # fmt: skip
    assert choice["feedback_token"] == mint_token(run)
    assert (choice["cost_usd"], choice["duration_seconds"]) == (float(run.cost_usd), run.duration_seconds)
    assert choice["url"].endswith(f"/p/{reviewer.project.slug}/review/runs/{run.pk}/")
    assert body["version_id"] == run.version.hash if run.version else None
    assert body["metadata"] == {"user_id": "u1", "tier": "gold"}
    assert (run.input, run.answer, run.user_id, run.conversation_id) == (
        "Call jane@example.com {x}", "An answer.", "u1", "c1",
    )  # fmt: skip


def test_what_the_caller_wrote_is_passed_on_and_what_is_ours_is_not(
    client: Client, reviewer: Member, model: ModelServer
) -> None:
    chat(client, reviewer, temperature=0.4, seed=7, logit_bias={"50256": -100}, metadata={"a": 1}, agent_id="other")
    [asked] = model.requests
    assert asked.body == {
        "model": "helper/gpt-4o",
        "messages": MESSAGES,
        "store": False,
        "temperature": 0.4,
        "seed": 7,
        "logit_bias": {"50256": -100},
    }
    assert LlmCall.objects.get().purpose == "forward/chat"


@pytest.mark.parametrize(
    ("fields", "agent", "asked"),
    [
        ({"model": "helper/gpt-4o"}, "helper", "gpt-4o"),
        ({"model": "gpt-4o"}, "default", "gpt-4o"),
        ({"model": "gpt-4o", "metadata": {"agent_id": "noted"}}, "noted", "gpt-4o"),
        ({"model": "meta/llama", "metadata": {"agent_id": "noted"}}, "noted", "meta/llama"),
        ({"model": "noted/gpt-4o", "metadata": {"agent_id": "noted"}}, "noted", "gpt-4o"),
        ({"model": ""}, "default", "gpt-4o-mini"),
    ],
)
def test_the_agent_is_named_before_the_model_or_in_the_metadata(
    client: Client, reviewer: Member, model: ModelServer, fields: dict[str, Any], agent: str, asked: str
) -> None:
    assert chat(client, reviewer, **fields).status_code == 200
    assert Agent.objects.get().slug == agent
    assert model.requests[0].body["model"] == asked


def test_one_model_of_an_agent_is_one_version(client: Client, reviewer: Member, model: ModelServer) -> None:
    for text in ("a", "b"):
        chat(client, reviewer, messages=[{"role": "system", "content": text}, *MESSAGES])
    assert (Agent.objects.count(), AgentVersion.objects.count(), Run.objects.count()) == (1, 1, 2)


def test_a_stream_has_the_token_in_its_last_choice_alone(client: Client, reviewer: Member, model: ModelServer) -> None:
    answer = chat(client, reviewer, stream=True)
    assert answer["Content-Type"] == "text/event-stream"
    *others, last = chunks(answer)

    run = Run.objects.get()
    assert {chunk["id"] for chunk in (*others, last)} == {f"helper/{run.pk}"}
    assert "".join(chunk["choices"][0]["delta"]["content"] for chunk in others) == "An answer."
    assert all("feedback_token" not in chunk["choices"][0] for chunk in others)
    choice = last["choices"][0]
    assert (choice["finish_reason"], choice["feedback_token"]) == ("stop", mint_token(run))
    assert choice["usage"]["completion_tokens"] == run.output_tokens > 0
    assert run.answer == "An answer."


def test_a_count_of_tokens_comes_last_where_it_is_asked_for(
    client: Client, reviewer: Member, model: ModelServer
) -> None:
    *_, ending, counted = chunks(chat(client, reviewer, stream=True, stream_options={"include_usage": True}))
    assert "feedback_token" in ending["choices"][0]
    assert (counted["choices"], counted["usage"]["total_tokens"] > 0) == ([], True)


def test_calls_of_the_callers_tools_come_back_to_the_caller(
    client: Client, reviewer: Member, model: ModelServer
) -> None:
    model.model = lambda asked: CallTool((("look_up", {"id": 1}),))
    answer = chat(client, reviewer, tools=[{"type": "function", "function": {"name": "look_up"}}])
    assert answer.json()["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "look_up"
    assert (Run.objects.get().output or {})["tool_calls"]


def test_several_parts_of_a_question_are_one_text(client: Client, reviewer: Member, model: ModelServer) -> None:
    parts = [
        {"type": "text", "text": "What is"},
        {"type": "image_url", "image_url": {}},
        {"type": "text", "text": "it?"},
    ]
    chat(client, reviewer, messages=[{"role": "user", "content": parts}])
    assert Run.objects.get().input == "What is\nit?"


def test_failures_have_a_status_and_in_the_middle_of_a_stream_an_event(
    client: Client, reviewer: Member, model: ModelServer
) -> None:
    model.fail(Fault.BAD_REQUEST, Fault.BAD_REQUEST, Fault.CUT)
    for stream in (False, True):
        answer = chat(client, reviewer, stream=stream)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "failed_generation")
    model.model = lambda asked: "One two three four."
    content = b"".join(chat(client, reviewer, stream=True).streaming_content).decode()
    last = json.loads(content.removesuffix("\n\n").split("\n\n")[-1].removeprefix("data: "))
    assert last["error"]["code"] == "provider_unavailable"
    assert set(Run.objects.values_list("status", flat=True)) == {"failed"}


def test_without_a_model_the_error_says_so(client: Client, reviewer: Member, settings: Any) -> None:
    settings.OPENAI_API_KEY = settings.OPENAI_BASE_URL = None
    answer = chat(client, reviewer)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "no_provider_supporting_model")


@pytest.mark.parametrize("fields", [{"messages": []}, {"messages": "x"}, {"model": 5}, {"metadata": []}])
def test_a_body_that_does_not_fit_is_a_422(client: Client, reviewer: Member, fields: dict[str, Any]) -> None:
    assert chat(client, reviewer, **fields).status_code == 422


def test_the_run_is_listed_under_its_agent_in_its_project_alone(
    client: Client, reviewer: Member, stranger: Member, model: ModelServer
) -> None:
    chat(client, reviewer)
    assert call(client, reviewer, "agents/helper/runs").json()["count"] == 1
    assert call(client, stranger, "agents/helper/runs").status_code == 404
