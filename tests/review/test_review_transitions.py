"""The state machine of review: what leads where, who may, and that racing reviewers decide once."""

import contextlib
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from config.errors import DomainError
from projects.models import AuditEvent, Project, User
from projects.roles import Role
from review.models import Feedback, FeedbackCount, GoldenCount, GoldenExample
from review.services import transitions
from review.services.counts import statistics
from review.services.feedback import Verdict, submit_on_run
from review.services.golden import update_example
from tests.factories import Member, make_member
from tests.races import race
from tests.review.factories import ANSWER, make_feedback, make_run, make_run_feedback

REVIEWERS = 8

ACTIONS: dict[str, Callable[..., Any]] = {
    "resolve": lambda feedback, actor: transitions.resolve_feedback(
        feedback, actor=actor, golden_response="Four hours."
    ),
    "dismiss": lambda feedback, actor: transitions.dismiss_feedback(feedback, actor=actor),
    "restore": lambda feedback, actor: transitions.restore_feedback(feedback, actor=actor),
    "confirm": lambda feedback, actor: transitions.confirm_approval(feedback, actor=actor),
    "revert": lambda feedback, actor: transitions.revert_approval(feedback, actor=actor),
    "reopen": lambda feedback, actor: transitions.reopen_feedback(feedback, actor=actor),
}
LEADS_TO = {
    ("resolve", "pending"): "reviewed",
    ("resolve", "dismissed"): "reviewed",
    ("dismiss", "pending"): "dismissed",
    ("dismiss", "auto_approved"): "dismissed",
    ("restore", "dismissed"): "pending",
    ("confirm", "auto_approved"): "reviewed",
    ("revert", "auto_approved"): "pending",
    ("reopen", "reviewed"): "pending",
}


def in_status(status: str, project: Project, member: Member) -> Feedback:
    """Bring a verdict into a status by the way that people have."""
    sentiment = "positive" if status == "auto_approved" else "negative"
    feedback = make_feedback(member.user, project, sentiment)
    if status == "reviewed":
        ACTIONS["resolve"](feedback, member.user)
    if status == "dismissed":
        ACTIONS["dismiss"](feedback, member.user)
    return feedback


@pytest.mark.django_db
@pytest.mark.parametrize("status", Feedback.Status.values)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_leads_where_the_contract_says_or_is_refused(
    project: Project, reviewer: Member, action: str, status: str
) -> None:
    feedback = in_status(status, project, reviewer)
    events = AuditEvent.objects.count()

    if target := LEADS_TO.get((action, status)):
        ACTIONS[action](feedback, reviewer.user)
        assert feedback.status == target
    else:
        with pytest.raises(DomainError) as refused:
            ACTIONS[action](feedback, reviewer.user)
        assert refused.value.status == 400
        assert AuditEvent.objects.count() == events
        target = status

    stored = Feedback.objects.get(pk=feedback.pk)
    assert stored.status == target
    assert (stored.reviewed_by is not None) == (target in ("reviewed", "dismissed"))


@pytest.mark.django_db
@pytest.mark.parametrize("action", ACTIONS)
def test_nobody_decides_without_the_permission(
    project: Project, reviewer: Member, viewer: Member, stranger: Member, action: str
) -> None:
    status = next(status for (name, status) in LEADS_TO if name == action)
    feedback = in_status(status, project, reviewer)
    for member, code in ((viewer, 403), (stranger, 404)):
        with pytest.raises(DomainError) as refused:
            ACTIONS[action](feedback, member.user)
        assert refused.value.status == code
    assert Feedback.objects.get(pk=feedback.pk).status == status


@pytest.mark.django_db
def test_the_reason_of_a_dismissal_never_mixes_with_the_users(project: Project, reviewer: Member) -> None:
    feedback = make_feedback(reviewer.user, project, reason="It is wrong")
    transitions.dismiss_feedback(feedback, actor=reviewer.user, reason="User error")
    stored = Feedback.objects.get(pk=feedback.pk)
    assert (stored.reason, stored.dismissal_reason) == ("It is wrong", "User error")
    transitions.restore_feedback(feedback, actor=reviewer.user)
    stored.refresh_from_db()
    assert (stored.reason, stored.dismissal_reason, stored.reviewed_by, stored.reviewed_at) == (
        "It is wrong", None, None, None,
    )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("answer", [None, "", "  \n"])
