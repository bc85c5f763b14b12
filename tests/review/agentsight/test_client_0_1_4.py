"""The published client of the second generation, unchanged, against our server by its base URL alone."""

from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from feedback_ingest.models import Attachment, Message, Span, TokenUsage
from projects.models import Project
from review.models import Feedback
from review.services.counts import satisfaction
from tests.clients.environments import python_of
from tests.clients.scripts import run_python
from tests.review.agentsight.factories import PNG, Assistant, make_assistant
from tests.review.factories import make_answer, make_conversation

pytestmark = [pytest.mark.clients, pytest.mark.django_db(transaction=True)]

TURN = """
@agentsight.tool(name="search_orders")
def search_orders(number):
    return {"status": "sent", "number": number}

with agentsight.conversation(
    "wa-3859", customer_id="customer-7", customer_ip_address="192.0.2.7", device="mobile", source="whatsapp",
    language="en", name="Where is my order?", environment="production", metadata={"plan": "pro"},
):
    with agentsight.turn():
        agentsight.user_message("Where is my order?", metadata={"channel": "text"})
        search_orders(4711)
        agentsight.agent_message("It was sent today.")
    agentsight.button("choose", label="Thanks", value="bye")
assert agentsight.flush() is True
"""


class Client:
    """Runs scripts in which the tracker is started and `ags` reads; `show` prints the result."""

    def __init__(self, assistant: Assistant, url: str, folder: Path) -> None:
        self.assistant = assistant
        self.url = url
        self.folder = folder

    def run(self, script: str) -> Any:
        """Return what the script shows."""
        head = (
            "import json\n"
            "import agentsight\n"
            "from agentsight.api import AgentSight\n"
            "agentsight.init()\n"
            "ags = AgentSight()\n"
            "def show(value): print('\\n' + json.dumps(value))\n"
            "def refused(call, *arguments, **named):\n"
            "    try: call(*arguments, **named)\n"
            "    except Exception as error: return [type(error).__name__, str(error)]\n"
        )
        return run_python(
            python_of("agentsight-0.1.4"),
            head + script,
            self.folder,
            AGENTSIGHT_API_KEY=self.assistant.key,
            AGENTSIGHT_API_ENDPOINT=self.url,
        )


@pytest.fixture
def client(project: Project, live_server: LiveServer, tmp_path: Path, settings: Settings) -> Client:
    settings.MEDIA_ROOT = tmp_path / "media"
    return Client(make_assistant(project), live_server.url, tmp_path)


def test_a_tracked_turn_is_a_transcript(client: Client) -> None:
    shown = client.run(TURN + "show(ags.conversations.get('wa-3859'))")

    assert shown["conversation_id"] == "wa-3859"
    assert (shown["customer_id"], shown["device"], shown["source"]) == ("customer-7", "mobile", "whatsapp")
    assert shown["environment"] == "production"
    assert shown["metadata"] == {"plan": "pro"}
    assert shown["is_used"] is True
    assert sorted(message["content"] for message in shown["messages"]) == [
        "Action search_orders performed",
        "It was sent today.",
        "Thanks",
        "Where is my order?",
    ]
    asked = next(message for message in shown["messages"] if message["content"] == "Where is my order?")
    acted = next(message for message in shown["messages"] if message["action_name"])
    assert (asked["sender"], asked["metadata"]) == ("end_user", {"channel": "text"})
    assert "sent" in acted["action_logs"][0]["response"]
    assert shown["tickets"] == []


def test_a_turn_that_failed_is_kept_and_told_to_nobody(client: Client) -> None:
    shown = client.run("""
try:
    with agentsight.conversation("c-1"):
        with agentsight.turn():
            agentsight.user_message("Hello")
            raise RuntimeError("it broke")
except RuntimeError:
    pass
agentsight.flush()
show(ags.conversations.get("c-1")["messages"])
""")
    assert shown == []
    kept: Any = Span.objects.get(kind="turn").payload
    assert kept["attributes"]["agentsight.turn.incomplete_reason"] == "error"


def test_large_batches_travel_compressed(client: Client) -> None:
    shown = client.run("""
import time
from agentsight import _settings
from agentsight.sdk import exporter
for _ in range(100):
    if _settings.has_capability(_settings.GZIP_INGEST):
        break
    time.sleep(0.05)
compressed = []
zip_it = exporter.gzip.compress
exporter.gzip.compress = lambda *given, **named: compressed.append(1) or zip_it(*given, **named)
with agentsight.conversation("c-1"):
    for number in range(40):
        with agentsight.turn():
            agentsight.user_message("word " * 200)
assert agentsight.flush() is True
show([len(compressed) > 0, len(ags.conversations.get("c-1")["messages"])])
""")
    assert shown == [True, 40]


