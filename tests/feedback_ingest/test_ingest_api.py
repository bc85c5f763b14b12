"""Feedback sent through the ingest API is stored once, accounted for, and answered as the contract says."""

import base64
import json
from typing import Any

import pytest
from django.test import Client

from feedback_ingest.models import ConversationPart, FeedbackItem
from projects.models import Project
from projects.services import IssuedKey, issue_project_key
from sources import tallies
from sources.models import Source, SourceCount
from tests.factories import make_project, make_source

URL = "/api/1/ai-feedback/ingest"
TICKET = {
    "unique_id": "ticket-456",
    "body": "I need to export my dashboard data to Excel but I cannot find the option",
    "author": "Jane Doe",
    "user_id": "user-123",
    "created_at": "2026-03-10T09:00:00Z",
    "url": "https://support.example.com/tickets/456",
    "conversation_parts": [
        {"unique_id": "ticket-456-1", "body": "It is under Settings.", "author": "Support Agent"},
        {
            "unique_id": "ticket-456-2",
            "body": "It only exports CSV.",
            "author": "Jane Doe",
            "user_id": "user-123",
        },
    ],
}


def basic(key: IssuedKey) -> str:
    return "Basic " + base64.b64encode(f"{key.key.public}:{key.secret}".encode()).decode()


class Sender:
    """Sends to one source as an integrator would."""

    def __init__(self, project: Project) -> None:
        self.source = make_source(project)
        self.key = issue_project_key(project, "tests")
        self.client = Client()

    def post(self, items: Any, query: str = "", **headers: str) -> Any:
        return self.post_body(json.dumps({"source_id": str(self.source.pk), "items": items}), query, **headers)

    def post_body(self, body: str | bytes, query: str = "", **headers: str) -> Any:
        headers = {"Authorization": basic(self.key)} | headers
        content_type = headers.pop("content_type", "application/json")
        return self.client.post(URL + query, body, content_type=content_type, headers=headers)

    @property
    def count(self) -> SourceCount:
        return SourceCount.objects.get(source=self.source)


@pytest.fixture
def sender(project: Project) -> Sender:
    return Sender(project)


def test_a_ticket_with_replies_is_stored(sender: Sender) -> None:
    response = sender.post([TICKET])
    assert (response.status_code, response.json()) == (200, {"ingested": 1, "failed": 0, "errors": []})
    item = FeedbackItem.objects.get()
    assert (item.body, item.author, item.state) == (TICKET["body"], "Jane Doe", "waiting")
    assert list(item.parts.values_list("unique_id", flat=True)) == ["ticket-456-1", "ticket-456-2"]
    assert Source.objects.get().status == Source.Status.ACTIVE


def test_sending_the_same_again_changes_nothing(sender: Sender) -> None:
    sender.post([TICKET])
    FeedbackItem.objects.update(state="used")
    tallies.count(sender.source.pk, {"used": 1, "waiting": -1})
    response = sender.post([TICKET], "?outcomes=true")
    assert response.json()["outcomes"] == [{"unique_id": "ticket-456", "outcome": "unchanged"}]
    assert FeedbackItem.objects.get().state == "used"
    assert (sender.count.received, sender.count.unchanged, sender.count.attempts) == (1, 1, 2)


def test_new_parts_are_appended_and_reopen_the_item(sender: Sender) -> None:
    sender.post([TICKET])
    FeedbackItem.objects.update(state="used")
    tallies.count(sender.source.pk, {"used": 1, "waiting": -1})
    part = {"unique_id": "ticket-456-3", "body": "We have added Excel export.", "author": "Support Agent"}
    response = sender.post([{"unique_id": "ticket-456", "conversation_parts": [part]}], "?outcomes=true")
    assert response.json()["outcomes"][0]["outcome"] == "updated"
    item = FeedbackItem.objects.get()
    assert (item.body, item.state, item.parts.count()) == (TICKET["body"], "waiting", 3)
    assert (sender.count.waiting, sender.count.used) == (1, 0)


def test_fields_left_out_stay_and_null_clears_them(sender: Sender) -> None:
    sender.post([TICKET])
    sender.post([{"unique_id": "ticket-456", "author": None, "body": "Changed"}])
    item = FeedbackItem.objects.get()
    assert (item.author, item.body, item.user_id, item.url) == (None, "Changed", "user-123", TICKET["url"])
    assert item.created_at.isoformat() == "2026-03-10T09:00:00+00:00"


