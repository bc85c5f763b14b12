"""The published client of the first generation, unchanged, against our server by its base URL alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from feedback_ingest.models import ActionLog, Attachment, Conversation, Message, TokenUsage
from projects.models import Project
from review.models import Feedback
from review.services.counts import satisfaction
from tests.clients.environments import python_of
from tests.clients.scripts import run_python
from tests.review.agentsight.factories import PNG, Assistant, make_assistant
from tests.review.factories import make_answer, make_conversation

pytestmark = [pytest.mark.clients, pytest.mark.django_db(transaction=True)]

TRACK = """
conversation_tracker.get_or_create_conversation(
    conversation_id="conv-123", customer_id="customer-7", customer_ip_address="192.0.2.7", device="mobile",
    source="web", language="en", name="Password reset", environment="production", metadata={"plan": "pro"},
)
conversation_tracker.track_human_message("How do I reset my password?", metadata={"page": "/login"})
conversation_tracker.track_action(
    "search_articles", started_at="2026-01-15T10:30:00Z", ended_at="2026-01-15T10:30:01Z", duration_ms=900,
    tools_used={"search": "reset"}, response="3 articles", error_msg="one was slow", metadata={"hits": 3},
)
conversation_tracker.track_button("choose_way", "By e-mail", "email", metadata={"step": 1})
conversation_tracker.track_token_usage(prompt_tokens=120, completion_tokens=30, total_tokens=150, embedding_tokens=8)
conversation_tracker.track_agent_message("Use the link on the sign-in page.")
sent = conversation_tracker.send_tracked_data()
"""


class Client:
    """Runs scripts in which the three objects of the client are at hand; `show` prints the result."""

    def __init__(self, assistant: Assistant, url: str, folder: Path) -> None:
        self.assistant = assistant
        self.url = url
        self.folder = folder

    def run(self, script: str) -> Any:
        """Return what the script shows."""
        head = (
            "import json\n"
            "from agentsight import agentsight_api, conversation_manager, conversation_tracker\n"
            "from agentsight.enums import Sentiment\n"
            "def show(value): print('\\n' + json.dumps(value))\n"
        )
        return run_python(
            python_of("agentsight-0.0.44"),
            head + script,
            self.folder,
            AGENTSIGHT_API_KEY=self.assistant.key,
            AGENTSIGHT_API_ENDPOINT=self.url,
            AGENTSIGHT_LOG_LEVEL="CRITICAL",
        )


@pytest.fixture
def client(project: Project, live_server: LiveServer, tmp_path: Path, settings: Settings) -> Client:
    settings.MEDIA_ROOT = tmp_path / "media"
    return Client(make_assistant(project), live_server.url, tmp_path)


def conversation_of(client: Client, name: str = "conv-123") -> Conversation:
    return make_conversation(client.assistant.project, agent=client.assistant.agent, conversation_id=name)


def test_the_samples_of_the_feedback_page_work(client: Client, project: Project) -> None:
    conversation_of(client)
    conversation_of(client, "support-session-456")

    basic, complete, by_number = client.run("""
basic = conversation_manager.submit_feedback(
    conversation_id="conv-123",
    sentiment="positive",
    comment="Very helpful!"
)
complete = conversation_manager.submit_feedback(
    conversation_id="support-session-456", # or use database ID
    sentiment=Sentiment.POSITIVE,
    comment="Excellent service! The agent was knowledgeable and resolved my password reset issue in under 3 minutes.",
    metadata={
        "rating": 5,
        "would_recommend": True,
        "issue_resolved": True,
        "response_time_rating": "excellent",
        "feedback_channel": "post_chat_survey",
        "collected_at": "2024-01-15T10:35:00Z"
    }
)
conversation = agentsight_api.fetch_conversation("conv-123")
by_number = conversation_manager.submit_feedback(
    conversation_id=conversation['id'],  # Integer database ID
    sentiment="positive",
    comment="Great support!"
)
show([basic, complete, by_number])
""")

    assert basic["source"] == complete["source"] == by_number["source"] == "customer"
    assert basic["comment"] == "Very helpful!"
    assert basic["conversation"] == by_number["conversation"]
    assert complete["metadata"]["rating"] == 5
    assert complete["metadata"]["collected_at"] == "2024-01-15T10:35:00Z"
    assert satisfaction(project).positive == Feedback.objects.count() == 3


def test_everything_tracked_arrives_in_order(client: Client) -> None:
    sent, shown = client.run(TRACK + "show([sent, agentsight_api.fetch_conversation('conv-123')])")

    assert sent["summary"]["errors"] == 0, sent
    assert [item["success"] for item in sent["items"]] == [True] * 6
    assert shown["customer_id"] == "customer-7"
    assert shown["environment"] == "production"
    assert shown["is_used"] is True
    assert shown["metadata"] == {"plan": "pro"}
    contents = [message["content"] for message in shown["messages"]]
    assert contents == [
        "How do I reset my password?",
        "Action search_articles performed",
        "By e-mail",
        "Use the link on the sign-in page.",
        "Action token_usage performed",
    ]
    asked, acted, clicked, answered, used = shown["messages"]
    assert (asked["sender"], answered["sender"]) == ("end_user", "agent")
    assert asked["metadata"] == {"page": "/login"}
    assert acted["action_logs"][0]["error_message"] == "one was slow"
    assert acted["action_logs"][0]["tools_used"] == {"search": "reset"}
    assert clicked["button"]["value"] == "email"
    assert used["action_logs"][0]["metadata"]["prompt_tokens"] == 120
    assert TokenUsage.objects.get().embedding_tokens == 8
    items = {item["type"]: item["response"] for item in sent["items"]}
    message = Message.objects.get(pk=items["answer"]["id"])
    assert items["answer"]["message_id"] == str(message.uuid)


def test_without_a_conversation_of_its_own_tracking_goes_by_the_string_id(client: Client) -> None:
    shown = client.run("""
