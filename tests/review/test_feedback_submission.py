"""Verdicts come in: who may judge what, how often, and what becomes of it."""

from typing import Any

import pytest
from django.test import Client

from config.errors import DomainError
from feedback_ingest.models import Message
from projects.models import Project
from review.models import Feedback, GoldenExample
from review.services.counts import statistics
from review.services.feedback import (
    Verdict,
    edit_verdict,
    submit_on_conversation,
    submit_on_message,
    submit_on_run,
    submit_on_tracked_message,
)
from review.services.settings import change_settings
from review.services.spans import Span
from review.services.transitions import dismiss_feedback, resolve_feedback
from tests.factories import Member, make_project
from tests.review.factories import (
    ANSWER,
    QUERY,
    make_answer,
    make_conversation,
    make_feedback,
    make_run,
)

pytestmark = pytest.mark.django_db


def post(client: Client, member: Member, **body: Any) -> Any:
    return client.post("/feedback", body, content_type="application/json", headers=member.headers)


def test_a_verdict_on_ones_own_answer_is_stored_and_answered_as_published(
    client: Client, project: Project, viewer: Member
) -> None:
    message = make_answer(project, customer_id=viewer.user.email)

    answer = post(
        client, viewer, message_id=str(message.uuid), feedback_type="negative", reason="Response was inaccurate"
    )

    feedback = Feedback.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(feedback.uuid),
        "message_id": str(message.uuid),
        "user_id": str(viewer.user.pk),
        "feedback_type": "negative",
        "reason": "Response was inaccurate",
        "status": "pending",
        "reviewed_by": None,
        "reviewed_at": None,
        "created_at": feedback.created_at.isoformat().replace("+00:00", "Z"),
    }
    assert (feedback.original_query, feedback.original_response) == (QUERY, ANSWER)


def test_a_message_is_named_by_its_number_too(client: Client, project: Project, viewer: Member) -> None:
    message = make_answer(project, customer_id=str(viewer.user.pk))
    for name in (message.pk, str(message.pk)):
        Feedback.objects.all().delete()
        answer = post(client, viewer, message_id=name, feedback_type="negative")
        assert answer.json()["message_id"] == str(message.uuid)


def test_the_path_with_a_slash_is_the_same(client: Client, project: Project, viewer: Member) -> None:
    message = make_answer(project, customer_id=viewer.user.email)
    body = {"message_id": str(message.uuid), "feedback_type": "positive"}
    assert client.post("/feedback/", body, "application/json", headers=viewer.headers).status_code == 201


def test_a_second_verdict_is_refused_and_changes_nothing(client: Client, project: Project, viewer: Member) -> None:
    message = make_answer(project, customer_id=viewer.user.email)
    post(client, viewer, message_id=str(message.uuid), feedback_type="negative")

    answer = post(client, viewer, message_id=str(message.uuid), feedback_type="positive")

    assert answer.status_code == 400
    assert answer.json() == {"detail": "You have already submitted feedback for this message"}
    assert Feedback.objects.get().sentiment == "negative"
    assert not GoldenExample.objects.exists()


def test_somebody_elses_message_is_not_found(client: Client, project: Project, viewer: Member) -> None:
    message = make_answer(project, customer_id="somebody@example.com")
    answer = post(client, viewer, message_id=str(message.uuid), feedback_type="negative")
    assert (answer.status_code, answer.json()) == (400, {"detail": f"Message {message.uuid} not found"})


def test_who_manages_the_project_may_judge_any_of_its_messages(
    client: Client, project: Project, reviewer: Member, stranger: Member
) -> None:
    message = make_answer(project, customer_id="somebody@example.com")
    body = {"message_id": str(message.uuid), "feedback_type": "negative"}
    assert post(client, reviewer, **body).status_code == 201
    assert post(client, stranger, **body).status_code == 400


def test_a_token_reaches_no_message_of_another_project(client: Client, project: Project, owner: Member) -> None:
    message = make_answer(make_project(owner.user), customer_id=owner.user.email)
    answer = post(client, owner, message_id=str(message.uuid), feedback_type="negative")
    assert (answer.status_code, answer.json()) == (400, {"detail": f"Message {message.uuid} not found"})


@pytest.mark.parametrize("name", ["chat-123", "", "-1", "1" * 30, "550e8400-e29b-41d4-a716-44665544000"])
def test_what_is_no_id_of_a_saved_message_is_refused(client: Client, viewer: Member, name: str) -> None:
    answer = post(client, viewer, message_id=name, feedback_type="positive")
    assert answer.status_code == 400
    assert answer.json() == {"detail": "Invalid message ID format. Feedback can only be submitted for saved messages."}