def test_a_negative_verdict_needs_an_answer_to_resolve(project: Project, reviewer: Member, answer: str | None) -> None:
    feedback = make_feedback(reviewer.user, project)
    with pytest.raises(DomainError, match="Negative feedback requires a golden response to resolve"):
        transitions.resolve_feedback(feedback, actor=reviewer.user, golden_response=answer)


@pytest.mark.django_db
def test_a_positive_verdict_is_resolved_with_its_own_answer(project: Project, reviewer: Member) -> None:
    feedback = make_feedback(reviewer.user, project, "positive")
    transitions.revert_approval(feedback, actor=reviewer.user)
    example = transitions.resolve_feedback(feedback, actor=reviewer.user)
    assert (example.golden_response, example.approval_type, example.is_active) == (ANSWER, "manual", True)
    assert [version.is_active for version in example.versions.order_by("number")] == [True, False, True]


@pytest.mark.django_db
@pytest.mark.parametrize("action", ["dismiss", "revert"])
def test_taking_an_approval_back_switches_its_example_off_and_restoring_never_on(
    project: Project, reviewer: Member, action: str
) -> None:
    feedback = make_feedback(reviewer.user, project, "positive")
    ACTIONS[action](feedback, reviewer.user)
    assert not GoldenExample.objects.get().is_active
    if action == "dismiss":
        transitions.restore_feedback(feedback, actor=reviewer.user)
        assert not GoldenExample.objects.get().is_active


@pytest.mark.django_db
def test_a_reopened_verdict_resolves_into_the_same_example(project: Project, reviewer: Member) -> None:
    feedback = make_feedback(reviewer.user, project)
    first = transitions.resolve_feedback(feedback, actor=reviewer.user, golden_response="Four hours.")
    transitions.reopen_feedback(feedback, actor=reviewer.user)
    assert not GoldenExample.objects.get().is_active
    again = transitions.resolve_feedback(feedback, actor=reviewer.user, golden_response="Three hours.")
    assert again.pk == first.pk
    assert (again.golden_response, again.is_active, again.version) == ("Three hours.", True, 3)


@pytest.mark.django_db
def test_deleting_removes_verdict_history_and_example_for_good(project: Project, reviewer: Member) -> None:
    run = make_run(project)
    submit_on_run(run, Verdict("positive"), external_user_id="u1")
    feedback = submit_on_run(run, Verdict("positive", comment="Yes"), external_user_id="u1")
    other = make_run_feedback(project, "positive")

    transitions.delete_feedback(feedback, actor=reviewer.user)

    assert list(Feedback.objects.all()) == [other]
    assert GoldenExample.objects.get().feedback == other
    with pytest.raises(DomainError, match="Feedback not found"):
        transitions.delete_feedback(feedback, actor=reviewer.user)


@pytest.mark.django_db
def test_each_decision_leaves_one_audit_event_without_words(project: Project, reviewer: Member) -> None:
    feedback = make_feedback(reviewer.user, project, reason="private words")
    transitions.dismiss_feedback(feedback, actor=reviewer.user, reason="secret words")
    event = AuditEvent.objects.get(verb="feedback.dismissed")
    assert (event.actor_id, event.target_id) == (reviewer.user.pk, str(feedback.pk))
    assert event.details == {"old": "pending", "new": "dismissed"}


@pytest.mark.django_db
def test_the_counters_equal_a_count_of_the_rows_after_any_sequence(project: Project, reviewer: Member) -> None:
    for status in Feedback.Status.values:
        in_status(status, project, reviewer)
    make_run_feedback(project, "neutral")
    run = make_run(project)
    for sentiment in ("positive", "negative", "positive"):
        submit_on_run(run, Verdict(sentiment))
    transitions.delete_feedback(in_status("reviewed", project, reviewer), actor=reviewer.user)
    Feedback.objects.filter(status="dismissed").update(environment="development")

    counted: Counter[tuple[str, str, str]] = Counter()
    for count in FeedbackCount.objects.exclude(verdicts=0):
        counted[count.status, count.sentiment, count.environment] += count.verdicts
    expected = Counter(
        (row.status if row.reviewable else "", row.sentiment, row.environment) for row in Feedback.objects.current()
    )
    assert counted == expected
    assert sum(row.examples for row in GoldenCount.objects.all()) == GoldenExample.objects.count()
    project.delete()
    assert not FeedbackCount.objects.exists()