def test_feedback_of_every_kind_is_given_changed_and_removed(client: Client, project: Project) -> None:
    answer = make_answer(project, conversation_id="wa-1")
    shown = client.run(f"""
f = ags.feedbacks
by_id = f.create_for_conversation("wa-1", "positive", "Good")
by_number = f.create_for_conversation({answer.conversation_id}, "neutral")
vote = f.create_for_message({answer.pk}, "negative", "Too bold", topic="style", reason="too_bold")
again = f.create_for_message({answer.pk}, "positive")
overall = f.create_for_agent("positive", "Fine", environment="development")
changed = f.update(again["id"], comment="On reflection fine", reason="fits")
listed = [row["id"] for row in f.list()]
page = f.page(kind="message", topic="style")
one = f.get(vote["id"])
f.delete(by_number["id"])
left = f.page().extra["counts"]
gone = refused(f.get, by_number["id"])
slugs = refused(f.update, by_id["id"], topic="style")
show([by_id, by_number, vote, again, overall, changed, listed, page.extra, one, left, gone, slugs])
""")
    by_id, by_number, vote, again, overall, changed, listed, extra, one, left, gone, slugs = shown
    assert by_id["kind"] == "conversation"
    assert by_id["conversation"] == by_number["conversation"] == answer.conversation_id
    assert vote["id"] == again["id"]
    assert (again["sentiment"], again["topic"], again["reason"]) == ("positive", "style", "too_bold")
    assert (again["comment"], changed["comment"], changed["reason"]) == ("Too bold", "On reflection fine", "fits")
    assert (overall["kind"], overall["environment"], overall["agent"]) == (
        "agent",
        "development",
        client.assistant.agent.pk,
    )
    assert listed == [overall["id"], vote["id"], by_number["id"], by_id["id"]]
    assert extra == {"counts": {"all": 1}}
    assert one["ticket"] is None
    assert left == {"all": 3}
    assert gone[0] == "NotFoundError"
    assert slugs[0] == "ValidationError"
    assert satisfaction(project).positive == 2, "what comes from development does not count"
    assert set(Feedback.objects.values_list("origin", flat=True)) == {"customer"}


def test_conversations_are_listed_and_managed(client: Client, project: Project) -> None:
    conversation = make_conversation(project, conversation_id="wa-1", metadata={"plan": "pro", "trial": True})
    make_conversation(project, conversation_id="wa-2", environment="development")
    shown = client.run(f"""
c = ags.conversations
listed = [row["conversation_id"] for row in c.list()]
full = [len(row["messages"]) for row in c.list_full()]
production = [row["conversation_id"] for row in c.list(environment="production")]
by_metadata = [row["conversation_id"] for row in c.list(metadata_key="plan", metadata_value="pro")]
searched = [row["conversation_id"] for row in c.list(search="WA-2", ordering="-started_at")]
ticketed = c.list(include_tickets=True).count()
renamed = c.rename("wa-1", "Better name")
marked = c.mark({conversation.pk})
updated = c.update("wa-1", language="fr", device="desktop")
merged = c.update_metadata("wa-1", {{"seats": 3}}, remove=["trial"])
keys, values = c.metadata_keys(), c.metadata_values("plan")
message_keys = c.message_metadata_keys()
number = c.resolve("wa-1")
deleted = c.delete("wa-1")
left = [row["conversation_id"] for row in c.list()]
still = c.get("wa-1", full=False)["is_deleted"]
show([listed, full, production, by_metadata, searched, ticketed, renamed, marked, updated, merged, keys, values,
      message_keys, number, deleted, left, still])
""")
    (listed, full, production, by_metadata, searched, ticketed, renamed, marked, updated, merged, keys, values,
     message_keys, number, deleted, left, still) = shown  # fmt: skip
    assert listed == ["wa-2", "wa-1"]
    assert full == [0, 0]
    assert production == by_metadata == ["wa-1"]
    assert searched == ["wa-2"]
    assert ticketed == 0
    assert renamed["name"] == "Better name"
    assert marked["is_marked"] is True
    assert (updated["language"], updated["device"]) == ("fr", "desktop")
    assert merged["metadata"] == {"plan": "pro", "seats": 3}
    assert (keys, values, message_keys) == (["plan", "seats"], ["pro"], [])
    assert number == conversation.pk
    assert deleted["is_deleted"] is True
    assert (left, still) == (["wa-2"], True)


