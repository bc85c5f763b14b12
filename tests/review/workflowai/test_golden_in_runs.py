"""Golden examples really act: they stand in the prompts of runs, while they are in use and on the prompts' side."""

import json
from typing import Any

import pytest
from django.test import Client

from review.models import GoldenExample, Run
from review.services.golden import create_example, move_to_split, update_example
from tests.factories import Member
from tests.model_server import ModelServer
from tests.review.workflowai.calling import AGENT, answering, call, register, run

pytestmark = pytest.mark.django_db

QUESTION = "How long does it take to resolve an incident?"
GOLDEN = '{"answer": "Ninety minutes, as the last quarter shows."}'


@pytest.fixture(autouse=True)
def registered(client: Client, reviewer: Member, model: ModelServer) -> None:
    model.model = answering
    register(client, reviewer)


def make_golden(member: Member, answer: str = GOLDEN, question: str = QUESTION) -> GoldenExample:
    query = json.dumps({"question": question}, indent=2)
    return create_example(member.project, actor=member.user, original_query=query, golden_response=answer)


def turns(model: ModelServer) -> list[str]:
    """Return what stands between the instructions and the input of the last request."""
    return [message["content"] for message in model.requests[-1].messages[1:-1]]


def test_an_example_stands_in_the_prompt_as_a_question_with_its_answer(
    client: Client, reviewer: Member, model: ModelServer
) -> None:
    example = make_golden(reviewer)
    run(client, reviewer, QUESTION)
    assert turns(model) == [example.original_query, GOLDEN]
    assert [message["role"] for message in model.requests[-1].messages] == ["system", "user", "assistant", "user"]
    assert Run.objects.get().examples == [example.pk]


def test_an_example_that_is_switched_off_is_gone_from_the_next_prompt(
    client: Client, reviewer: Member, model: ModelServer
) -> None:
    example = make_golden(reviewer)
    run(client, reviewer, QUESTION)
    update_example(example, actor=reviewer.user, is_active=False)
    run(client, reviewer, QUESTION)
    assert len(model.requests) == 2, "what the example led to is not reused"
    assert "Ninety minutes" not in json.dumps(model.requests[-1].body)
    assert Run.objects.latest("created_at").examples == []


def test_an_example_for_evaluation_is_in_no_prompt(client: Client, reviewer: Member, model: ModelServer) -> None:
    move_to_split(make_golden(reviewer), "evaluation", actor=reviewer.user)
    run(client, reviewer, QUESTION)
    assert turns(model) == []


def test_a_run_may_be_asked_without_examples(client: Client, reviewer: Member, model: ModelServer) -> None:
    make_golden(reviewer)
    run(client, reviewer, QUESTION, use_examples=False)
    assert turns(model) == []


def test_an_example_about_something_else_or_of_another_project_is_left_out(
    client: Client, reviewer: Member, stranger: Member, model: ModelServer
) -> None:
    make_golden(reviewer, question="Which colours does the summer jacket come in?")
    make_golden(stranger)
    run(client, reviewer, QUESTION)
    assert turns(model) == []


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("Ninety minutes.", ['{"answer": "Ninety minutes."}']),
        ('{"reply": "Ninety minutes."}', []),
        ('{"answer": 90}', []),
    ],
)
def test_an_answer_is_shown_in_the_form_of_the_agent_or_not_at_all(
    client: Client, reviewer: Member, model: ModelServer, answer: str, shown: list[str]
) -> None:
    make_golden(reviewer, answer)
    run(client, reviewer, QUESTION)
    assert turns(model)[1::2] == shown


def test_a_liked_answer_helps_with_the_next_question(client: Client, reviewer: Member, model: ModelServer) -> None:
    token = run(client, reviewer, QUESTION).json()["feedback_token"]
    body: dict[str, Any] = {"feedback_token": token, "outcome": "positive"}
    assert client.post("/v1/feedback", body, "application/json").status_code == 200
    run(client, reviewer, "How long do you take to resolve incidents?")
    assert [json.loads(turn) for turn in turns(model)] == [
        {"question": QUESTION},
        {"answer": "It takes two hours on average."},
    ]


def test_a_streamed_run_has_its_examples_too(client: Client, reviewer: Member, model: ModelServer) -> None:
    make_golden(reviewer)
    answer = call(
        client, reviewer, f"agents/{AGENT}/schemas/1/run", {"task_input": {"question": QUESTION}, "stream": True}
    )
    assert b"".join(answer.streaming_content)
    assert turns(model)[1:] == [GOLDEN]
