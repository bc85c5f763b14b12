"""Messages, actions and clicks: stored once, in their conversation, readable afterwards."""

from typing import Any

import pytest
from django.test import Client

from feedback_ingest.models import Action, ActionLog, Conversation, Message, TokenUsage
from tests.factories import Member
from tests.review.agentsight.factories import MISSING, Assistant
from tests.review.factories import make_answer, make_conversation

pytestmark = pytest.mark.django_db
AT = "2026-01-15T10:30:00.123456+00:00"


def said(**changes: Any) -> dict[str, Any]:
    return {"timestamp": AT, "content": "Hello", "sender": "end_user", "metadata": {}, "conversation": None} | changes


def test_a_message_is_answered_with_its_number_and_its_uuid(assistant: Assistant) -> None:
    conversation = make_conversation(assistant.project)
    answer = assistant.post("track/", said(conversation=conversation.pk, metadata={"page": "/"}))
    message = Message.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": message.pk, "message": message.pk, "message_id": str(message.uuid), "conversation": conversation.pk,
        "conversation_id": conversation.conversation_id, "timestamp": "2026-01-15T10:30:00.123456Z",
        "sender": "end_user", "content": "Hello", "metadata": {"page": "/"},
    }  # fmt: skip
    conversation.refresh_from_db()
    assert conversation.is_used


def test_an_unknown_id_of_the_client_begins_a_conversation(assistant: Assistant) -> None:
    assistant.post("track/", said(conversation_id="c-1"))
    assistant.post("action_logs/", {"action_name": "look_up", "conversation_id": "c-1"})
    conversation = Conversation.objects.get()
    assert (conversation.conversation_id, conversation.messages.count()) == ("c-1", 2)


def test_the_same_again_is_the_same_row(assistant: Assistant) -> None:
    first = assistant.post("track/", said(conversation_id="c-1"))
    again = assistant.post("track/", said(conversation_id="c-1"))
    other = assistant.post("track/", said(conversation_id="c-1", content="Hello!"))
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]
    without = {name: value for name, value in said(conversation_id="c-1").items() if name != "timestamp"}
    assert assistant.post("track/", without).status_code == assistant.post("track/", without).status_code == 201


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_time_that_not_every_zone_can_show_is_refused(assistant: Assistant, moment: str) -> None:
    answer = assistant.post("track/", said(conversation_id="c-1", timestamp=moment))
    assert (answer.status_code, Message.objects.count()) == (400, 0)
    assert answer.json()["timestamp"] == ["The time must lie in the years 1900 to 2199."]


def test_an_action_has_a_line_in_the_transcript(assistant: Assistant) -> None:
    body = {
        "timestamp": AT, "action_name": "look_up", "conversation_id": "c-1", "started_at": AT, "duration_ms": 900,
        "tools_used": ["search"], "response": "ok", "error_msg": "slow", "metadata": {"hits": 3},
    }  # fmt: skip
    answer = assistant.post("action_logs/", body).json()
    log = ActionLog.objects.get()
    assert answer["error_message"] == "slow"
    assert answer["id"] == log.pk
    assert answer["message_id"] == str(log.message.uuid)
    assert (log.message.content, log.message.action_name) == ("Action look_up performed", "look_up")
    assistant.post("action_logs/", body | {"timestamp": None})
    assert Action.objects.count() == 1


def test_token_counts_that_come_as_an_action_are_usage(assistant: Assistant) -> None:
    counts = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15, "embedding_tokens": "many"}
    assistant.post("action_logs/", {"action_name": "token_usage", "conversation_id": "c-1", "metadata": counts})
    usage = TokenUsage.objects.get()
    assert (usage.prompt_tokens, usage.completion_tokens, usage.embedding_tokens) == (12, 3, 0)


def test_a_message_is_shown_with_its_vote_and_gets_other_metadata(assistant: Assistant) -> None:
    message = make_answer(assistant.project)
    assistant.post("feedbacks/", {"kind": "message", "message": message.pk, "sentiment": "negative"})
    changed = assistant.patch(f"track/{message.pk}/", {"metadata": {"a": None}, "content": "rewritten"})
    shown = assistant.get(f"track/{message.pk}/").json()
    assert changed.json() == shown
    assert (shown["metadata"], shown["content"]) == ({"a": None}, message.content)
    assert shown["feedback"]["sentiment"] == "negative"
    assert assistant.patch(f"track/{message.pk}/", {}).status_code == 400


