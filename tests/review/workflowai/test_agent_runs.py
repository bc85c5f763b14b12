"""Running an agent: what goes to the model, what comes back, and what is refused."""

from threading import BoundedSemaphore
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from insights.models import LlmCall
from review.models import Run
from review.services.tokens import mint_token
from tests.factories import Member
from tests.model_server import Fault, ModelServer, Trouble
from tests.review.workflowai.calling import AGENT, answering, call, register, run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def registered(client: Client, reviewer: Member, model: ModelServer) -> None:
    model.model = answering
    register(client, reviewer)


def test_a_run_is_answered_as_published_and_stored(client: Client, reviewer: Member, model: ModelServer) -> None:
    answer = run(client, reviewer, metadata={"user_id": "customer-7"}, conversation_id="chat-1")

    stored = Run.objects.get()
    body = answer.json()
    assert answer.status_code == 200
    assert body == {
        "id": str(stored.pk),
        "task_output": {"answer": "It takes two hours on average."},
        "version": {
            "id": stored.version and stored.version.hash,
            "semver": "1.1",
            "properties": {"model": "gpt-4o-mini", "temperature": 0.0},
        },
        "duration_seconds": stored.duration_seconds,
        "cost_usd": float(stored.cost_usd),
        "metadata": {"user_id": "customer-7"},
        "conversation_id": "chat-1",
        "feedback_token": mint_token(stored),
    }
    assert (stored.status, stored.environment, stored.user_id) == ("success", "production", "customer-7")
    assert stored.answer == '{\n  "answer": "It takes two hours on average."\n}'
    assert stored.input_tokens == model.requests[0].input_tokens
    assert stored.cost_usd > 0


def test_only_the_input_is_needed_and_the_agent_id_is_read_in_any_case(client: Client, reviewer: Member) -> None:
    path = f"agents/{AGENT.upper()}/schemas/1/run"
    assert call(client, reviewer, path, {"task_input": {"question": "?"}}).status_code == 200


def test_the_token_of_an_answer_takes_a_verdict_on_it(client: Client, reviewer: Member) -> None:
    token = run(client, reviewer).json()["feedback_token"]
    body = {"feedback_token": token, "outcome": "negative", "comment": "It took a day"}
    assert client.post("/v1/feedback", body, "application/json").status_code == 200
    listed = call(client, reviewer, f"agents/{AGENT}/feedback").json()
    assert (listed["count"], listed["items"][0]["comment"]) == (1, "It took a day")


def test_the_callers_words_go_to_the_model_unchanged(client: Client, reviewer: Member, model: ModelServer) -> None:
    question = "Write to jane@example.com, {x} {{y}} {% z %} %(a)s {0.__class__} </s> Zürich 👩‍👩‍👧"
    version = {"model": "their-model", "instructions": "Answer {question} as {name} would.", "temperature": 0.3}
    run(client, reviewer, question, version=version)

    [asked] = model.requests
    assert question in asked.user
    assert asked.messages[0]["content"].startswith("Answer {question} as {name} would.")
    assert (asked.body["model"], asked.body["temperature"]) == ("their-model", 0.3)
    assert asked.form == "answer"
    record = LlmCall.objects.get()
    assert (record.purpose, record.model, record.payload) == ("forward/run", "their-model", None)


