"""Decisions in the review section of the console, their undo, and what others who decide meanwhile are told."""

import pytest
from django.test import Client

from projects.models import AuditEvent, Project
from projects.roles import Role
from review.models import ApprovalStream, Feedback, GoldenExample, ReviewDraft
from review.services.golden import create_example
from tests.factories import Member, make_member
from tests.races import race
from tests.review.factories import make_feedback
from tests.review.pages import address, do, make_queue, make_sample, see, toasts, undo, words

pytestmark = pytest.mark.django_db


def test_an_answer_is_good_as_it_is_and_the_next_verdict_comes(client: Client, reviewer: Member) -> None:
    first, second, _ = make_queue(reviewer, 3)
    page = do(client, reviewer, first, "resolve", as_is="yes", following=second.uuid)
    assert toasts(page) == ["Saved as a golden example, as it was."]
    assert page.context["feedback"] == second
    first.refresh_from_db()
    assert (first.status, first.reviewed_by) == ("reviewed", reviewer.user)
    assert GoldenExample.objects.get().golden_response == "Answer 0."
    assert "1 of 3" in words(page)


def test_a_correction_becomes_the_golden_answer_in_one_step(client: Client, reviewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    page = do(client, reviewer, feedback, "resolve", golden_response="It depends.\r\nAsk us.")
    example = GoldenExample.objects.get()
    assert (example.golden_response, example.original_response) == ("It depends.\nAsk us.", "Answer 0.")
    assert example.provenance["feedback"] == str(feedback.uuid)
    assert "Queue clear. 1 reviewed this week, 1 golden added." in words(page)


def test_a_correction_without_words_is_not_saved(client: Client, reviewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    page = do(client, reviewer, feedback, "resolve", golden_response="  ")
    assert toasts(page) == ["Write the right answer first."]
    assert page.context["feedback"].status == "pending"


@pytest.mark.parametrize("sent", [{"as_is": "yes"}, {"golden_response": "Better."}])
def test_a_decision_is_undone_and_its_example_switched_off(
    client: Client, reviewer: Member, sent: dict[str, str]
) -> None:
    [feedback] = make_queue(reviewer, 1)
    page = undo(client, do(client, reviewer, feedback, "resolve", **sent))
    assert toasts(page) == ["Undone: it waits again."]
    assert page.context["feedback"] == feedback
    assert "Reopened" in words(page)
    assert not GoldenExample.objects.get().is_active


def test_a_dismissal_keeps_its_reason_and_is_undone(client: Client, reviewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    page = do(client, reviewer, feedback, "dismiss", reason="Out of scope")
    feedback.refresh_from_db()
    assert (feedback.status, feedback.dismissal_reason) == ("dismissed", "Out of scope")
    undo(client, page)
    feedback.refresh_from_db()
    assert feedback.status == "pending"


def test_an_undo_leaves_a_later_decision_alone(client: Client, reviewer: Member, owner: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    late = do(client, reviewer, feedback, "dismiss")
    do(client, owner, feedback, "reopen")
    do(client, owner, feedback, "resolve", golden_response="Better.")
    client.force_login(reviewer.user)
    page = undo(client, late)
    assert toasts(page)[0].startswith(f"Too late: {owner.user} approved it")
    assert page.context["feedback"].status == "reviewed"


def test_who_comes_too_late_hears_who_was_first_and_keeps_what_they_wrote(
    client: Client, reviewer: Member, owner: Member
) -> None:
    first, second = make_queue(reviewer, 2)
    do(client, owner, first, "dismiss")
    page = do(client, reviewer, first, "resolve", golden_response="My words.", following=second.uuid)
    assert toasts(page) == [f"Too late: {owner.user} dismissed it just now. What you wrote is kept as your draft."]
    assert page.context["feedback"] == second
    assert ReviewDraft.objects.get(feedback=first, reviewer=reviewer.user).text == "My words."
    first.refresh_from_db()
    assert (first.status, first.reviewed_by) == ("dismissed", owner.user)
    assert not GoldenExample.objects.exists()


def test_a_sample_is_found_right_corrected_or_dismissed(client: Client, reviewer: Member) -> None:
    right, corrected, wrong = (make_sample(reviewer) for _ in range(3))
    assert "Sampled check" in words(see(client, reviewer, right))
    do(client, reviewer, right, "resolve", as_is="yes")
    do(client, reviewer, corrected, "resolve", golden_response="Better.")
    do(client, reviewer, wrong, "dismiss")
    for feedback in (right, corrected, wrong):
        feedback.refresh_from_db()
    assert [each.status for each in (right, corrected, wrong)] == ["reviewed", "reviewed", "dismissed"]
    assert [each.sample_right for each in (right, corrected, wrong)] == [True, False, False]
    assert "Of 3 approvals that a reviewer checked, 2 were wrong: at most" in words(
        see(client, reviewer, None, "table")
    )
    assert GoldenExample.objects.get(feedback=corrected).golden_response == "Better."
    stream = ApprovalStream.objects.get()
    assert (stream.checked, stream.wrong) == (3, 2)


def test_a_second_reviewer_gets_it_first_of_all(client: Client, reviewer: Member, owner: Member) -> None:
    first, second, third = make_queue(reviewer, 3)
    page = do(client, reviewer, third, "assign", to=owner.user.pk)
    assert toasts(page) == [f"Given to {owner.user}."]
    assert page.context["feedback"] == first
    assert third.pk not in [row.feedback.pk for row in page.context["rows"]]
    assert [row.feedback.pk for row in see(client, reviewer, show="others").context["rows"]] == [third.pk]
    asked = see(client, owner)
    assert asked.context["feedback"] == third
    assert "Given to you" in words(asked)
    client.force_login(reviewer.user)
    undo(client, page)
    assert see(client, reviewer).context["rows"][2].feedback.pk == third.pk
    assert second.pk == see(client, reviewer).context["rows"][1].feedback.pk


def test_only_who_may_decide_is_asked(client: Client, reviewer: Member, viewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    page = do(client, reviewer, feedback, "assign", to=viewer.user.pk)
    assert page.status_code == 400
    assert "Only reviewers can be asked." in words(page)
    assert viewer.user not in see(client, reviewer).context["reviewers"]


def test_tests_for_later_answers_are_made_with_the_correction(client: Client, reviewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    sent = {"golden_response": "It depends on the severity.", "must": "severity", "must_not": "2 hours"}
    page = do(client, reviewer, feedback, "resolve", **sent)
    assert toasts(page) == ["Saved as a golden example with 2 tests."]
    checks = GoldenExample.objects.get().checks
    assert [(check["kind"], check["text"]) for check in checks] == [
        ("contains", "severity"),
        ("not_contains", "2 hours"),
    ]
    undo(client, page)
    do(client, reviewer, feedback, "resolve", **sent)
    assert GoldenExample.objects.get().checks == checks


def test_the_preview_shows_changes_the_split_twins_and_conflicts(client: Client, reviewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    example = create_example(
        reviewer.project, actor=reviewer.user, original_query="Question 0?", golden_response="Something else.",
        split="evaluation",
    )  # fmt: skip
    page = do(client, reviewer, feedback, "preview", golden_response="Answer zero.")
    body = page.content.decode()
    assert "<del>0</del>" in body
    assert "<ins>zero</ins>" in body
    assert page.context["preview"].split == "evaluation"
    assert "1 example answers this differently" in words(page)
    assert example.golden_response in words(page)
    agreed = do(client, reviewer, feedback, "preview", golden_response="Something  else.")
    assert agreed.context["preview"].conflicts == 0


def test_a_draft_is_kept_for_its_own_reviewer(client: Client, reviewer: Member, owner: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    do(client, reviewer, feedback, "draft", golden_response="Half an ans")
    assert see(client, reviewer).context["editor"] == "Half an ans"
    assert see(client, owner).context["editor"] == "Answer 0."


def test_another_projects_verdict_is_not_there(client: Client, reviewer: Member, stranger: Member) -> None:
    foreign = make_feedback(stranger.user, stranger.project)
    assert see(client, reviewer, foreign).status_code == 404
    assert do(client, reviewer, foreign, "dismiss").status_code == 404
    foreign.refresh_from_db()
    assert foreign.status == "pending"


@pytest.mark.django_db(transaction=True)
def test_of_eight_reviewers_who_decide_at_once_one_wins_and_the_others_hear_who(project: Project) -> None:
    people = [make_member(project, Role.REVIEWER, name=f"Reviewer {number}") for number in range(8)]
    clients = [Client() for _ in people]
    for client, person in zip(clients, people, strict=True):
        client.force_login(person.user)
    acts: tuple[tuple[str, dict[str, str]], ...] = (("resolve", {"golden_response": "Better."}), ("dismiss", {}))
    for _ in range(3):
        feedback = make_feedback(people[0].user, project)

        def decide(number: int, feedback: Feedback = feedback) -> list[str]:
            act, sent = acts[number % 2]
            return toasts(clients[number].post(address(people[number], feedback, act), sent, follow=True))

        told = race(*(lambda number=number: decide(number) for number in range(8)))
        stored = Feedback.objects.select_related("reviewed_by").get(pk=feedback.pk)
        winner = next(number for number, person in enumerate(people) if person.user == stored.reviewed_by)
        assert told[winner] in (["Saved as a golden example."], ["Dismissed."])
        losers = [messages[0] for number, messages in enumerate(told) if number != winner]
        assert all(message.startswith(f"Too late: {stored.reviewed_by} ") for message in losers)
        events = AuditEvent.objects.filter(target_type="feedback", target_id=str(feedback.pk))
        assert [event.actor_id for event in events] == [stored.reviewed_by_id]
