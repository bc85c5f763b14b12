"""Batches of spans: stored once and whole, what is unknown kept, what is wrong named block by block."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from feedback_ingest.models import ActionLog, Button, Conversation, Message, Span, TokenUsage
from tests.factories import Member
from tests.review.agentsight.factories import Assistant, make_assistant

pytestmark = pytest.mark.django_db
AT = "2026-01-15T10:30:0{}+00:00"


def span(number: int = 1, kind: str = "turn", **changes: Any) -> dict[str, Any]:
    return {
        "span_id": f"{number:016x}", "trace_id": "a" * 32, "parent_span_id": None, "kind": kind, "name": kind,
        "started_at": AT.format(1), "ended_at": AT.format(2), "duration_ms": 1000.4, "status": "ok",
        "attributes": {}, "events": [], "otel": {"links": []},
    } | changes  # fmt: skip


def turn(number: int = 1, *contents: str, complete: bool = True) -> dict[str, Any]:
    events = [
        {
            "name": "agentsight.message",
            "timestamp": AT.format(index),
            "attributes": {
                "agentsight.message.sender": "agent" if index % 2 else "end_user",
                "agentsight.message.content": content,
                "agentsight.message.metadata": json.dumps({"index": index}),
            },
        }
        for index, content in enumerate(contents)
    ]
    attributes = {"agentsight.turn.complete": complete, "agentsight.turn.id": f"{number:016x}"}
    return span(number, attributes=attributes, events=events)


def block(*spans: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"conversation_id": "c-1", "spans": list(spans)} | fields


def ingest(assistant: Assistant, *blocks: Any) -> Any:
    return assistant.post("ingest/", {"sdk": {"name": "x", "version": "1"}, "conversations": list(blocks)})


def test_a_complete_turn_is_a_transcript(assistant: Assistant) -> None:
    answer = ingest(assistant, block(turn(1, "Where is it?", "On its way."), customer_id="customer-7", source="web"))
    conversation = Conversation.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {"conversations": [{"id": conversation.pk, "conversation_id": "c-1"}], "spans": 1}
    assert (conversation.customer_id, conversation.origin, conversation.is_used) == ("customer-7", "web", True)
    assert [(row.sender, row.content, row.metadata) for row in Message.objects.order_by("sent_at")] == [
        ("end_user", "Where is it?", {"index": 0}),
        ("agent", "On its way.", {"index": 1}),
    ]
    assert Span.objects.get().payload is None


def test_a_batch_that_comes_again_stores_nothing_twice(assistant: Assistant) -> None:
    model_call = span(
        2, "llm", attributes={"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 5, "agentsight.turn.id": "t"}
    )
    batch = block(turn(1, "Hello"), model_call, span(3, "tool"), span(4, "button"), turn(1, "Hello"))
    for _ in range(2):
        assert ingest(assistant, batch).status_code == 201
    assert (Message.objects.count(), ActionLog.objects.count(), Button.objects.count()) == (3, 1, 1)
    assert TokenUsage.objects.get().prompt_tokens == 5
    ingest(assistant, block(model_call | {"span_id": "f" * 16}))
    assert (TokenUsage.objects.get().prompt_tokens, TokenUsage.objects.get().calls) == (10, 2)


def test_unknown_kinds_and_unfinished_turns_are_kept_whole_and_told_to_nobody(assistant: Assistant) -> None:
    tool = span(3, "tool", attributes={"agentsight.turn.id": f"{2:016x}"})
    ingest(assistant, block(span(1, "telepathy", attributes={"thought": "?"}), turn(2, "Half", complete=False), tool))
    assert not Message.objects.exists()
    assert not ActionLog.objects.exists()
    kept: dict[str, Any] = {row.kind: row.payload for row in Span.objects.all()}
    assert kept["telepathy"]["attributes"] == {"thought": "?"}
    assert kept["turn"]["events"][0]["attributes"]["agentsight.message.content"] == "Half"
    assert kept["tool"]["otel"] == {"links": []}


def test_a_visit_begins_a_conversation_that_nobody_used_yet(assistant: Assistant) -> None:
    ingest(assistant, block(span(1, "conversation")))
    assert not Conversation.objects.get().is_used
    ingest(assistant, block(turn(2, "Hello")))
    assert Conversation.objects.get().is_used


def test_later_batches_say_more_of_a_conversation(assistant: Assistant) -> None:
    ingest(assistant, block(turn(1), name="First", metadata={"a": 1}, environment="development"))
    ingest(assistant, block(turn(2), metadata={"b": 2}))
    conversation = Conversation.objects.get()
    assert (conversation.name, conversation.metadata, conversation.environment) == ("First", {"b": 2}, "development")
    ingest(assistant, block(turn(3), metadata={}))
    conversation.refresh_from_db()
    assert conversation.metadata == {}


def test_a_tool_says_what_it_was_given_and_what_it_gave(assistant: Assistant) -> None:
    attributes = {
        "agentsight.tool.name": "look_up", "agentsight.tool.arguments": '{"id": 7}',
        "agentsight.tool.response": "found", "agentsight.tool.error": "slow", "agentsight.metadata": '{"x": 1}',
    }  # fmt: skip
    ingest(assistant, block(span(1, "tool", attributes=attributes), span(2, "task", name="plan")))
    log = ActionLog.objects.get(action__name="look_up")
    assert (log.tools_used, log.response, log.error_message, log.metadata) == ({"id": 7}, "found", "slow", {"x": 1})
    assert log.duration_ms == 1000
    assert set(Message.objects.values_list("action_name", flat=True)) == {"look_up", "plan"}


def test_a_wrong_block_is_named_and_nothing_of_the_batch_is_stored(assistant: Assistant) -> None:
    answer = ingest(
        assistant, block(turn(1, "Hello")), block(span(2, span_id="short"), conversation_id="c-2"),
        block(conversation_id="c-3", environment="staging"), {"spans": []}, "text",
    )  # fmt: skip
    assert answer.status_code == 400
    body = answer.json()
    assert [(each["index"], each["conversation_id"]) for each in body["conversations"]] == [
        (1, "c-2"), (2, "c-3"), (3, None), (4, None),
    ]  # fmt: skip
    assert "span_id" in str(body["conversations"][0]["errors"]["spans"])
    assert list(body["conversations"][1]["errors"]) == ["environment"]
    assert (isinstance(body["detail"], str), body["truncated"]) == (True, False)
    assert not Conversation.objects.exists()
    many = ingest(assistant, *[{}] * 30).json()
    assert (len(many["conversations"]), many["truncated"]) == (20, True)


def test_without_conversations_the_field_is_named(assistant: Assistant) -> None:
    bodies: list[Any] = [{}, [], {"conversations": {}}, "text", None, 5]
    for body in bodies:
        answer = assistant.post("ingest/", json.dumps(body))
        assert (answer.status_code, list(answer.json())) == (400, ["conversations"]), body
    assert ingest(assistant).status_code == 201, "an empty batch is no mistake"


def test_a_missing_or_bad_key_and_a_person_are_forbidden(client: Client, owner: Member) -> None:
    for headers in ({}, {"Authorization": "Api-Key ags_" + "0" * 32 + "_000000"}, owner.headers):
        answer = client.post("/api/ingest/", {"conversations": []}, "application/json", headers=headers)
        assert (answer.status_code, list(answer.json())) == (403, ["detail"])


def test_compressed_batches_are_read_and_bombs_are_not(assistant: Assistant, settings: Settings) -> None:
    def send(content: bytes, encoding: str = "gzip") -> int:
        headers = assistant.headers | {"Content-Encoding": encoding}
        return int(Client().post("/api/ingest/", content, "application/json", headers=headers).status_code)

    whole = json.dumps({"conversations": [block(turn(1, "Hello"))]}).encode()
    assert send(gzip.compress(whole)) == 201
    assert Message.objects.count() == 1
    assert send(whole, "identity") == 201
    assert send(whole) == send(gzip.compress(whole)[:-20]) == send(b"") == 400
    assert send(whole, "br") == 415
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000
    assert send(gzip.compress(b'{"a": "' + b"x" * 10_000_000)) == 413


def test_too_much_in_a_second_is_asked_to_wait(assistant: Assistant, settings: Settings) -> None:
    settings.INGEST_REQUESTS_PER_SECOND = 1
    answers = [ingest(assistant, block(turn(number))) for number in range(1, 8)]
    throttled = [answer for answer in answers if answer.status_code == 429]
    assert throttled
    assert throttled[0].headers["Retry-After"] == "1"
    assert list(throttled[0].json()) == ["detail"]


def test_texts_that_cannot_be_stored_do_not_cost_the_batch(assistant: Assistant) -> None:
    strange = turn(1, "a\x00b\ud800c")
    strange["attributes"] |= {"number": 1e308 * 10, "deep": [{"\x00": ["\udfff"]}]}
    body = json.dumps({"conversations": [block(strange, span(2, "odd", attributes={"x": "\x00"}))]})
    answer = Client().post("/api/ingest/", body, "application/json", headers=assistant.headers)
    assert answer.status_code == 201, answer.content
    assert Message.objects.get().content == "ab?c"


@pytest.mark.django_db(transaction=True)
def test_batches_of_the_same_conversations_at_once_neither_lock_each_other_nor_store_twice() -> None:
    assistant = make_assistant()
    names = [f"c-{number}" for number in range(6)]

    def send(order: int) -> int:
        blocks = [
            block(turn(1, "Hello"), span(2, "tool", name="b"), span(3, "tool", name="a"), conversation_id=name)
            for name in (names if order % 2 else names[::-1])
        ]
        try:
            return int(ingest(assistant, *blocks).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(send, range(8))) == {201}
    assert (Conversation.objects.count(), Message.objects.count(), Span.objects.count()) == (6, 18, 18)