def test_an_unknown_message_is_not_found(client: Client, viewer: Member) -> None:
    name = "550e8400-e29b-41d4-a716-446655440000"
    answer = post(client, viewer, message_id=name, feedback_type="positive")
    assert (answer.status_code, answer.json()) == (400, {"detail": f"Message {name} not found"})


def test_a_body_that_does_not_fit_is_a_422_that_says_where(client: Client, viewer: Member) -> None:
    answer = post(client, viewer, feedback_type="meh")
    assert answer.status_code == 422
    assert answer.json() == {
        "detail": [
            {
                "type": "missing",
                "loc": ["body", "message_id"],
                "msg": "Field required",
                "input": {"feedback_type": "meh"},
            },
            {
                "type": "literal_error",
                "loc": ["body", "feedback_type"],
                "msg": "Input should be 'positive' or 'negative'",
                "input": "meh",
            },
        ]
    }


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff", b"[" * 100_000, b'{"message_id": "\\ud800", "feedback_type": 1}'],
)
def test_malformed_bodies_are_a_422(client: Client, viewer: Member, body: bytes) -> None:
    answer = client.post("/feedback", body, "application/json", headers=viewer.headers)
    assert answer.status_code == 422
    assert {"type", "loc", "msg", "input"} <= answer.json()["detail"][0].keys()


def test_a_nul_in_the_reason_is_a_422(client: Client, project: Project, viewer: Member) -> None:
    message = make_answer(project, customer_id=viewer.user.email)
    answer = post(client, viewer, message_id=str(message.uuid), feedback_type="negative", reason="a\x00b")
    assert answer.status_code == 422


def test_without_a_token_nothing_is_taken(client: Client) -> None:
    answer = client.post("/feedback", {}, content_type="application/json")
    assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_required_reason_is_asked_for(client: Client, project: Project, owner: Member) -> None:
    change_settings(project, actor=owner.user, require_reason_negative=True)
    message = make_answer(project)
    for reason in ({}, {"reason": None}, {"reason": "  "}):
        answer = post(client, owner, message_id=str(message.uuid), feedback_type="negative", **reason)
        assert answer.status_code == 400
        assert answer.json() == {"detail": "A reason is required for negative feedback"}
    given = post(client, owner, message_id=str(message.uuid), feedback_type="negative", reason="Wrong")
    assert given.status_code == 201


def test_ones_own_verdict_is_read_back_or_null(client: Client, project: Project, viewer: Member) -> None:
    message = make_answer(project, customer_id=viewer.user.email)

    def own(name: object) -> Any:
        answer = client.get(f"/feedback/message/{name}", headers=viewer.headers)
        assert answer.status_code == 200
        return answer.json()

    assert own(message.uuid) is None
    posted = post(client, viewer, message_id=str(message.uuid), feedback_type="negative").json()
    assert own(message.uuid) == own(message.pk) == posted
    assert own("not-an-id") is None


def test_a_positive_verdict_is_approved_with_its_answer_as_golden_example(project: Project, viewer: Member) -> None:
    feedback = make_feedback(viewer.user, project, "positive")

    example = GoldenExample.objects.get()
    assert feedback.status == "auto_approved"
    assert (example.original_query, example.golden_response) == (QUERY, ANSWER)
    assert (example.source_type, example.approval_type, example.created_by) == ("positive", "auto", None)
    assert example.provenance["message"] == str(feedback.message_id)


def test_an_approved_negative_verdict_makes_no_example(project: Project, owner: Member) -> None:
    change_settings(project, actor=owner.user, auto_approve_negative=True)
    assert make_feedback(owner.user, project, "negative").status == "auto_approved"
    assert not GoldenExample.objects.exists()


def test_a_verdict_on_the_question_is_about_the_answer_it_got(project: Project, viewer: Member) -> None:
    answer = make_answer(project, customer_id=viewer.user.email)
    question = Message.objects.get(conversation=answer.conversation, sender="end_user")
    feedback = submit_on_message(question, Verdict("negative"), user=viewer.user)
    assert (feedback.original_query, feedback.original_response) == (QUERY, ANSWER)


def test_a_run_keeps_the_keys_of_its_input_and_output(project: Project) -> None:
    run = make_run(project, input={"city": "Zürich"}, output={"country": "Schweiz"})
    feedback = submit_on_run(run, Verdict("negative", comment="No"))
    assert feedback.original_query == '{\n  "city": "Zürich"\n}'
    assert feedback.original_response == '{\n  "country": "Schweiz"\n}'