conversation_tracker.initialize_conversation(conversation_id="conv-9", environment="development")
before = agentsight_api.fetch_conversation("conv-9")["is_used"]
conversation_tracker.configure(conversation_id="conv-9")
conversation_tracker.track_human_message("Hello")
sent = conversation_tracker.send_tracked_data()
show([before, sent["summary"], agentsight_api.fetch_conversation("conv-9")])
""")
    before, summary, conversation = shown
    assert before is False
    assert summary["errors"] == 0
    assert conversation["is_used"] is True
    assert conversation["environment"] == "development"
    assert len(conversation["messages"]) == 1
    assert Conversation.objects.count() == 1


def test_conversations_are_renamed_marked_updated_and_deleted_by_either_id(client: Client) -> None:
    conversation = conversation_of(client)
    shown = client.run(f"""
renamed = conversation_manager.rename_conversation("conv-123", "  Password reset  ")
marked = conversation_manager.mark_conversation({conversation.pk}, True)
updated = conversation_manager.update_conversation(
    "conv-123", name="Other", is_marked=False, customer_id="c-1", device="desktop", language="de", metadata={{"a": 1}}
)
deleted = conversation_manager.delete_conversation("conv-123")
left = agentsight_api.fetch_conversations()["count"]
with_deleted = agentsight_api.fetch_conversations(include_deleted=True)["results"][0]["is_deleted"]
show([renamed, marked, updated, deleted, left, with_deleted])
""")
    renamed, marked, updated, deleted, left, with_deleted = shown
    ids = {"id": conversation.pk, "conversation_id": "conv-123"}
    assert renamed == ids | {"name": "Password reset"}
    assert marked == ids | {"is_marked": True}
    assert updated == ids | {
        "name": "Other", "is_marked": False, "customer_id": "c-1", "device": "desktop", "language": "de",
        "metadata": {"a": 1},
    }  # fmt: skip
    assert deleted["is_deleted"] is True
    assert deleted["deleted_at"]
    assert (left, with_deleted) == (0, True)


def test_every_filter_of_the_client_finds_its_conversation_and_no_other(client: Client) -> None:
    conversation_of(client, "another")
    found = client.run(
        TRACK
        + """
