"""Conflicts and stale answers: what is frozen, for how long, and how a person settles it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from config.errors import DomainError
from projects.models import AuditEvent
from review.models import GoldenExample
from review.services import attention, conflicts, knowledge, twins
from review.services.attention import answer_similarity, answers_agree
from review.services.conflicts import cite, conflicts_of, find_still_right, keep_all, keep_one
from review.services.golden import create_example, delete_example, tend_example, update_example
from review.services.retrieval import examples_for
from review.services.transitions import delete_feedback, reopen_feedback, resolve_feedback, revert_approval
from review.tasks import look_at_golden_examples
from tests.factories import Member
from tests.review.factories import make_feedback

RESET = "How do I reset my password?"
RESET_TWIN = "How can I reset my password?"
EXPORT = "Can I export my report as a PDF file?"
BY_MAIL = "Choose Forgot password on the sign-in page and follow the mail."
BY_MAIL_TOO = "On the sign-in page choose Forgot password, then follow the mail."
BY_ADMIN = "Ask your administrator to set another one."


def make_example(member: Member, query: str = RESET, answer: str = BY_MAIL) -> GoldenExample:
    return create_example(member.project, actor=member.user, original_query=query, golden_response=answer)


def marks(*examples: GoldenExample) -> list[str]:
    stored = GoldenExample.objects.in_bulk([example.pk for example in examples])
    return [stored[example.pk].attention for example in examples]


@pytest.mark.django_db
def test_two_answers_to_one_question_freeze_each_other_at_once(reviewer: Member, stranger: Member) -> None:
    first, other = make_example(reviewer), make_example(reviewer, EXPORT)
    foreign = make_example(stranger, RESET, BY_ADMIN)
    assert examples_for(reviewer.project, RESET) == [first]
    twin = make_example(reviewer, RESET_TWIN, BY_ADMIN)
    assert twin.attention == "conflict"
    assert marks(first, twin, other, foreign) == ["conflict", "conflict", "", ""]
    assert examples_for(reviewer.project, RESET) == []
    [conflict] = conflicts_of(reviewer.project, limit=10)
    assert conflict.examples == (first, twin)


@pytest.mark.django_db
def test_the_same_answer_in_other_words_is_no_conflict(reviewer: Member) -> None:
    first, twin = make_example(reviewer), make_example(reviewer, RESET_TWIN, BY_MAIL_TOO)
    assert marks(first, twin) == ["", ""]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("Refunds take 14 days.", "refunds  take 14 days.", True),
        ("The refund takes 14 days.", "Refunds take 14 days.", True),
        ("The refund takes 14 days.", "Refunds take 30 days.", False),
        ("You can export a report as PDF.", "You cannot export a report as PDF.", False),
        ("Yes, reports can be exported as PDF.", "You can export a report as a PDF file from its menu.", True),
        ("We store data in Frankfurt.", "We store data in Virginia.", False),
        ("Refunds go to the card you paid with.", "Refunds are given as store credit.", False),
        ("Open billing, choose Cancel plan, and confirm.", "To cancel, go to billing and confirm Cancel plan.", True),
    ],
)
def test_answers_agree_unless_meaning_number_or_negation_differ(one: str, other: str, agree: bool) -> None:
    similarity = answer_similarity(one, other)
    assert answers_agree(one, other, similarity) is agree
    assert answers_agree(other, one, similarity) is agree


@pytest.mark.django_db
def test_keeping_one_switches_the_others_off_and_uses_it_again(reviewer: Member) -> None:
    right, wrong, wrong_too = (make_example(reviewer, RESET, answer) for answer in (BY_MAIL, BY_ADMIN, "Write to us."))
    assert keep_one(right, actor=reviewer.user) == 2
    assert marks(right, wrong, wrong_too) == ["", "", ""]
    assert list(GoldenExample.objects.filter(is_active=True)) == [right]
    assert examples_for(reviewer.project, RESET) == [right]
    assert wrong.versions.count() == 2
    assert AuditEvent.objects.get(verb="golden_example.conflict_settled").details == {"kept": "one", "others": 2}


@pytest.mark.django_db
def test_both_may_stand_until_one_of_them_says_something_else(reviewer: Member) -> None:
    first, twin = make_example(reviewer), make_example(reviewer, RESET_TWIN, BY_ADMIN)
    keep_all([first, twin], actor=reviewer.user)
    assert marks(first, twin) == ["", ""]
    attention.look_everywhere()
    assert marks(first, twin) == ["", ""]
    update_example(twin, actor=reviewer.user, golden_response="It cannot be reset.")
    assert marks(first, twin) == ["conflict", "conflict"]


@pytest.mark.django_db
def test_an_edit_that_makes_the_answers_agree_settles_it(reviewer: Member) -> None:
    first, twin = make_example(reviewer), make_example(reviewer, RESET_TWIN, BY_ADMIN)
    update_example(twin, actor=reviewer.user, golden_response=BY_MAIL_TOO)
    assert marks(first, twin) == ["", ""]


@pytest.mark.django_db
def test_so_does_another_question_switching_off_expiry_or_deletion(reviewer: Member) -> None:
    first = make_example(reviewer)
    for settle in ("question", "off", "expiry", "deletion"):
        twin = make_example(reviewer, RESET_TWIN, BY_ADMIN)
        assert marks(first, twin) == ["conflict", "conflict"], settle
        match settle:
            case "question":
                update_example(twin, actor=reviewer.user, original_query=EXPORT)
            case "off":
                update_example(twin, actor=reviewer.user, is_active=False)
            case "expiry":
                tend_example(twin, actor=reviewer.user, owner=None, expires_at=timezone.now() - timedelta(seconds=1))
            case "deletion":
                delete_example(twin, actor=reviewer.user)
        assert marks(first) == [""], settle
    update_example(GoldenExample.objects.get(is_active=False), actor=reviewer.user, is_active=True)
    assert marks(first) == ["conflict"]


@pytest.mark.django_db
def test_deleting_the_feedback_of_one_unfreezes_the_other(reviewer: Member) -> None:
    first = make_example(reviewer)
    feedback = make_feedback(reviewer.user, reviewer.project, "positive", query=RESET, answer=BY_ADMIN)
    assert marks(first) == ["conflict"]
    delete_feedback(feedback, actor=reviewer.user)
    assert marks(first) == [""]


@pytest.mark.django_db
def test_so_does_resolving_the_feedback_with_the_answer_that_stands(reviewer: Member) -> None:
    first = make_example(reviewer)
    feedback = make_feedback(reviewer.user, reviewer.project, "positive", query=RESET, answer=BY_ADMIN)
    revert_approval(feedback, actor=reviewer.user)
    assert marks(first) == [""]
    resolve_feedback(feedback, actor=reviewer.user, golden_response=BY_ADMIN)
    assert marks(first) == ["conflict"]
    reopen_feedback(feedback, actor=reviewer.user)
    GoldenExample.objects.filter(feedback=feedback).update(is_active=True, attention="conflict")
    GoldenExample.objects.filter(pk=first.pk).update(attention="conflict")
    resolve_feedback(feedback, actor=reviewer.user, golden_response=BY_MAIL_TOO)
    assert marks(first) == [""]


@pytest.mark.django_db
def test_the_job_of_the_night_finds_what_time_and_other_hands_have_changed(reviewer: Member) -> None:
    first, twin = make_example(reviewer), make_example(reviewer, RESET_TWIN, BY_ADMIN)
    GoldenExample.objects.filter(pk=twin.pk).update(expires_at=timezone.now() - timedelta(hours=1))
    look_at_golden_examples()
    assert marks(first, twin) == ["", ""]
    GoldenExample.objects.filter(pk=twin.pk).update(expires_at=None, answer_vector=None)
    assert attention.look_everywhere() == 2
    assert marks(first, twin) == ["conflict", "conflict"]
    assert GoldenExample.objects.get(pk=twin.pk).answer_vector is not None
    assert attention.look_everywhere() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("exact_up_to", [2_000, 0])
def test_every_planted_conflict_is_found_and_nothing_else(
    reviewer: Member, exact_up_to: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twins, "EXACT_UP_TO", exact_up_to)
    subjects = ["invoices", "webhooks", "password", "team members", "dark mode", "refunds"]
    planted = []
    for number, subject in enumerate(subjects):
        one = make_example(reviewer, f"Where do I change {subject}?", f"On the {subject} page of the settings.")
        twin = make_example(
            reviewer,
            f"Where can I change {subject}?",
            "Nobody can change that, sorry." if number % 2 else f"Open the {subject} page of the settings.",
        )
        planted += [one, twin] if number % 2 else []
    frozen = set(GoldenExample.objects.filter(attention="conflict"))
    assert frozen == set(planted)
    groups = [set(group.examples) for group in conflicts_of(reviewer.project, limit=10)]
    assert len(groups) == 3
    assert set.union(*groups) == frozen


@pytest.mark.django_db
def test_an_answer_whose_document_changed_waits_until_it_is_found_right(reviewer: Member) -> None:
    document = knowledge.add_document(reviewer.project, actor=reviewer.user, title="Sign-in", text="By mail.")
    other = knowledge.add_document(reviewer.project, actor=reviewer.user, title="Canteen", text="Upstairs.")
    example, free = make_example(reviewer), make_example(reviewer, EXPORT)
    cite(example, [document, other], actor=reviewer.user)
    knowledge.change_document(document, actor=reviewer.user, application="Portal")
    assert marks(example) == [""]
    knowledge.change_document(document, actor=reviewer.user, text="By telephone.")
    assert marks(example, free) == ["stale", ""]
    assert examples_for(reviewer.project, RESET) == []
    find_still_right(example, actor=reviewer.user)
    assert marks(example) == [""]
    assert knowledge.delete_document(other, actor=reviewer.user) == 1
    assert marks(example) == ["stale"]
    attention.look_everywhere()
    assert marks(example) == ["stale"]
    find_still_right(example, actor=reviewer.user)
    assert marks(example) == [""]
    assert example.citations.count() == 1


@pytest.mark.django_db
def test_a_document_of_another_project_is_never_cited(reviewer: Member, stranger: Member) -> None:
    foreign = knowledge.add_document(stranger.project, actor=stranger.user, title="Foreign", text="Secret.")
    example = make_example(reviewer)
    cite(example, [foreign], actor=reviewer.user)
    assert not example.citations.exists()


@pytest.mark.django_db
def test_settling_needs_the_manage_permission(reviewer: Member, viewer: Member) -> None:
    first, twin = make_example(reviewer), make_example(reviewer, RESET_TWIN, BY_ADMIN)
    for settle in (
        lambda: keep_one(first, actor=viewer.user),
        lambda: keep_all([first, twin], actor=viewer.user),
        lambda: cite(first, [], actor=viewer.user),
    ):
        with pytest.raises(DomainError) as refused:
            settle()
        assert refused.value.status == 403
    assert marks(first, twin) == ["conflict", "conflict"]
    with pytest.raises(DomainError):
        conflicts.keep_all([first], actor=reviewer.user)