def test_a_part_sent_again_without_its_time_keeps_it(sender: Sender) -> None:
    timed = TICKET | {"conversation_parts": [{"unique_id": "p", "body": "One", "created_at": "2026-03-10T09:20:00Z"}]}
    sender.post([timed])
    sender.post([{"unique_id": "ticket-456", "conversation_parts": [{"unique_id": "p", "body": "Two"}]}])
    part = ConversationPart.objects.get()
    assert (part.body, part.created_at.isoformat()) == ("Two", "2026-03-10T09:20:00+00:00")


def test_turns_without_times_stay_in_the_order_they_were_sent(sender: Sender) -> None:
    turns = [{"unique_id": f"call-{number}", "body": f"Turn {number}"} for number in range(1, 13)]
    turns[2]["created_at"] = "2026-03-12T14:00:18Z"
    sender.post([{"unique_id": "call", "created_at": "2026-03-12T14:00:00Z", "conversation_parts": turns}])
    sender.post([{"unique_id": "call", "conversation_parts": [{"unique_id": "call-2", "body": "Turn 2"}]}])
    said = ConversationPart.objects.order_by("created_at", "pk").values_list("body", flat=True)
    assert list(said) == [turn["body"] for turn in turns]


def test_a_call_transcript_needs_no_body(sender: Sender) -> None:
    call = {"unique_id": "call-1", "conversation_parts": [{"unique_id": "c-1", "body": "Hello"}]}
    assert sender.post([call]).json()["ingested"] == 1
    assert FeedbackItem.objects.get().body is None


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"unique_id": "x", "body": "b" * 100_001}, "Body text exceeds maximum length"),
        ({"unique_id": "x"}, "A new item needs a body or conversation_parts"),
        ({"body": "no id"}, "items[0]: Object missing required field `unique_id`"),
        ({"unique_id": "x", "body": 5}, "body: Expected `str | null`, got `int`"),
        ({"unique_id": "x", "body": "b", "email": "nobody"}, "email is not an e-mail address"),
        (
            {"unique_id": "x", "body": "b", "url": "javascript:alert(1)"},
            "url must begin with http:// or https://",
        ),
        ({"unique_id": "x", "body": "b", "created_at": "yesterday"}, "created_at is not an ISO 8601 time"),
        ({"unique_id": "x", "body": "b", "metadata": []}, "metadata: Expected `object | null`, got `array`"),
        ({"unique_id": "x", "body": "b", "metadata": {"a": "m" * 17_000}}, "metadata exceeds 16384 bytes"),
        ({"unique_id": "x", "conversation_parts": [{"unique_id": "p", "body": ""}]}, "at least 1 character"),
        (
            {"unique_id": "x", "conversation_parts": [{"unique_id": "p", "body": "b", "conversation_parts": [{}]}]},
            "conversation part 'p': conversation_parts cannot be nested",
        ),
        ({"unique_id": "x", "body": "b", "created_at": "0001-01-01T00:00:00Z"}, "must lie in the years 1900 to 2199"),
        ({"unique_id": "x", "body": "b", "created_at": "9999-12-31T23:59:59Z"}, "must lie in the years 1900 to 2199"),
        ("not an object", "Expected `object`, got `str`"),
    ],
)
def test_a_bad_item_is_named_and_the_rest_is_stored(sender: Sender, bad: Any, says: str) -> None:
    answer = sender.post([bad, TICKET]).json()
    assert (answer["ingested"], answer["failed"]) == (1, 1)
    assert says in answer["errors"][0]["error"]
    assert FeedbackItem.objects.count() == 1
    assert (sender.count.received, sender.count.rejected) == (1, 1)


def test_a_part_of_another_item_is_refused(sender: Sender) -> None:
    sender.post([TICKET])
    thief = {
        "unique_id": "other",
        "body": "b",
        "conversation_parts": [{"unique_id": "ticket-456-1", "body": "x"}],
    }
    answer = sender.post([thief]).json()
    assert (answer["failed"], FeedbackItem.objects.count()) == (1, 1)


def test_an_id_repeated_in_one_request_is_one_item_and_the_last_wins(sender: Sender) -> None:
    first, last = {"unique_id": "a", "body": "one", "author": "A"}, {"unique_id": "a", "body": "two"}
    assert sender.post([first, last]).json() == {"ingested": 2, "failed": 0, "errors": []}
    item = FeedbackItem.objects.get()
    assert (item.body, item.author) == ("two", "A")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (" ", 400),
        ("not json", 400),
        ("[]", 400),
        ('{"items": []}', 400),
        ('{"source_id": 5, "items": [{}]}', 400),
        (b"\xff\xfe", 400),
        ('{"source_id": "x", "items": []}', 400),
        (json.dumps({"source_id": "x", "items": [{}] * 101}), 400),
        ("[" * 10_000, 400),
        (json.dumps({"source_id": "unknown", "items": [{}]}), 404),
        (b" " * (5 * 1024 * 1024 + 1), 413),
    ],
)
def test_a_bad_request_is_refused_whole(sender: Sender, body: str | bytes, status: int) -> None:
    response = sender.post_body(body)
    assert (response.status_code, response.json()["code"]) == (status, status)


