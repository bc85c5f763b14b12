"""Verdicts over REST: whose they are, what they change, and what of them counts."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from projects.models import Project
from review.models import Feedback
from review.services.counts import satisfaction
from tests.factories import Member
from tests.review.agentsight.factories import MISSING, Assistant
from tests.review.factories import make_answer, make_conversation, make_feedback, make_run_feedback

pytestmark = pytest.mark.django_db

QUERIES_OF_A_LIST = 3


def submit(assistant: Assistant, **body: Any) -> Any:
    return assistant.post("conversation-feedbacks/", {"sentiment": "positive"} | body)


def give(assistant: Assistant, **body: Any) -> Any:
    return assistant.post("feedbacks/", {"kind": "conversation", "sentiment": "positive"} | body)


def by_bearer(member: Member, path: str, body: Any, method: str = "post") -> Any:
    return getattr(Client(), method)(f"/api/{path}", body, "application/json", headers=member.headers)


def test_a_key_speaks_for_a_customer_and_a_bearer_for_the_platform(
    assistant: Assistant, owner: Member, project: Project, client: Client
) -> None:
    make_conversation(project, conversation_id="c-1")
    password = {"email": owner.user.email, "password": "correct horse battery"}
    jwt = client.post("/api/token/", password, "application/json").json()["access"]
    body = {"sentiment": "negative", "conversation_id": "c-1", "comment": "No", "metadata": {"rating": 1}}

    by_key = assistant.post("conversation-feedbacks/", body)
    by_token = by_bearer(owner, "conversation-feedbacks/", body)
    by_jwt = client.post(
        "/api/conversation-feedbacks/", body, "application/json", headers={"Authorization": f"Bearer {jwt}"}
    )

    assert [answer.status_code for answer in (by_key, by_token, by_jwt)] == [201] * 3
    assert [answer.json()["source"] for answer in (by_key, by_token, by_jwt)] == ["customer", "platform", "platform"]
    assert by_key.json()["metadata"] == {"rating": 1}
    assert satisfaction(project).negative == 1
    assert Feedback.objects.filter(user=owner.user).count() == 2


def test_the_answer_is_what_the_contract_says(assistant: Assistant) -> None:
    conversation = make_conversation(assistant.project)
    answer = submit(assistant, conversation=conversation.pk, comment="x" * 5_000, metadata={"a": [1, None, "ü"]}).json()
    feedback = Feedback.objects.get()
    told = ("id", "conversation", "sentiment", "source", "comment", "metadata")
    assert {name: answer[name] for name in told} == {
        "id": feedback.pk, "conversation": conversation.pk, "sentiment": "positive", "source": "customer",
        "comment": "x" * 5_000, "metadata": {"a": [1, None, "ü"]},
    }  # fmt: skip
    assert answer["created_at"]
    submit(assistant, conversation=conversation.pk)
    assert Feedback.objects.count() == 2, "each call adds one"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"sentiment": "fine", "conversation_id": "c-1"}, ["sentiment"]),
        ({"sentiment": None, "conversation_id": "c-1"}, ["sentiment"]),
        ({"conversation_id": "c-1", "comment": "x" * 5_001}, ["comment"]),
        ({"conversation_id": "c-1", "comment": {"text": 1}}, ["comment"]),
        ({"conversation_id": "c-1", "metadata": "text"}, ["metadata"]),
        ({"conversation_id": "c-1", "metadata": {"a": "x" * 300_000}}, ["metadata"]),
        ({}, ["conversation"]),
        ({"conversation_id": ""}, ["conversation"]),
        ({"conversation": "abc"}, ["conversation"]),
        ({"conversation": True}, ["conversation"]),
    ],
)
def test_what_is_wrong_is_named(assistant: Assistant, body: dict[str, Any], fields: list[str]) -> None:
    make_conversation(assistant.project, conversation_id="c-1")
    for answer in (submit(assistant, **body), give(assistant, **body)):
        assert (answer.status_code, sorted(answer.json())) == (400, fields)
    assert not Feedback.objects.exists()


def test_what_is_not_there_is_a_404(assistant: Assistant) -> None:
    for answer in (
        submit(assistant, conversation=MISSING), submit(assistant, conversation_id="no"),
        give(assistant, conversation_id="no"), give(assistant, kind="message", message=MISSING),
        give(assistant, kind="agent", agent=MISSING), assistant.get(f"feedbacks/{MISSING}/"),
        assistant.patch(f"feedbacks/{MISSING}/", {"comment": "x"}), assistant.delete(f"feedbacks/{MISSING}/"),
        assistant.get("feedbacks/99999999999999999999999/"),
    ):  # fmt: skip
        assert (answer.status_code, list(answer.json())) == (404, ["detail"])


def test_kinds_take_only_what_belongs_to_them(assistant: Assistant) -> None:
    message = make_answer(assistant.project, conversation_id="c-1")
    assert give(assistant, conversation_id="c-1", topic="style").json().keys() == {"topic"}
    assert give(assistant, conversation_id="c-1", environment="production").json().keys() == {"environment"}
    assert give(assistant, kind="message").json().keys() == {"message"}
    assert give(assistant, kind="message", message=message.pk, topic="x" * 51).json().keys() == {"topic"}
    assert give(assistant, kind="agent", environment="staging").json().keys() == {"environment"}
    assert give(assistant, kind="run").status_code == 400
    assert give(assistant, kind="product").status_code == 403
    assert give(assistant, kind="agent").json()["agent"] == assistant.agent.pk


def test_a_message_has_one_vote_that_a_repetition_changes(assistant: Assistant) -> None:
    message = make_answer(assistant.project)
    first = give(assistant, kind="message", message=message.pk, topic="style", comment="Long", metadata={"a": 1})
    again = give(assistant, kind="message", message=str(message.uuid), sentiment="negative")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert (again.json()["sentiment"], again.json()["topic"], again.json()["comment"], again.json()["metadata"]) == (
        "negative", "style", "Long", {"a": 1},
    )  # fmt: skip
    assert satisfaction(assistant.project).negative == 1


def test_the_platform_never_replaces_a_customers_vote(assistant: Assistant, owner: Member) -> None:
    message = make_answer(assistant.project)
    theirs = give(assistant, kind="message", message=message.pk, sentiment="negative").json()
    ours = by_bearer(owner, "feedbacks/", {"kind": "message", "message": message.pk, "sentiment": "positive"})
    assert (ours.status_code, ours.json()["source"]) == (201, "platform")
    assert (satisfaction(assistant.project).negative, satisfaction(assistant.project).positive) == (1, 0)
    assert assistant.get(f"track/{message.pk}/").json()["feedback"]["id"] == theirs["id"]
    for refused in (
        by_bearer(owner, f"feedbacks/{theirs['id']}/", {"sentiment": "positive"}, "patch"),
        assistant.patch(f"feedbacks/{ours.json()['id']}/", {"sentiment": "negative"}),
        assistant.delete(f"feedbacks/{ours.json()['id']}/"),
    ):
        assert refused.status_code == 403


def test_a_verdict_on_an_answer_waits_for_review_and_the_others_do_not(assistant: Assistant, project: Project) -> None:
    message = make_answer(project)
    give(assistant, kind="message", message=message.pk, sentiment="negative", reason="too_bold")
    give(assistant, conversation=message.conversation_id, sentiment="negative")
    reviewable = Feedback.objects.reviewable().get()
    assert (reviewable.message, reviewable.reason, reviewable.original_response) == (
        message,
        "too_bold",
        message.content,
    )


def test_the_list_is_filtered_and_counted(
    assistant: Assistant, sibling: Assistant, owner: Member, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    message = make_answer(assistant.project, conversation_id="c-1", agent=assistant.agent)
    vote = give(assistant, kind="message", message=message.pk, topic="style", reason="bold").json()["id"]
    said = give(assistant, conversation_id="c-1", sentiment="negative", comment="Far too slow").json()["id"]
    general = give(assistant, kind="agent", environment="development", sentiment="neutral").json()["id"]
    make_run_feedback(assistant.project)
    give(sibling, kind="agent")

    def found(**asked: Any) -> list[int]:
        answer = assistant.get("feedbacks/", **asked)
        assert answer.json()["counts"] == {"all": answer.json()["count"]}
        return [row["id"] for row in answer.json()["results"]]

    with django_assert_num_queries(QUERIES_OF_A_LIST):
        assert found() == [general, said, vote]
    assert found(ordering="created_at") == [vote, said, general]
    assert found(kind="message") == found(topic="style") == found(reason="bold") == found(message=message.pk) == [vote]
    assert found(sentiment="negative") == found(has_comment="true") == found(comment_contains="SLOW") == [said]
    assert found(search="slow") == [said]
    assert found(conversation_id="c-1") == found(conversation=message.conversation_id) == [said, vote]
    assert found(env="development") == [general]
    assert found(agent=assistant.agent.pk) == [general, said, vote]
    assert found(user=owner.user.pk) == found(category="idea") == found(kind="product") == []
    assert found(created_at_before="2020-01-01") == []
    for wrong in ({"has_ticket": "true"}, {"ticket_status": "open"}, {"kind": "x"}, {"message": "x"}):
        assert assistant.get("feedbacks/", **wrong).status_code == 400
    ticketed = assistant.get("feedbacks/", include_tickets="true", ticket_status="open").json()
    assert ticketed["counts"] == {
        "all": 0, "tickets": 0, "open_tickets": 0, "backlog": 0, "open": 0, "in_progress": 0, "in_review": 0,
        "done": 0, "closed": 0,
    }  # fmt: skip


def test_verdicts_of_another_are_not_there(assistant: Assistant, sibling: Assistant, foreigner: Assistant) -> None:
    verdict = give(assistant, kind="agent").json()["id"]
    for other in (sibling, foreigner):
        assert other.get("feedbacks/").json()["count"] == 0
        for answer in (
            other.get(f"feedbacks/{verdict}/"), other.patch(f"feedbacks/{verdict}/", {"comment": "x"}),
            other.delete(f"feedbacks/{verdict}/"), give(other, kind="agent", agent=assistant.agent.pk),
        ):  # fmt: skip
            assert answer.status_code == 404


def test_what_a_user_submitted_elsewhere_is_listed_and_cannot_be_changed_by_the_key(
    assistant: Assistant, owner: Member
) -> None:
    feedback = make_feedback(owner.user, assistant.project, reason="Wrong")
    assert assistant.get(f"feedbacks/{feedback.pk}/").json()["reason"] == "Wrong"
    assert assistant.patch(f"feedbacks/{feedback.pk}/", {"sentiment": "positive"}).status_code == 403


def test_a_comment_can_be_taken_away_and_nothing_changes_by_nothing(assistant: Assistant) -> None:
    verdict = give(assistant, kind="agent", comment="x").json()["id"]
    assert assistant.patch(f"feedbacks/{verdict}/", {}).json()["comment"] == "x"
    assert assistant.patch(f"feedbacks/{verdict}/", {"comment": None}).json()["comment"] is None
    assert assistant.delete(f"feedbacks/{verdict}/").status_code == 204
    assert satisfaction(assistant.project).positive == 0