def test_an_endpoint_that_knows_no_temperature_is_asked_without(
    client: Client, reviewer: Member, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("insights.llm.calls._unknown", set())
    model.fail(Fault.REFUSED_STORE)
    assert run(client, reviewer).status_code == 200
    assert "store" not in model.requests[-1].body


def test_an_input_that_does_not_fit_never_reaches_the_model(
    client: Client, reviewer: Member, model: ModelServer
) -> None:
    answer = call(client, reviewer, f"agents/{AGENT}/schemas/1/run", {"task_input": {"question": 1}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
    assert "$.question" in answer.json()["error"]["message"]
    assert (model.requests, Run.objects.count()) == ([], 0)


@pytest.mark.parametrize("said", [{"reply": "x"}, {"answer": 5}, "Two hours.", "[1]", '{"answer": "x'])
def test_an_answer_that_does_not_fit_is_an_error_that_names_the_run(
    client: Client, reviewer: Member, model: ModelServer, said: Any
) -> None:
    model.model = lambda asked: said
    answer = run(client, reviewer)
    failed = Run.objects.get()
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_generation")
    assert (answer.json()["id"], failed.status) == (str(failed.pk), "failed")
    assert failed.error == {"code": "invalid_generation", "message": answer.json()["error"]["message"]}
    assert answer.json().get("task_output") == (said if isinstance(said, dict) else None)


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault.SERVER_ERROR, 424, "provider_unavailable"),
        (Fault.DROP, 424, "provider_unavailable"),
        (Fault.BAD_REQUEST, 400, "failed_generation"),
        (Fault.REFUSAL, 400, "failed_generation"),
        (Fault.CUT_BY_LENGTH, 400, "invalid_generation"),
        (Fault.EMPTY, 400, "invalid_generation"),
    ],
)
def test_a_failure_of_the_model_has_a_code_and_none_of_its_words(
    client: Client, reviewer: Member, model: ModelServer, fault: Fault, status: int, code: str
) -> None:
    model.fail_always(fault)
    answer = run(client, reviewer)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["status_code"] == status
    assert "secret-provider-text" not in answer.content.decode()
    assert Run.objects.get().status == "failed"


def test_a_busy_model_says_when_to_come_back(client: Client, reviewer: Member, model: ModelServer) -> None:
    model.fail_always(Trouble(Fault.RATE_LIMITED, 30))
    answer = run(client, reviewer)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit")
    assert 25 <= int(answer["Retry-After"]) <= 30


def test_without_a_model_the_error_says_so(client: Client, reviewer: Member, settings: Any) -> None:
    settings.OPENAI_API_KEY = settings.OPENAI_BASE_URL = None
    for stream in (False, True):
        answer = run(client, reviewer, stream=stream)
        error = {"message": "No model is configured.", "status_code": 400, "code": "no_provider_supporting_model"}
        assert answer.status_code == 400
        assert answer.json()["error"] == error


def test_another_model_is_tried_where_the_caller_names_one(
    client: Client, reviewer: Member, model: ModelServer
) -> None:
    model.fail(Fault.BAD_REQUEST)
    answer = run(client, reviewer, use_fallback=["other-model"])
    assert answer.status_code == 200
    assert [asked.body["model"] for asked in model.requests] == ["gpt-4o-mini", "other-model"]
    assert Run.objects.get().model == "other-model"


def test_the_same_input_is_answered_without_the_model_as_a_run_of_its_own(
    client: Client, reviewer: Member, model: ModelServer
) -> None:
    first, second = run(client, reviewer).json(), run(client, reviewer).json()
    assert len(model.requests) == 1
    assert first["task_output"] == second["task_output"]
    assert first["id"] != second["id"]
    assert first["feedback_token"] != second["feedback_token"]
    assert second["cost_usd"] == 0


@pytest.mark.parametrize(
    ("fields", "calls"),
    [
        ({"use_cache": "never"}, 2),
        ({"version": {"temperature": 0.7}}, 2),
        ({"version": {"temperature": 0.7}, "use_cache": "always"}, 1),
        ({"private_fields": ["task_input"], "use_cache": "always"}, 2),
    ],
)
def test_answers_are_reused_as_the_caller_wants(
    client: Client, reviewer: Member, model: ModelServer, fields: dict[str, Any], calls: int
) -> None:
    for _ in range(2):
        run(client, reviewer, **fields)
    assert len(model.requests) == calls