conversation_manager.mark_conversation("conv-123", True)
conversation_manager.submit_feedback("conv-123", Sentiment.NEGATIVE)
filters = [
    {"action_name": "search_articles"}, {"conversation_id": "conv-123"}, {"customer_id": "customer-7"},
    {"customer_ip_address": "192.0.2.7"}, {"device": "mobile"}, {"has_messages": True}, {"language": "en"},
    {"message_contains": "SIGN-IN"}, {"is_marked": True}, {"name": "password"}, {"metadata": "plan:pro"},
    {"has_feedback": True}, {"feedback_sentiment": "negative"}, {"feedback_source": "customer"},
    {"has_feedback": True, "feedback_source": "customer"}, {"customer_id__icontains": "OMER-7"},
]
found = [[row["conversation_id"] for row in agentsight_api.fetch_conversations(**each)["results"]] for each in filters]
without = [
    [row["conversation_id"] for row in agentsight_api.fetch_conversations(**each)["results"]]
    for each in ({"has_messages": False}, {"has_feedback": False}, {"is_marked": False})
]
from datetime import datetime, timezone
dates = [
    agentsight_api.fetch_conversations(started_at_after=datetime(2020, 1, 1, tzinfo=timezone.utc))["count"],
    agentsight_api.fetch_conversations(started_at_before="2020-01-01T00:00:00Z")["count"],
    agentsight_api.fetch_conversations(feedback_source="platform")["count"],
]
page = agentsight_api.fetch_conversations(page=2, page_size=1)
show([found, without, dates, page])
"""
    )
    found, without, dates, page = found
    assert found == [["conv-123"]] * 16
    assert without == [["another"]] * 3
    assert dates == [2, 0, 0]
    assert (page["count"], len(page["results"]), page["next"]) == (2, 1, None)


@pytest.mark.parametrize("mode", ["base64", "form_data"])
def test_files_are_attached_to_messages_and_alone_and_listed(client: Client, mode: str) -> None:
    data = "base64.b64encode(png).decode()" if mode == "base64" else "png"
    listed = client.run(f"""
import base64
png = {PNG!r}
file = {{"filename": "screen shot.png", "mime_type": "image/png", "data": {data}}}
conversation_tracker.get_or_create_conversation("conv-123")
conversation_tracker.track_human_message("Look", attachments=[file], attachment_mode={mode!r})
conversation_tracker.track_agent_message("See here", attachments=[file, file], attachment_mode={mode!r})
conversation_tracker.track_attachments([file], mode={mode!r}, metadata={{"note": "later"}})
sent = conversation_tracker.send_tracked_data()
assert sent["summary"]["errors"] == 0, sent
show(agentsight_api.fetch_conversation_attachments("conv-123"))
""")
    assert listed["total_attachments"] == Attachment.objects.count() == 4
    assert [(message["sender"], len(message["attachments"])) for message in listed["messages"]] == [
        ("end_user", 1),
        ("agent", 2),
        ("end_user", 1),
    ]
    file = listed["messages"][0]["attachments"][0]
    assert (file["filename"], file["mime_type"], file["size_bytes"]) == ("screen shot.png", "image/png", len(PNG))
    assert file["file_url"].startswith(client.url)


def test_a_repetition_after_a_lost_answer_stores_nothing_twice(client: Client) -> None:
    conversation_of(client)
    client.run("""
noted = "2026-01-15T10:30:00.123456+00:00"
item = {"timestamp": noted, "metadata": {}, "conversation_id": "conv-123", "conversation": None}
http = conversation_tracker._http_client
for _ in range(2):
    http.send_payload("question", {**item, "content": "Hello", "sender": "end_user"})
    http.send_payload("action", {**item, "action_name": "look_up"})
    http.send_payload("button", {**item, "button_event": "e", "label": "Yes", "value": "y"})
show("done")
""")
    assert Message.objects.count() == 3
    assert ActionLog.objects.count() == 1


def test_what_is_refused_arrives_as_the_error_that_the_client_has_for_it(client: Client) -> None:
    foreign = make_answer(make_assistant().project)
    errors = client.run(f"""
from agentsight import exceptions
def refused(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except Exception as error:
        return [type(error).__name__, str(error)]
errors = [
    refused(conversation_manager.submit_feedback, "no-such", "positive"),
    refused(conversation_manager.submit_feedback, {foreign.conversation_id}, "positive"),
    refused(conversation_manager.rename_conversation, {foreign.conversation_id}, "Mine now"),
    refused(conversation_manager.rename_conversation, "no-such", "x"),
    refused(agentsight_api.fetch_conversation, {foreign.conversation_id}),
    refused(agentsight_api.fetch_conversation, "no-such"),
    refused(agentsight_api.fetch_conversations, started_at_after="yesterday"),
]
conversation_tracker.configure(conversation_id="conv-1")
conversation_tracker.track_button("event", "x" * 300, "value")
errors.append(conversation_tracker.send_tracked_data()["items"][0]["error"])
conversation_manager.configure(api_key="ags_" + "0" * 32 + "_000000")
errors.append(refused(conversation_manager.submit_feedback, "conv-1", "positive"))
show(errors)
""")
    *missing, bad_date, bad_label, bad_key = errors
    assert [name for name, _ in missing] == ["NotFoundException"] * 6
    assert "started_at_after" in bad_date[1]
    assert "label" in bad_label
    assert bad_key == ["UnauthorizedException", "Invalid API key."]
    assert json.dumps(errors).count("Network error") == 0
