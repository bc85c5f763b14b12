"""Whatever is sent, the answer is a refusal in the contract's words, and never a failure of the server."""

import json
from typing import Any

import pytest
from django.test import Client

from tests.review.agentsight.factories import MISSING, Assistant, make_tracked

pytestmark = pytest.mark.django_db

HUGE = 10**30
NASTY: list[Any] = [
    None, True, -1, HUGE, "\x00", "\ud800", "x" * 70_000, [[]], {"a": "\x00"}, {"\ud800": [None, "\udfff"]}, "NaN",
    "0001-01-01T00:00:00+14:00", "00000000-0000-0000-0000-000000000000",
]  # fmt: skip
# In a query everything is text.
QUERY_VALUES = ("\x00", "NaN", "0001-01-01T00:00:00+14:00", str(HUGE), "a:1e999", "'\"\\%")
FIELDS = {
    "conversations/": (
        "conversation_id", "customer_id", "customer_ip_address", "device", "source", "language", "name", "environment",
        "metadata", "is_used", "timestamp",
    ),
    "track/": ("conversation", "conversation_id", "content", "sender", "metadata", "timestamp"),
    "action_logs/": (
        "conversation", "conversation_id", "action_name", "started_at", "ended_at", "duration_ms", "tools_used",
        "response", "error_msg", "metadata", "timestamp",
    ),
    "buttons/": ("conversation", "conversation_id", "button_event", "label", "value", "metadata", "timestamp"),
    "attachments/": ("conversation", "conversation_id", "attachments", "sender", "metadata", "message", "timestamp"),
    "conversation-feedbacks/": ("conversation", "conversation_id", "sentiment", "comment", "metadata"),
    "feedbacks/": (
        "kind", "conversation", "conversation_id", "message", "agent", "environment", "sentiment", "comment", "topic",
        "reason", "metadata",
    ),
    "actions/": ("name", "display_name", "description"),
    "ingest/": ("conversations", "sdk"),
}  # fmt: skip
BASE: dict[str, dict[str, Any]] = {
    "conversations/": {"conversation_id": "c"},
    "track/": {"conversation_id": "c", "content": "x", "sender": "agent"},
    "action_logs/": {"conversation_id": "c", "action_name": "x"},
    "buttons/": {"conversation_id": "c", "button_event": "e", "label": "l", "value": "v"},
    "attachments/": {"conversation_id": "c", "attachments": [{"filename": "a", "mime_type": "a/b", "data": "eA=="}]},
    "conversation-feedbacks/": {"conversation_id": "c", "sentiment": "positive"},
    "feedbacks/": {"kind": "conversation", "conversation_id": "c", "sentiment": "positive"},
    "actions/": {"name": "x"},
    "ingest/": {"conversations": []},
}
QUERIES = {
    "conversations/": (
        "conversation_id", "customer_id", "customer_id__icontains", "customer_ip_address", "name", "language", "device",
        "env", "is_marked", "include_deleted", "started_at_after", "started_at_before", "has_messages",
        "message_contains", "action_name", "has_action", "has_feedback", "feedback_sentiment", "feedback_source",
        "metadata", "metadata_key", "search", "include_tickets", "ordering", "page", "page_size", "full", "agent",
    ),
    "conversations/lookup/": ("conversation_id",),
    "conversations/metadata-values/": ("key",),
    "feedbacks/": (
        "kind", "sentiment", "source", "conversation", "conversation_id", "message", "agent", "user", "topic", "reason",
        "category", "env", "has_comment", "comment_contains", "search", "created_at_after", "created_at_before",
        "include_tickets", "has_ticket", "ticket_status", "ordering", "page",
    ),
    "actions/": ("name", "name__icontains", "display_name", "search", "ordering"),
    "token-usage/": (
        "conversation", "conversation_id", "environment", "model", "turn_id", "cost_source", "incomplete",
        "started_at_after", "started_at_before", "ordering",
    ),
    "token-usage/summary/": ("group_by", "currency", "started_at_after"),
    "tickets/": ("status", "page"),
}  # fmt: skip


def written(value: Any) -> str:
    """Return JSON that may hold what no decent client sends."""
    return json.dumps(value)


def send(assistant: Assistant, method: str, path: str, body: str | bytes) -> Any:
    call = getattr(Client(raise_request_exception=False), method)
    return call(f"/api/{path}", body, "application/json", headers=assistant.headers)


def refusal(answer: Any, context: object) -> None:
    assert answer.status_code < 500, (context, answer.content[:300])
    if answer.status_code >= 400:
        body = answer.json()
        assert isinstance(body, dict), context
        assert body, context


@pytest.mark.parametrize("path", FIELDS)
def test_no_value_of_any_field_breaks_the_server(assistant: Assistant, path: str) -> None:
    send(assistant, "post", "conversations/", written({"conversation_id": "c"}))
    for field in FIELDS[path]:
        for value in NASTY:
            refusal(send(assistant, "post", path, written(BASE[path] | {field: value})), (field, value))


@pytest.mark.parametrize("path", QUERIES)
def test_no_value_of_any_query_breaks_the_server(assistant: Assistant, path: str) -> None:
    make_tracked(assistant.project)
    for name in QUERIES[path]:
        for value in QUERY_VALUES:
            client = Client(raise_request_exception=False)
            refusal(client.get(f"/api/{path}", {name: value}, headers=assistant.headers), (name, value))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b'{"a":' * 50_000, b"null", b"[]", b'"text"', b"5"]
)
def test_what_is_no_object_is_refused(assistant: Assistant, body: bytes) -> None:
    for path in FIELDS:
        answer = send(assistant, "post", path, body)
        assert answer.status_code == 400, (path, body[:20], answer.content[:200])
        refusal(answer, (path, body[:20]))


def test_no_value_breaks_what_changes_rows(assistant: Assistant) -> None:
    keys = make_tracked(assistant.project)
    conversation, message = keys["agentsight-rename"], keys["agentsight-message"]
    verdict, action = keys["agentsight-feedback"], keys["agentsight-action"]
    for value in NASTY:
        for method, path, field in (
            ("patch", f"conversations/{conversation}/rename/", "name"),
            ("post", f"conversations/{conversation}/mark/", "is_marked"),
            ("patch", f"conversations/{conversation}/update/", "metadata"),
            ("patch", f"conversations/{conversation}/update/", "device"),
            ("patch", f"track/{message}/", "metadata"),
            ("patch", f"feedbacks/{verdict}/", "comment"),
            ("patch", f"actions/{action}/", "name"),
        ):
            refusal(send(assistant, method, path, written({field: value})), (path, value))


def test_a_key_that_no_row_can_have_is_a_404(assistant: Assistant) -> None:
    for number in (MISSING, HUGE, "9" * 500, 2**63):
        for path in ("conversations/{}/", "track/{}/", "feedbacks/{}/", "actions/{}/logs/", "attachments/{}/file/"):
            answer = assistant.get(path.format(number))
            assert (answer.status_code, list(answer.json())) == (404, ["detail"]), (path, number)


def test_another_media_type_is_refused(assistant: Assistant) -> None:
    for path in FIELDS:
        answer = Client().post(f"/api/{path}", b"<a/>", "application/xml", headers=assistant.headers)
        assert (answer.status_code, list(answer.json())) == (415, ["detail"]), path