def test_another_ones_messages_and_actions_are_not_there(
    assistant: Assistant, sibling: Assistant, foreigner: Assistant
) -> None:
    message = make_answer(assistant.project, conversation=make_conversation(assistant.project, agent=assistant.agent))
    action = assistant.post("actions/", {"name": "look_up"}).json()["id"]
    for other in (sibling, foreigner):
        answers = [
            other.get(f"track/{message.pk}/"), other.patch(f"track/{message.pk}/", {"metadata": {}}),
            other.get(f"actions/{action}/"), other.patch(f"actions/{action}/", {"description": "x"}),
            other.get(f"actions/{action}/logs/"),
            other.post("feedbacks/", {"kind": "message", "message": message.pk, "sentiment": "positive"}),
            other.post("feedbacks/", {"kind": "message", "message": str(message.uuid), "sentiment": "positive"}),
        ]  # fmt: skip
        assert {answer.status_code for answer in answers} == {404}
        assert other.get("actions/").json()["count"] == 0
        assert other.post("actions/", {"name": "look_up"}).status_code == 201


def test_what_is_missing_or_wrong_is_named_in_words(assistant: Assistant) -> None:
    cases: list[tuple[str, dict[str, Any], list[str]]] = [
        ("track/", {}, ["content", "sender"]),
        ("track/", {"content": "x", "sender": "agent"}, ["conversation"]),
        ("track/", said(conversation_id="c", sender="system"), ["sender"]),
        ("track/", said(conversation_id="c", timestamp="now"), ["timestamp"]),
        ("track/", said(conversation_id="c", metadata=[1]), ["metadata"]),
        ("track/", said(conversation="abc"), ["conversation"]),
        ("action_logs/", {"conversation_id": "c", "action_name": "x", "duration_ms": -1}, ["duration_ms"]),
        ("buttons/", {"conversation_id": "c"}, ["button_event", "label", "value"]),
        ("conversations/", {"conversation_id": "c", "customer_ip_address": "unknown"}, ["customer_ip_address"]),
        ("conversations/", {"conversation_id": "c", "environment": "staging"}, ["environment"]),
        ("conversations/", {}, ["conversation_id"]),
    ]
    for path, body, fields in cases:
        answer = assistant.post(path, body)
        assert answer.status_code == 400, (path, body)
        assert sorted(answer.json()) == fields
        # The first clients join them as they are.
        assert all(isinstance(word, str) for words in answer.json().values() for word in words)
    missing = assistant.post("track/", said(conversation=MISSING))
    assert (missing.status_code, list(missing.json())) == (404, ["detail"])
    assert assistant.get("track/").status_code == 405


def test_a_name_that_another_action_has_is_refused(assistant: Assistant) -> None:
    first = assistant.post("actions/", {"name": "look_up", "display_name": "Look up"}).json()
    second = assistant.post("actions/", {"name": "send"}).json()
    assert second["display_name"] == "send"
    assert assistant.post("actions/", {"name": "look_up"}).status_code == 400
    assert assistant.patch(f"actions/{second['id']}/", {"name": "look_up"}).status_code == 400
    assert assistant.patch(f"actions/{second['id']}/", {"name": "dispatch"}).json()["name"] == "dispatch"
    assert assistant.get("actions/", search="Look").json()["results"][0]["id"] == first["id"]
    assert assistant.delete(f"actions/{first['id']}/").status_code == 405


def test_tickets_are_an_honest_empty_page(assistant: Assistant) -> None:
    page = assistant.get("tickets/", status="open").json()
    assert (page["count"], page["results"], page["total_pages"]) == (0, [], 1)
    assert assistant.get("tickets/1/").json() == {"detail": "No such ticket, or access denied."}
    assert assistant.post("tickets/", {"title": "x"}).status_code == 405


def test_only_a_key_is_told_whose_it_is(client: Client, assistant: Assistant, owner: Member) -> None:
    assert assistant.get("me/").json()["agent_id"] == assistant.agent.pk
    assert client.get("/api/me/", headers=owner.headers).status_code == 403
    assert client.get("/api/me/").status_code == 401
