"""Suggested answers in the review queue: streamed, limited, and never more than a draft."""

import json
from typing import Any

import pytest
from django.test import Client

from projects.streams import AT_ONCE, bounded
from review.models import Feedback, GoldenExample, ReviewDraft
from tests.factories import Member
from tests.model_server import Asked, CallTool, Fault, ModelServer, Reply, Trouble
from tests.review.pages import address, do, make_queue, see, toasts, words

pytestmark = pytest.mark.django_db


def test_without_a_model_suggestions_say_which_setting_is_missing(client: Client, reviewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    page = see(client, reviewer)
    assert "OPENAI_API_KEY" in words(page)
    asked = do(client, reviewer, feedback, "suggest")
    assert toasts(asked) == ["No suggestion. No model is configured."]


def steps(client: Client, member: Member, feedback: Feedback) -> list[dict[str, Any]]:
    """Let the model suggest, and return the lines that the page reads."""
    client.force_login(member.user)
    answer: Any = client.post(address(member, feedback, "suggest/stream"))
    return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]


def looks_up_first(asked: Asked) -> Reply:
    if any(message["role"] == "tool" for message in asked.messages):
        return "It depends on the severity."
    return CallTool((("search_knowledge", {"query": "resolution time"}),))


def test_a_suggestion_streams_with_its_tools_and_is_never_more_than_a_draft(
    client: Client, reviewer: Member, model: ModelServer
) -> None:
    [feedback] = make_queue(reviewer, 1)
    model.model = looks_up_first
    lines = steps(client, reviewer, feedback)
    assert lines[0] == {"tool": "search knowledge"}
    assert "".join(line.get("words", "") for line in lines) == "It depends on the severity."
    assert (lines[-1]["done"], lines[-1]["tools"]) == ("It depends on the severity.", 1)
    feedback.refresh_from_db()
    assert (feedback.status, GoldenExample.objects.count()) == ("pending", 0)
    page = see(client, reviewer)
    assert page.context["suggestion"] == "It depends on the severity."
    assert page.context["editor"] == "Answer 0."


def test_a_model_that_takes_too_long_becomes_a_line_to_try_again(
    client: Client, reviewer: Member, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    [feedback] = make_queue(reviewer, 1)
    monkeypatch.setattr("review.services.suggestions.SECONDS", 1.0)
    model.fail_always(Trouble(Fault.DELAY, 3))
    assert steps(client, reviewer, feedback) == [{"failed": "Timeout after 1 seconds"}]
    assert not ReviewDraft.objects.exists()


def test_while_all_streams_are_taken_who_asks_is_told_to_wait(client: Client, reviewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    client.force_login(reviewer.user)
    taken = [bounded(iter(())) for _ in range(AT_ONCE)]
    try:
        refused = client.post(address(reviewer, feedback, "suggest/stream"))
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    finally:
        for stream in taken:
            stream.close()