def test_only_json_is_taken(sender: Sender) -> None:
    assert sender.post_body("{}", content_type="text/plain").status_code == 415
    assert sender.post([TICKET], **{"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!", "Bearer x", "Basic " + base64.b64encode(b"a:b").decode()])
def test_wrong_credentials_are_401(sender: Sender, header: str) -> None:
    response = sender.post([TICKET], Authorization=header)
    assert (response.status_code, FeedbackItem.objects.count()) == (401, 0)
    assert "Basic" in response["WWW-Authenticate"]


def test_a_revoked_key_is_401_at_once(sender: Sender) -> None:
    sender.key.key.revoked_at = sender.key.key.created_at
    sender.key.key.save()
    assert sender.post([TICKET]).status_code == 401


def test_a_source_of_another_project_is_404(sender: Sender) -> None:
    sender.source = make_source(make_project())
    assert sender.post([TICKET]).status_code == 404


def test_a_paused_source_takes_nothing(sender: Sender) -> None:
    Source.objects.update(status="paused")
    assert sender.post([TICKET]).status_code == 409


def test_a_dry_run_tells_and_stores_nothing(sender: Sender) -> None:
    answer = sender.post([TICKET, {"unique_id": "x"}], "?dry_run=true&outcomes=true").json()
    assert [item["outcome"] for item in answer["outcomes"]] == ["created", "rejected"]
    assert (FeedbackItem.objects.count(), sender.count.attempts) == (0, 0)


@pytest.mark.parametrize("query", ["?dry_run=yes", "?dry_run", "?outcomes=all"])
def test_a_switch_that_is_neither_on_nor_off_is_refused_rather_than_guessed(sender: Sender, query: str) -> None:
    response = sender.post([TICKET], query)
    assert (response.status_code, FeedbackItem.objects.count()) == (400, 0)
    assert "must be true or false" in response.json()["error"]


def test_an_idempotency_key_replays_its_answer(sender: Sender) -> None:
    key = {"Idempotency-Key": "k1"}
    first = sender.post([TICKET, {"unique_id": "x"}], **key).json()
    FeedbackItem.objects.all().delete()
    assert sender.post([TICKET, {"unique_id": "x"}], **key).json() == first
    assert FeedbackItem.objects.count() == 0
    assert sender.post([TICKET], **key).status_code == 422


def test_more_than_the_quota_is_429_with_retry_after(sender: Sender, settings: Any, monkeypatch: Any) -> None:
    settings.INGEST_REQUESTS_PER_SECOND = 2
    monkeypatch.setattr("feedback_ingest.quota.time.time", lambda: 1_000.0)
    answers = [sender.post([TICKET]) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1]["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("sent", "utc"),
    [
        ("2026-03-15T10:30:00.1234567Z", "2026-03-15T10:30:00.123456+00:00"),
        ("2026-03-15t10:30:00z", "2026-03-15T10:30:00+00:00"),
        ("2026-03-15T10:30:00+05:30", "2026-03-15T05:00:00+00:00"),
        ("2026-03-15", "2026-03-15T00:00:00+00:00"),
    ],
)
def test_a_time_is_read_with_any_offset(sender: Sender, sent: str, utc: str) -> None:
    sender.post([{"unique_id": "u", "body": "b", "created_at": sent}])
    assert FeedbackItem.objects.get().created_at.isoformat() == utc


def test_half_a_character_costs_itself_and_nothing_else(sender: Sender) -> None:
    body = "é 😀 \\ud83d \\"
    answer = sender.post([{"unique_id": "cut", "body": body + "\ud83d"}, {"unique_id": "whole", "body": body}])
    assert answer.json() == {"ingested": 2, "failed": 0, "errors": []}
    assert dict(FeedbackItem.objects.values_list("unique_id", "body")) == {"cut": body + "\ufffd", "whole": body}


def test_nul_characters_are_dropped_and_other_text_is_kept_as_sent(sender: Sender) -> None:
    sender.post([{"unique_id": "u", "body": "a\x00b 👩‍👩‍👧 é e\u0301 \u202eabc"}])
    assert FeedbackItem.objects.get().body == "ab 👩‍👩‍👧 é e\u0301 \u202eabc"
