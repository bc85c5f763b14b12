"""Approval without a reviewer: what it takes, how it is checked, and that it stops by itself when it is wrong."""

import random
from uuid import UUID

import pytest

from projects.models import AuditEvent, Project
from review.models import ApprovalStream, Feedback, FeedbackSettings, GoldenExample
from review.services import auto_approval
from review.services.auto_approval import is_too_wrong, note_sample, wilson_bounds
from review.services.feedback import Verdict, submit_on_run
from review.services.settings import change_settings
from review.services.transitions import confirm_approval, dismiss_feedback, revert_approval
from tests.factories import Member
from tests.review.factories import make_feedback, make_run


def sampled(project: Project, member: Member, *, share: float = 1.0) -> Feedback:
    change_settings(project, actor=member.user, sampling_share=share)
    return make_feedback(member.user, project, "positive")


def simulate(error_rate: float, seed: int, *, samples: int = 400, limit: float = 0.1) -> int | None:
    """Return after how many samples a stream with this error rate is stopped, None if it never is."""
    draw = random.Random(seed)
    wrong = 0
    for checked in range(1, samples + 1):
        wrong += draw.random() < error_rate
        if is_too_wrong(wrong, checked, limit):
            return checked
    return None


@pytest.mark.parametrize(
    ("wrong", "checked", "lower", "upper"),
    [(0, 0, 0, 1), (0, 50, 0, 0.051), (5, 100, 0.025, 0.099), (10, 10, 0.787, 1)],
)
def test_the_bounds_are_wilsons(wrong: int, checked: int, lower: float, upper: float) -> None:
    assert wilson_bounds(wrong, checked) == pytest.approx((lower, upper), abs=0.001)


def test_good_approval_goes_on_and_bad_approval_stops_itself() -> None:
    good = [simulate(0.02, seed) for seed in range(200)]
    bad = [simulate(0.15, seed) for seed in range(200)]
    assert sum(stop is not None for stop in good) <= 10
    assert all(stop is not None and stop <= 110 for stop in bad)


@pytest.mark.django_db
def test_a_positive_verdict_is_approved_by_default_and_a_negative_one_is_not(project: Project, owner: Member) -> None:
    assert make_feedback(owner.user, project, "positive").status == "auto_approved"
    assert make_feedback(owner.user, project, "negative").status == "pending"


@pytest.mark.django_db
def test_switched_off_everything_waits_for_a_reviewer(project: Project, owner: Member) -> None:
    change_settings(project, actor=owner.user, auto_approve_positive=False)
    assert make_feedback(owner.user, project, "positive").status == "pending"
    assert not GoldenExample.objects.exists()


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 1.0])
def test_about_the_share_that_is_set_is_sampled(share: float) -> None:
    draw = random.Random(4)
    settings = FeedbackSettings(sampling_share=share)
    verdicts = [Feedback(uuid=UUID(int=draw.getrandbits(128))) for _ in range(4_000)]
    found = sum(auto_approval.is_sampled(settings, verdict) for verdict in verdicts)
    assert found == pytest.approx(share * 4_000, abs=100)


@pytest.mark.django_db
def test_a_sample_stands_in_the_queue_until_it_is_decided(project: Project, owner: Member) -> None:
    feedback = sampled(project, owner)
    assert (feedback.status, feedback.sampled) == ("auto_approved", True)
    pending = make_feedback(owner.user, project, "negative")
    assert set(Feedback.objects.to_review()) == {feedback, pending}
    confirm_approval(feedback, actor=owner.user)
    assert set(Feedback.objects.to_review()) == {pending}
    stream = ApprovalStream.objects.get()
    assert (stream.checked, stream.wrong) == (1, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("take_back", [dismiss_feedback, revert_approval])
def test_a_sample_found_wrong_counts_and_its_example_is_off(project: Project, owner: Member, take_back: type) -> None:
    feedback = sampled(project, owner)
    take_back(feedback, actor=owner.user)
    stream = ApprovalStream.objects.get()
    assert (stream.checked, stream.wrong) == (1, 1)
    assert not GoldenExample.objects.get().is_active
    assert Feedback.objects.get().sample_right is False


@pytest.mark.django_db
def test_what_was_no_sample_is_no_evidence(project: Project, owner: Member) -> None:
    dismiss_feedback(sampled(project, owner, share=0.0), actor=owner.user)
    assert not ApprovalStream.objects.exists()


def spoil(feedback: Feedback, samples: int = 5) -> ApprovalStream:
    """Find so many samples wrong that approval stops."""
    for _ in range(samples):
        note_sample(feedback, right=False)
    return ApprovalStream.objects.get(channel=feedback.channel)


@pytest.mark.django_db
def test_a_stream_that_is_too_wrong_suspends_itself_and_no_other(project: Project, owner: Member) -> None:
    stream = spoil(sampled(project, owner))
    assert stream.suspended_at
    assert AuditEvent.objects.filter(verb="auto_approval.suspended", actor_id=None).count() == 1
    assert make_feedback(owner.user, project, "positive").status == "pending"
    assert submit_on_run(make_run(project), Verdict("positive")).status == "auto_approved"

    auto_approval.resume_stream(stream, actor=owner.user)
    assert make_feedback(owner.user, project, "positive").status == "auto_approved"
    stream.refresh_from_db()
    assert (stream.checked, stream.wrong, stream.resumed_by) == (0, 0, owner.user)


@pytest.mark.django_db
def test_reverting_a_stream_sends_its_unconfirmed_approvals_back(project: Project, owner: Member) -> None:
    approved = [sampled(project, owner) for _ in range(3)]
    confirm_approval(approved[0], actor=owner.user)
    other = submit_on_run(make_run(project), Verdict("positive"))
    stream = spoil(approved[1])

    assert auto_approval.revert_stream(stream, actor=owner.user) == 2

    statuses = Feedback.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["reviewed", "pending", "pending", "auto_approved"]
    active = GoldenExample.objects.filter(is_active=True).values_list("feedback", flat=True)
    assert set(active) == {approved[0].pk, other.pk}


@pytest.mark.django_db
def test_a_project_can_be_suspended_by_hand(project: Project, owner: Member) -> None:
    auto_approval.suspend(project, actor=owner.user)
    assert make_feedback(owner.user, project, "positive").status == "pending"
    auto_approval.resume(project, actor=owner.user)
    assert make_feedback(owner.user, project, "positive").status == "auto_approved"


@pytest.mark.django_db
def test_old_samples_fade(project: Project, owner: Member) -> None:
    feedback = sampled(project, owner)
    note_sample(feedback, right=True)
    ApprovalStream.objects.update(checked=auto_approval.REMEMBERED, wrong=8)
    note_sample(feedback, right=True)
    stream = ApprovalStream.objects.get()
    assert (stream.checked, stream.wrong) == (auto_approval.REMEMBERED // 2 + 1, 4)