def decide(action: str, feedback: Feedback, reviewer: User) -> Any:
    """Act on a verdict as a request does: on a row of its own reading."""
    return ACTIONS[action](Feedback.objects.get(pk=feedback.pk), reviewer)


@pytest.mark.django_db(transaction=True)
def test_of_eight_racing_reviewers_one_decides(project: Project) -> None:
    reviewers = [make_member(project, Role.REVIEWER).user for _ in range(REVIEWERS)]
    for round_number in range(6):
        feedback = make_feedback(reviewers[0], project)
        action = ("resolve", "dismiss")[round_number % 2]
        results = race(*(partial(decide, action, feedback, reviewer) for reviewer in reviewers))
        refused = [result for result in results if isinstance(result, DomainError)]
        assert [error.message for error in refused] == [transitions.ALREADY_PROCESSED] * (REVIEWERS - 1)
        events = AuditEvent.objects.filter(target_type="feedback", target_id=str(feedback.pk))
        decided = Feedback.objects.get(pk=feedback.pk)
        assert [event.actor_id for event in events] == [decided.reviewed_by_id]
    assert GoldenExample.objects.count() == 3
    assert statistics(project).pending_count == 0


@pytest.mark.django_db(transaction=True)
def test_racing_opposite_decisions_never_both_win(project: Project) -> None:
    """Dismissed feedback may be resolved, so only the order resolve-then-dismiss is refused."""
    reviewer = make_member(project, Role.REVIEWER).user
    for _ in range(6):
        feedback = make_feedback(reviewer, project)
        results = race(partial(decide, "resolve", feedback, reviewer), partial(decide, "dismiss", feedback, reviewer))
        assert Feedback.objects.get(pk=feedback.pk).status == "reviewed"
        assert isinstance(results[0], GoldenExample)
        events = AuditEvent.objects.filter(target_type="feedback", target_id=str(feedback.pk)).order_by("pk")
        assert [event.verb for event in events] in (["feedback.resolved"], ["feedback.dismissed", "feedback.resolved"])


@pytest.mark.django_db(transaction=True)
def test_a_user_who_taps_eight_times_at_once_has_one_verdict(project: Project) -> None:
    run = make_run(project)
    results = race(*(lambda: submit_on_run(run, Verdict("positive"), external_user_id="u1") for _ in range(REVIEWERS)))
    assert not [result for result in results if isinstance(result, DomainError)]
    assert Feedback.objects.current().count() == 1
    assert GoldenExample.objects.count() == 1
    assert statistics(project).auto_approved_count == 1


@pytest.mark.django_db(transaction=True)
def test_votes_that_turn_back_and_forth_at_once_do_not_deadlock(project: Project) -> None:
    runs = [make_run(project) for _ in range(4)]
    calls = [
        partial(submit_on_run, run, Verdict(sentiment), external_user_id="u1")
        for sentiment in ("positive", "negative")
        for run in runs
    ]
    for _ in range(4):
        assert not [result for result in race(*calls) if isinstance(result, Exception)]
    total = statistics(project)
    assert total.total_feedback == total.positive_count + total.negative_count == 4


@pytest.mark.django_db(transaction=True)
def test_acts_of_every_kind_at_once_do_not_deadlock(project: Project) -> None:
    reviewer = make_member(project, Role.REVIEWER).user
    runs = [make_run(project) for _ in range(3)]

    def anything(number: int) -> None:
        run, act = runs[number % 3], number // 3
        feedback = submit_on_run(run, Verdict(("positive", "negative")[act % 2]), external_user_id="u1")
        for name in list(ACTIONS)[act % 3 :]:
            with contextlib.suppress(DomainError):
                decide(name, feedback, reviewer)
            with contextlib.suppress(DomainError, GoldenExample.DoesNotExist):
                example = GoldenExample.objects.get(feedback=feedback)
                update_example(example, actor=reviewer, is_active=not example.is_active)

    results = race(*(partial(anything, number) for number in range(9)))
    assert results == [None] * 9
    assert Feedback.objects.current().count() == statistics(project).total_feedback == 3