def test_another_input_or_version_and_a_disliked_answer_are_not_reused(
    client: Client, reviewer: Member, model: ModelServer
) -> None:
    token = run(client, reviewer).json()["feedback_token"]
    run(client, reviewer, "Another question")
    run(client, reviewer, version={"instructions": "Be brief."})
    assert len(model.requests) == 3
    client.post("/v1/feedback", {"feedback_token": token, "outcome": "negative"}, "application/json")
    run(client, reviewer)
    assert len(model.requests) == 4


def test_what_is_private_is_answered_and_not_stored(client: Client, reviewer: Member) -> None:
    answer = run(client, reviewer, "a secret", private_fields=["task_input.question", "task_output"])
    stored = Run.objects.get()
    assert answer.json()["task_output"] == {"answer": "It takes two hours on average."}
    assert (stored.input, stored.output, stored.answer, stored.messages) == ({}, None, "", [])
    assert answer.json()["feedback_token"] == mint_token(stored)


def test_the_id_that_a_client_chooses_is_kept_unless_it_is_none_or_taken(client: Client, reviewer: Member) -> None:
    wanted = str(uuid4())
    assert run(client, reviewer, id=wanted).json()["id"] == wanted
    assert run(client, reviewer, id=wanted).json()["id"] != wanted
    assert run(client, reviewer, id="not-an-id").status_code == 200


def test_characters_that_no_database_stores_do_no_harm(client: Client, reviewer: Member, model: ModelServer) -> None:
    model.model = lambda asked: '{"answer": "a\\u0000b"}'
    path = f"/v1/_/agents/{AGENT}/schemas/1/run"
    body = b'{"task_input": {"question": "\\ud800\\u0000x"}, "metadata": {"\\u0000": "\\udfff"}}'
    answer = client.post(path, body, "application/json", headers=reviewer.headers)
    assert answer.status_code == 200
    assert Run.objects.get().output == {"answer": "ab"}
    assert Run.objects.get().input == {"question": "\ufffdx"}


def test_an_unknown_agent_schema_or_version_is_a_404(client: Client, reviewer: Member) -> None:
    body: dict[str, Any] = {"task_input": {"question": "?"}}
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("agents/nobody/schemas/1/run", {}, "agent_not_found"),
        (f"agents/{AGENT}/schemas/2/run", {}, "schema_not_found"),
        (f"agents/{AGENT}/schemas/1/run", {"version": 9}, "version_not_found"),
        (f"agents/{AGENT}/schemas/1/run", {"version": "staging"}, "version_not_found"),
        (f"agents/{AGENT}/schemas/1/run", {"version": "f" * 32}, "version_not_found"),
        (f"agents/{AGENT}/schemas/1/run", {"version": "nonsense"}, "version_not_found"),
    ]
    for path, fields, code in wrong:
        answer = call(client, reviewer, path, body | fields)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)


def test_a_body_that_does_not_fit_is_a_422_and_a_wrong_bearer_a_401(client: Client, reviewer: Member) -> None:
    assert call(client, reviewer, f"agents/{AGENT}/schemas/1/run", {"task_input": []}).status_code == 422
    answer = client.post(f"/v1/_/agents/{AGENT}/schemas/1/run", {}, headers={"Authorization": "Bearer x"})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "authentication_failed"


def test_another_projects_agent_is_not_there(client: Client, reviewer: Member, stranger: Member) -> None:
    assert run(client, stranger).status_code == 404
    own = run(client, reviewer).json()["id"]
    register(client, stranger)
    assert call(client, stranger, f"agents/{AGENT}/runs/{own}").status_code == 404
    foreign = f"/v1/{reviewer.project.slug}/agents"
    assert client.get(foreign, headers=stranger.headers).status_code == 404
    assert client.get(foreign, headers=reviewer.headers).status_code == 200


def test_only_so_many_wait_for_the_model_at_once(
    client: Client, reviewer: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = BoundedSemaphore(1)
    full.acquire()
    monkeypatch.setattr("review.workflowai.streaming._places", full)
    answer = run(client, reviewer)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert answer.json()["error"]["code"] == "server_overloaded"