def test_a_user_who_judges_a_run_again_is_shown_once_and_history_is_kept(project: Project) -> None:
    run = make_run(project)
    first = submit_on_run(run, Verdict("positive"), external_user_id="u1")
    second = submit_on_run(run, Verdict("negative", comment="On second thought"), external_user_id="u1")
    submit_on_run(run, Verdict("negative"), external_user_id="")

    assert first.uuid != second.uuid
    assert Feedback.objects.count() == 3
    assert set(Feedback.objects.current().values_list("external_user_id", "sentiment")) == {
        ("u1", "negative"),
        ("", "negative"),
    }
    assert statistics(project).total_feedback == 2


def test_a_user_who_turns_away_takes_the_automatic_example_along(project: Project) -> None:
    run = make_run(project)
    submit_on_run(run, Verdict("positive"), external_user_id="u1")
    assert GoldenExample.objects.get().is_active
    submit_on_run(run, Verdict("negative"), external_user_id="u1")
    assert not GoldenExample.objects.get().is_active


def test_the_same_verdict_again_keeps_the_reviewers_decision(project: Project, reviewer: Member) -> None:
    run = make_run(project)
    first = submit_on_run(run, Verdict("negative"), external_user_id="u1")
    resolve_feedback(first, actor=reviewer.user, golden_response="Four hours.")

    second = submit_on_run(run, Verdict("negative", comment="Still wrong"), external_user_id="u1")

    assert (second.status, second.reviewed_by) == ("reviewed", reviewer.user)
    assert GoldenExample.objects.get().feedback == second


def test_a_tracked_message_has_one_vote_that_changes(project: Project) -> None:
    message = make_answer(project)
    first, created = submit_on_tracked_message(
        message, Verdict("negative", comment="Slow", topic="speed"), origin="customer"
    )
    again, created_again = submit_on_tracked_message(
        message, Verdict("positive", comment="Fast after all"), origin="customer"
    )
    assert (created, created_again) == (True, False)
    assert first.pk == again.pk
    assert (again.comment, again.topic, again.status) == ("Fast after all", "speed", "auto_approved")
    assert GoldenExample.objects.get().is_active


def test_a_vote_that_turns_over_goes_to_review_again_but_keeps_a_persons_example(
    project: Project, reviewer: Member
) -> None:
    message = make_answer(project)
    vote, _ = submit_on_tracked_message(message, Verdict("negative"), origin="customer")
    resolve_feedback(vote, actor=reviewer.user, golden_response="Four hours.")

    turned = edit_verdict(vote, sentiment="positive")

    assert (turned.status, turned.reviewed_by) == ("pending", None)
    example = GoldenExample.objects.get()
    assert (example.is_active, example.golden_response) == (True, "Four hours.")


def test_editing_a_comment_leaves_the_decision_alone(project: Project, reviewer: Member) -> None:
    vote, _ = submit_on_tracked_message(make_answer(project), Verdict("negative"), origin="customer")
    dismiss_feedback(vote, actor=reviewer.user, reason="A duplicate")
    edited = edit_verdict(vote, comment="More words")
    assert (edited.status, edited.dismissal_reason) == ("dismissed", "A duplicate")


def test_neutral_verdicts_and_those_without_an_answer_are_never_reviewed(project: Project) -> None:
    conversation = make_conversation(project)
    submit_on_conversation(conversation, Verdict("negative"), origin="customer")
    submit_on_tracked_message(make_answer(project), Verdict("neutral"), origin="customer")
    assert Feedback.objects.count() == 2
    assert not Feedback.objects.reviewable().exists()
    assert statistics(project).total_feedback == 0


@pytest.mark.parametrize("answer", ["Tap 👩‍🚀 twice.", "三番目のボタン", "اضغط على الزر"])
def test_selected_words_are_kept_by_code_points_and_verified(project: Project, answer: str) -> None:
    run = make_run(project, output=answer, answer=answer)
    feedback = submit_on_run(run, Verdict("negative", spans=[Span(3, 6, answer[3:6], "wrong")]))
    span = feedback.spans.get()
    assert answer[span.start : span.end] == answer[3:6]


@pytest.mark.parametrize(
    "span", [Span(0, 3, "Two"), Span(0, 0, ""), Span(-3, -1, "rs"), Span(30, 4_000, "is 2 hours.")]
)
def test_words_that_are_not_in_the_answer_are_refused_with_the_verdict(project: Project, span: Span) -> None:
    run = make_run(project, output=ANSWER, answer=ANSWER)
    with pytest.raises(DomainError):
        submit_on_run(run, Verdict("negative", spans=[span]))
    assert not Feedback.objects.exists()
