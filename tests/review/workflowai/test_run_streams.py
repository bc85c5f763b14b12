"""Runs that answer in pieces: server-sent events as the published clients read them."""

from itertools import pairwise
from threading import BoundedSemaphore
from typing import Any

import pytest
from django.test import Client

from insights.models import LlmCall
from review.models import Run
from review.services.tokens import mint_token
from tests.factories import Member
from tests.model_server import Fault, ModelServer, Trouble
from tests.review.workflowai.calling import answering, frames, register, run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def registered(client: Client, reviewer: Member, model: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.services.agent_runs.PIECE_EVERY_SECONDS", 0.0)
    model.model = answering
    register(client, reviewer)


def test_pieces_grow_and_the_last_frame_alone_is_the_run(client: Client, reviewer: Member) -> None:
    answer = run(client, reviewer, stream=True)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")
    *pieces, last = frames(answer)

    stored = Run.objects.get()
    texts = [piece["task_output"]["answer"] for piece in pieces]
    assert len(texts) > 3
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert all(piece.keys() == {"id", "task_output"} for piece in pieces)
    assert {piece["id"] for piece in pieces} == {str(stored.pk)}
    assert last["task_output"] == {"answer": "It takes two hours on average."}
    assert last["feedback_token"] == mint_token(stored)
    assert {"duration_seconds", "cost_usd", "version"} <= last.keys()
    assert stored.status == "success"


def test_nothing_but_data_lines_is_sent(client: Client, reviewer: Member) -> None:
    content = b"".join(run(client, reviewer, stream=True).streaming_content)
    events = content.split(b"\n\n")
    assert events[-1] == b""
    assert all(event.startswith(b"data: {") and b"\n" not in event for event in events[:-1])


def test_a_reused_answer_comes_in_one_frame(client: Client, reviewer: Member, model: ModelServer) -> None:
    run(client, reviewer)
    assert len(frames(run(client, reviewer, stream=True))) == 1
    assert len(model.requests) == 1


def test_a_failure_before_the_first_piece_has_a_status(client: Client, reviewer: Member, model: ModelServer) -> None:
    model.fail_always(Trouble(Fault.RATE_LIMITED, 30))
    answer = run(client, reviewer, stream=True)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit")
    assert int(answer["Retry-After"]) > 0


def test_a_failure_in_the_middle_is_a_last_frame(client: Client, reviewer: Member, model: ModelServer) -> None:
    model.fail(Fault.CUT)
    *pieces, last = frames(run(client, reviewer, stream=True))
    assert pieces
    assert last == {
        "error": {"message": "The model cannot be reached.", "status_code": 424, "code": "provider_unavailable"}
    }
    assert Run.objects.get().status == "failed"


def test_an_answer_that_does_not_fit_is_a_last_frame_too(client: Client, reviewer: Member, model: ModelServer) -> None:
    model.model = lambda asked: {"answer": "yes", "more": [1], "answer2": 2} | {"answer": 5}
    *_, last = frames(run(client, reviewer, stream=True))
    assert last["error"]["code"] == "invalid_generation"


def test_another_model_takes_over_while_nothing_was_said(client: Client, reviewer: Member, model: ModelServer) -> None:
    model.fail(Fault.SERVER_ERROR)
    *_, last = frames(run(client, reviewer, stream=True, use_fallback=["other-model"]))
    assert last["task_output"] == {"answer": "It takes two hours on average."}
    assert model.requests[-1].body["model"] == "other-model"


@pytest.mark.django_db(transaction=True)
def test_a_reader_who_goes_away_leaves_a_failed_run_and_a_free_place(
    client: Client, reviewer: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = BoundedSemaphore(1)
    monkeypatch.setattr("projects.streams._places", places)
    answer = run(client, reviewer, stream=True)
    next(iter(answer.streaming_content))
    answer.close()
    assert Run.objects.get().error == {"code": "agent_run_failed", "message": "The request was cancelled."}
    assert LlmCall.objects.count() == 1
    assert places.acquire(blocking=False)


@pytest.mark.django_db(transaction=True)
def test_only_so_many_stream_at_once(client: Client, reviewer: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projects.streams._places", BoundedSemaphore(1))
    held = run(client, reviewer, stream=True)
    answer: Any = run(client, reviewer, "Another question", stream=True)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    held.close()
    assert frames(run(client, reviewer, "Another question", stream=True))
