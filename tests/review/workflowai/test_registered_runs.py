"""Runs that were executed elsewhere are registered, so that users can judge them."""

from typing import Any

import pytest
from django.test import Client

from review.models import Feedback, Run
from tests.factories import Member
from tests.review.workflowai.calling import AGENT, call

pytestmark = pytest.mark.django_db

BODY: dict[str, Any] = {"id": "run-1", "task_input": {"question": "?"}, "task_output": {"answer": "Yes"}}


def register_run(client: Client, member: Member, **fields: Any) -> Any:
    return call(client, member, f"agents/{AGENT}/runs", BODY | fields)


def test_a_registered_run_gets_a_token_that_takes_a_verdict(client: Client, reviewer: Member) -> None:
    details = {
        "version": {"model": "their-model"},
        "metadata": {"user_id": "u1"},
        "cost_usd": 0.25,
        "duration_seconds": 1.5,
        "created_at": "2026-01-02T03:04:05Z",
    }
    answer = register_run(client, reviewer, **details)
    run = Run.objects.get()
    assert answer.status_code == 201
    assert (run.origin, run.external_id, run.model, run.user_id) == ("registered", "run-1", "their-model", "u1")
    assert answer.json()["created_at"] == "2026-01-02T03:04:05Z"
    assert answer.json()["cost_usd"] == 0.25
    body = {"feedback_token": answer.json()["feedback_token"], "outcome": "negative"}
    assert client.post("/v1/feedback", body, "application/json").status_code == 200
    assert Feedback.objects.get().run == run


def test_the_same_run_registered_again_is_the_same(client: Client, reviewer: Member) -> None:
    first, second = register_run(client, reviewer), register_run(client, reviewer)
    assert first.json() == second.json()
    assert Run.objects.count() == 1


def test_a_known_id_with_another_content_is_refused(client: Client, reviewer: Member) -> None:
    register_run(client, reviewer)
    assert register_run(client, reviewer, task_output="No").status_code == 409
    assert Run.objects.get().output == {"answer": "Yes"}


def test_the_same_id_in_another_project_is_another_run(client: Client, reviewer: Member, stranger: Member) -> None:
    register_run(client, reviewer)
    assert register_run(client, stranger, task_output="No").status_code == 201
    assert Run.objects.count() == 2


def test_runs_without_an_id_are_all_different_and_text_is_an_answer(client: Client, reviewer: Member) -> None:
    for _ in range(2):
        assert register_run(client, reviewer, id=None, task_output="Yes.").json()["task_output"] == "Yes."
    assert list(Run.objects.values_list("answer", flat=True)) == ["Yes.", "Yes."]


def test_a_run_is_shown_with_all_that_is_known_of_it(client: Client, reviewer: Member) -> None:
    registered = register_run(client, reviewer).json()
    assert call(client, reviewer, f"agents/{AGENT}/runs/{registered['id']}").json() == registered
    assert call(client, reviewer, f"agents/{AGENT}/runs").json() == {"items": [registered], "count": 1}
    for wrong in ("x", "00000000-0000-0000-0000-000000000000"):
        answer = call(client, reviewer, f"agents/{AGENT}/runs/{wrong}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "agent_run_not_found")
