"""The door to the model: what passes it is redacted, bounded, recorded, paid for, and survives every fault."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pydantic import BaseModel, ConfigDict
from pytest_django import Settings

from insights.llm import breaker, client, ledger
from insights.llm.calls import Answer, Message
from insights.llm.conversation import Conversation, Tool, converse
from insights.llm.failures import LlmFailure, Reason
from insights.llm.prompts import Prompt
from insights.models import LlmCall
from privacy.redact import RedactedText, redact
from projects.models import Project
from tests.factories import make_project
from tests.model_server import Asked, CallTool, Fault, ModelServer, Trouble

PROMPT = Prompt("colours.v1", "Name the colour.")


class Colour(BaseModel):
    """A small form."""

    model_config = ConfigDict(extra="forbid")

    name: str


class Lookup(BaseModel):
    """The arguments of a tool."""

    query: str


def ask(project: Project, text: str = "What colour is the sky?", **options: Any) -> Answer[Colour] | LlmFailure:
    return client.ask(project, "colours", PROMPT, redact(text).text, Colour, **options)


def blue(asked: Asked) -> dict[str, Any]:
    return {"name": "blue"}


@pytest.fixture(autouse=True)
def answer_blue(model: ModelServer) -> None:
    model.model = blue


def failure(result: object) -> LlmFailure:
    assert isinstance(result, LlmFailure)
    return result


def test_a_form_comes_back_filled_in_and_the_call_is_recorded(project: Project, model: ModelServer) -> None:
    answer = ask(project)
    assert isinstance(answer, Answer)
    assert answer.value == Colour(name="blue")
    asked = model.requests[0]
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["authorization"] == "Bearer key-of-the-tests"
    assert asked.body["store"] is False
    assert asked.body["response_format"]["json_schema"]["strict"] is True
    assert asked.body["response_format"]["json_schema"]["schema"]["additionalProperties"] is False
    call = LlmCall.objects.get()
    assert (call.purpose, call.prompt_version, call.outcome) == ("colours", "colours.v1", "ok")
    assert (call.input_tokens, call.output_tokens) == (answer.usage.input_tokens, answer.usage.output_tokens)
    assert call.input_tokens > 0
    assert call.payload is not None
    assert call.payload["messages"] == asked.messages


def test_what_leaves_and_what_is_stored_is_redacted(project: Project, model: ModelServer) -> None:
    ask(project, "I am jane@example.com, call +49 171 1234567")
    assert "jane@example.com" not in model.prompts
    assert "1234567" not in model.prompts
    assert model.requests[0].user == "I am [email-1], call [phone-1]"
    assert "jane" not in json.dumps(LlmCall.objects.get().payload)


def test_a_call_costs_what_the_settings_say(project: Project, settings: Settings) -> None:
    settings.MODEL_NAME = "our-model"
    settings.MODEL_PRICES = ["other=9/9", "our-model=2/10"]
    answer = ask(project)
    assert isinstance(answer, Answer)
    expected = Decimal(2 * answer.usage.input_tokens + 10 * answer.usage.output_tokens) / 1_000_000
    assert LlmCall.objects.get().cost_usd == expected


FAULTS = [
    (Fault.DROP, Reason.UNAVAILABLE, 3),
    (Fault.UNAUTHORIZED, Reason.UNAUTHORIZED, 1),
    (Fault.RATE_LIMITED, Reason.RATE_LIMITED, 3),
    (Fault.SERVER_ERROR, Reason.UNAVAILABLE, 3),
    (Fault.NOT_FOUND, Reason.UNAVAILABLE, 3),
    (Fault.BAD_REQUEST, Reason.REFUSED, 1),
    (Fault.CUT, Reason.UNAVAILABLE, 3),
    (Fault.EMPTY, Reason.INVALID, 1),
    (Fault.NO_CHOICES, Reason.INVALID, 1),
    (Fault.PROSE, Reason.INVALID, 1),
    (Fault.REFUSAL, Reason.REFUSED, 1),
    (Fault.CUT_BY_LENGTH, Reason.INVALID, 1),
    (Fault.TRUNCATED_JSON, Reason.INVALID, 1),
    (Fault.WRONG_SCHEMA, Reason.INVALID, 1),
    (Fault.HUGE, Reason.INVALID, 1),
    (Fault.UNASKED_TOOLS, Reason.INVALID, 1),
]


@pytest.mark.parametrize(("fault", "reason", "calls"), FAULTS)
def test_every_fault_ends_as_a_failure_in_words_for_people(
    project: Project, model: ModelServer, fault: Fault, reason: Reason, calls: int
) -> None:
    model.fail_always(fault)
    result = failure(ask(project))
    assert result.reason == reason
    assert "provider" not in result.message or "secret-provider-text" not in result.message
    assert len(model.requests) == calls
    assert list(LlmCall.objects.values_list("outcome", flat=True)) == [reason.value] * calls


def test_an_endpoint_that_is_not_there_is_a_failure(project: Project, settings: Settings) -> None:
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    assert failure(ask(project)).reason == Reason.UNAVAILABLE


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.DRIP])
def test_an_answer_that_does_not_end_is_left_at_the_time_limit(
    project: Project, model: ModelServer, fault: Fault
) -> None:
    model.fail_always(fault)
    started = time.monotonic()
    assert failure(ask(project, seconds=1.2)).reason == Reason.TIMEOUT
    assert time.monotonic() - started < 10
    assert len(model.requests) == 1


def test_a_passing_fault_is_repeated_until_it_has_passed(project: Project, model: ModelServer) -> None:
    model.fail(Fault.SERVER_ERROR, Fault.DROP)
    assert isinstance(ask(project), Answer)
    assert len(model.requests) == 3


def test_the_wait_that_a_busy_provider_asks_for_is_kept(project: Project, model: ModelServer) -> None:
    model.fail(Trouble(Fault.RATE_LIMITED, seconds=1))
    started = time.monotonic()
    assert isinstance(ask(project), Answer)
    assert time.monotonic() - started >= 1


def test_a_long_wait_is_put_off_and_nobody_asks_meanwhile(project: Project, model: ModelServer) -> None:
    model.fail_always(Trouble(Fault.RATE_LIMITED, seconds=40))
    first = failure(ask(project))
    assert first.retry_after == 40
    assert first.blameless
    second = failure(ask(make_project()))
    assert second.reason == Reason.RATE_LIMITED
    assert second.retry_after == pytest.approx(40, abs=2)
    assert len(model.requests) == 1


def test_a_key_that_is_not_accepted_stops_all_calls_for_a_while(
    project: Project, model: ModelServer, settings: Settings
) -> None:
    model.fail_always(Fault.UNAUTHORIZED)
    for _ in range(20):
        assert failure(ask(project)).reason == Reason.UNAUTHORIZED
    assert len(model.requests) == 1
    model.fail_always(None)
    settings.OPENAI_API_KEY = "the-right-key"
    assert isinstance(ask(project), Answer)


def test_without_a_model_nothing_is_tried(project: Project, settings: Settings, model: ModelServer) -> None:
    settings.OPENAI_BASE_URL = settings.OPENAI_API_KEY = None
    assert not client.configured()
    assert failure(ask(project)).reason == Reason.NOT_CONFIGURED
    assert model.requests == []


def test_an_endpoint_that_does_not_know_a_field_is_asked_without_it(project: Project, model: ModelServer) -> None:
    model.fail_always(Fault.REFUSED_STORE)
    assert isinstance(ask(project), Answer)
    assert isinstance(ask(project), Answer)
    assert ["store" in asked.body for asked in model.requests] == [True, False, False]
    assert list(LlmCall.objects.order_by("pk").values_list("outcome", flat=True)) == ["refused", "ok", "ok"]


def test_a_refusal_that_merely_mentions_a_field_changes_nothing(project: Project, model: ModelServer) -> None:
    model.fail_always(Fault.BAD_REQUEST_STORE)
    assert failure(ask(project)).reason == Reason.REFUSED
    assert failure(ask(project)).reason == Reason.REFUSED
    assert ["store" in asked.body for asked in model.requests] == [True, True]


def test_a_used_up_budget_stops_one_project_and_no_other(project: Project, model: ModelServer) -> None:
    project.daily_token_budget = 100
    project.save()
    for _ in range(50):
        result = ask(project)
    assert failure(result).reason == Reason.OVER_BUDGET
    today = ledger.budget(project)
    assert today.limit == 100
    assert 50 < today.spent <= 110
    assert failure(result).retry_after == pytest.approx((today.resets_at - timezone.now()).total_seconds(), abs=5)
    before = len(model.requests)
    assert isinstance(ask(make_project()), Answer)
    assert len(model.requests) == before + 1


def test_a_request_larger_than_the_rest_of_the_budget_is_not_sent(project: Project, model: ModelServer) -> None:
    project.daily_token_budget = 1_000
    assert failure(ask(project, "word " * 2_000)).reason == Reason.OVER_BUDGET
    assert model.requests == []


def test_a_new_day_has_a_new_budget(project: Project) -> None:
    project.daily_token_budget = 60
    ask(project)
    LlmCall.objects.update(input_tokens=60, created_at=timezone.now() - timedelta(days=1))
    assert ledger.budget(project).spent == 0


def test_an_answer_streams_in_pieces_and_is_counted(project: Project, model: ModelServer) -> None:
    model.model = lambda asked: "one two three"
    message = Message("user", redact("Count.").text)
    assert list(client.stream(project, "ask", PROMPT, [message])) == ["one ", "two ", "three"]
    call = LlmCall.objects.get()
    assert (call.outcome, call.output_tokens) == ("ok", 4)


def test_a_stream_that_breaks_off_ends_with_a_failure(project: Project, model: ModelServer) -> None:
    model.model = lambda asked: "one two three four"
    model.fail_always(Fault.CUT)
    pieces = list(client.stream(project, "ask", PROMPT, [Message("user", redact("Count.").text)]))
    assert pieces == ["one ", "two ", LlmFailure(Reason.UNAVAILABLE)]
    assert LlmCall.objects.get().outcome == "unavailable"


def test_a_stream_that_nobody_reads_to_its_end_is_paid_for(project: Project, model: ModelServer) -> None:
    model.model = lambda asked: "word " * 100
    pieces = client.stream(project, "ask", PROMPT, [Message("user", redact("Count.").text)])
    assert isinstance(pieces, Iterator)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert LlmCall.objects.get().output_tokens >= 1


def test_a_callers_own_traffic_is_passed_on_unchanged_and_stored_without_its_words(
    project: Project, model: ModelServer
) -> None:
    project.daily_token_budget = 0
    model.model = lambda asked: "Hello Jane"
    messages = [{"role": "user", "content": "I am jane@example.com"}]
    body = {"model": "their-model", "messages": messages, "temperature": 0.3, "seed": 7}
    answer = client.forward(project, "run", body)
    assert isinstance(answer, Answer)
    assert answer.value["choices"][0]["message"]["content"] == "Hello Jane"
    assert model.requests[0].body == {**body, "store": False}
    call = LlmCall.objects.get()
    assert (call.purpose, call.model, call.payload) == ("forward/run", "their-model", None)
    assert ledger.budget(project).spent == 0


def test_a_callers_stream_is_passed_on_chunk_by_chunk(project: Project, model: ModelServer) -> None:
    model.model = lambda asked: "one two"
    chunks = list(client.forward_stream(project, "run", {"messages": [{"role": "user", "content": "Hi"}]}))
    assert all(isinstance(chunk, dict) for chunk in chunks)
    words = [choice["delta"].get("content") for chunk in chunks for choice in chunk["choices"]]  # type: ignore[index]
    assert words == ["one ", "two", None]
    assert LlmCall.objects.get().output_tokens == 2


def test_vectors_come_in_the_order_of_the_texts(project: Project, settings: Settings) -> None:
    settings.EMBEDDING_MODEL = "vectors"
    texts = [redact(text).text for text in ("slow export", "export is slow", "nice colours")]
    answer = client.embed(project, texts)
    assert isinstance(answer, Answer)
    one, two, other = answer.value
    assert sum(a * b for a, b in zip(one, two, strict=True)) > sum(a * b for a, b in zip(one, other, strict=True))


def test_a_model_looks_things_up_and_then_answers(project: Project, model: ModelServer) -> None:
    asked_for: list[str] = []

    def search(arguments: Lookup) -> RedactedText:
        asked_for.append(arguments.query)
        return redact("Refunds take 5 days, says boss@example.com").text

    def answer(asked: Asked) -> str | CallTool:
        if len(asked.messages) == 2:
            return CallTool((("search", {"query": "refunds"}), ("search", {"query": "days"})))
        return "Five days."

    model.model = answer
    tool = Tool("search", "Search the articles.", Lookup, search)
    result = converse(project, "generate", PROMPT, [Message("user", redact("How long?").text)], [tool])
    assert result == Conversation("Five days.", tool_calls=2)
    assert asked_for == ["refunds", "days"]
    told = [message["content"] for message in model.requests[1].messages if message["role"] == "tool"]
    assert told == ["Refunds take 5 days, says [email-1]"] * 2


def test_a_model_that_only_wants_tools_must_answer_after_five_rounds(project: Project, model: ModelServer) -> None:
    def answer(asked: Asked) -> str | CallTool:
        return "Enough." if asked.body.get("tool_choice") == "none" else CallTool((("search", {"query": "x"}),))

    model.model = answer
    tool = Tool("search", "Search.", Lookup, lambda arguments: redact("nothing").text)
    result = converse(project, "generate", PROMPT, [Message("user", redact("How?").text)], [tool])
    assert result == Conversation("Enough.", tool_calls=5)
    assert len(model.requests) == 6


def test_a_compromised_model_reaches_no_tool_that_is_not_offered(project: Project, model: ModelServer) -> None:
    ran: list[str] = []

    def search(arguments: Lookup) -> RedactedText:
        ran.append(arguments.query)
        raise RuntimeError("database password is hunter2")

    wanted = (
        ("delete_all", {"sure": True}),
        ("search", "not json"),
        ("search", {"other": 1}),
        ("search", {"query": "x"}),
    )

    def answer(asked: Asked) -> str | CallTool:
        return CallTool(wanted) if len(asked.messages) == 2 else "Done."

    model.model = answer
    tool = Tool("search", "Search.", Lookup, search)
    result = converse(project, "generate", PROMPT, [Message("user", redact("How?").text)], [tool])
    assert result == Conversation("Done.", tool_calls=1)
    assert ran == ["x"]
    told = [message["content"] for message in model.requests[1].messages if message["role"] == "tool"]
    assert told == [
        "There is no such tool.",
        "The arguments do not fit the tool.",
        "The arguments do not fit the tool.",
        "The tool failed.",
    ]
    assert "hunter2" not in model.prompts


def test_a_cancelled_conversation_asks_nothing_more(project: Project, model: ModelServer) -> None:
    result = converse(project, "generate", PROMPT, [Message("user", redact("How?").text)], [], cancelled=lambda: True)
    assert failure(result).reason == Reason.CANCELLED
    assert model.requests == []


def test_a_conversation_ends_at_its_time_limit(project: Project, model: ModelServer) -> None:
    model.fail_always(Trouble(Fault.DELAY, seconds=30))
    started = time.monotonic()
    result = converse(project, "generate", PROMPT, [Message("user", redact("How?").text)], [], seconds=1.2)
    assert failure(result).reason == Reason.TIMEOUT
    assert time.monotonic() - started < 10


def test_the_breaker_closes_again(project: Project) -> None:
    breaker.open_for(1, Reason.UNAUTHORIZED)
    assert failure(ask(project)).reason == Reason.UNAUTHORIZED
    time.sleep(1.1)
    assert isinstance(ask(project), Answer)