def test_messages_get_metadata_later(client: Client, project: Project) -> None:
    answer = make_answer(project)
    shown = client.run(f"""
ags.messages.update({answer.pk}, metadata={{"draft": 1, "score": 0}})
merged = ags.messages.update_metadata({answer.pk}, {{"verdict": None}}, remove=["draft"])
show([merged, ags.messages.get({answer.pk})])
""")
    merged, message = shown
    assert merged["metadata"] == message["metadata"] == {"score": 0, "verdict": None}
    assert message["content"] == answer.content


def test_actions_are_defined_once_and_adopted_by_their_name(client: Client) -> None:
    shown = client.run(
        """
defined = ags.actions.create("search_orders", display_name="Search orders")
again = refused(ags.actions.create, "search_orders")
"""
        + TURN
        + """
listed = list(ags.actions.list())
changed = ags.actions.update(defined["id"], description="Looks orders up")
logs = ags.actions.logs(defined["id"])
show([defined, again, listed, changed, logs, ags.actions.get(defined["id"])])
"""
    )
    defined, again, listed, changed, logs, one = shown
    assert again[0] == "ValidationError"
    assert [action["id"] for action in listed] == [defined["id"]]
    assert changed["display_name"] == "Search orders"
    assert one["description"] == "Looks orders up"
    assert len(logs) == 1


def test_token_usage_is_counted_by_turn_and_model_and_priced(client: Client) -> None:
    shown = client.run("""
from agentsight.sdk.core import get_tracer
from agentsight.sdk import context
def call(model, into, out):
    attributes = dict(context.conversation_attributes()) | {
        "agentsight.span.kind": "llm", "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": into, "gen_ai.usage.output_tokens": out,
    }
    get_tracer().start_span("chat", attributes=attributes).end()
with agentsight.conversation("c-1"):
    with agentsight.turn():
        call("gpt-4o-mini-2024-07-18", 1000, 500)
        call("gpt-4o-mini-2024-07-18", 1000, 500)
        call("unknown-model", 10, 10)
        agentsight.agent_message("Hello")
agentsight.flush()
u = ags.usage
show([list(u.list()), u.summary(), u.summary("day"), u.summary("conversation", cost_source="unpriced"),
      ags.conversations.get("c-1")["token_usage"]])
""")
    rows, by_model, by_day, unpriced, of_conversation = shown
    assert TokenUsage.objects.count() == len(rows) == 2
    priced = next(row for row in rows if row["cost_source"] == "backend")
    assert (priced["calls"], priced["prompt_tokens"], priced["completion_tokens"]) == (2, 2000, 1000)
    assert priced["cost_usd"] == "0.00090000"
    assert [result["group"] for result in by_model["results"]] == ["gpt-4o-mini-2024-07-18", "unknown-model"]
    assert by_day["results"][0]["total_tokens"] == 3020
    assert unpriced["results"][0]["group"] == "c-1"
    assert unpriced["results"][0]["cost_usd"] == 0
    assert of_conversation["total_tokens"] == 3020
    assert of_conversation["cost_sources"] == ["backend", "unpriced"]


def test_uploads_find_or_begin_their_conversation_and_come_back_by_their_link(client: Client) -> None:
    listed = client.run(f"""
png = {PNG!r}
first = agentsight.upload_attachments({{"filename": "a.png", "data": png}}, "wa-1")
message = ags.conversations.get("wa-1")["messages"][0]["id"]
agentsight.upload_attachments([{{"filename": "b.png", "data": png}}], "wa-1", message_id=message)
elsewhere = refused(agentsight.upload_attachments, {{"filename": "b.png", "data": png}}, "wa-2", message_id=message)
show([first, ags.conversations.attachments("wa-1"), elsewhere])
""")
    first, listing, elsewhere = listed
    assert listing["total_attachments"] == Attachment.objects.count() == 2
    assert len(listing["messages"]) == 1
    assert elsewhere[0] == "UploadError"
    assert first["id"] == Message.objects.get().pk
    fetched = requests.get(listing["messages"][0]["attachments"][0]["file_url"], timeout=10)
    assert fetched.content == PNG
    assert fetched.headers["Content-Disposition"].startswith("attachment")
    assert fetched.headers["X-Content-Type-Options"] == "nosniff"


def test_the_key_knows_whose_it_is_and_there_are_no_tickets(client: Client) -> None:
    me, environments, tickets, no_ticket = client.run(
        "show([ags.me(), ags.environments(), list(ags.tickets.list(status=['open'])), refused(ags.tickets.get, 1)])"
    )
    assert (me["agent_id"], me["agent_name"], me["role"]) == (
        client.assistant.agent.pk,
        client.assistant.agent.name,
        "write",
    )
    assert environments == ["production", "development"]
    assert tickets == []
    assert no_ticket[0] == "NotFoundError"
