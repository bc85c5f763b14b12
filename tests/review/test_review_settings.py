"""What a project decides about its review: statistics, approval by itself, guidelines, settings."""

import pytest
from django.test import Client
from django.utils import timezone

from projects.models import AuditEvent
from review.models import ApprovalStream, Feedback, FeedbackSettings, GoldenExample
from review.services import transitions
from tests.factories import Member
from tests.review.factories import make_feedback, make_run_feedback
from tests.review.pages import address, see, toasts, undo, words

pytestmark = pytest.mark.django_db


def test_statistics_show_satisfaction_reviewers_and_the_bound_of_wrong_approvals(
    client: Client, reviewer: Member
) -> None:
    for sentiment in ("positive", "positive", "positive", "negative"):
        make_feedback(reviewer.user, reviewer.project, sentiment)
    make_run_feedback(reviewer.project)
    pending = Feedback.objects.filter(status="pending").first()
    assert pending is not None
    transitions.dismiss_feedback(pending, actor=reviewer.user)
    ApprovalStream.objects.create(project=reviewer.project, channel="api", checked=100, wrong=1)
    page = see(client, reviewer, None, "statistics")
    assert page.context["in_all"].score == pytest.approx(3 / 5)
    assert page.context["agents"][0].positive == 3
    assert [(each.user, each.decided) for each in page.context["reviewers"]] == [(reviewer.user, 1)]
    assert "1 of 100 checked were wrong. At most 4.4% of all of them are" in words(page)


def test_approval_that_suspended_itself_is_announced_and_taken_back_by_one_click(
    client: Client, reviewer: Member
) -> None:
    feedback = make_feedback(reviewer.user, reviewer.project, "positive")
    stream = ApprovalStream.objects.create(
        project=reviewer.project, channel="api", tracked_agent=feedback.tracked_agent, checked=10, wrong=6,
        suspended_at=timezone.now(),
    )  # fmt: skip
    assert "Automatic approval suspended itself." in words(see(client, reviewer))
    page = client.post(address(reviewer, None, f"approval/{stream.pk}/revert"), follow=True)
    assert toasts(page) == ["1 taken back: they wait for a reviewer, and their examples are switched off."]
    feedback.refresh_from_db()
    assert feedback.status == "pending"
    assert not GoldenExample.objects.get().is_active
    client.post(address(reviewer, None, f"approval/{stream.pk}/resume"))
    stream.refresh_from_db()
    assert (stream.suspended_at, stream.checked) == (None, 0)


def test_all_approval_is_suspended_and_resumed(client: Client, reviewer: Member) -> None:
    client.force_login(reviewer.user)
    page = client.post(address(reviewer, None, "approval/suspend"), follow=True)
    assert make_feedback(reviewer.user, reviewer.project, "positive").status == "pending"
    undo(client, page)
    assert make_feedback(reviewer.user, reviewer.project, "positive").status == "auto_approved"


def test_guidelines_are_written_read_and_never_markup(client: Client, reviewer: Member, viewer: Member) -> None:
    assert "No guidelines yet." in words(see(client, viewer, None, "guidelines"))
    client.force_login(reviewer.user)
    client.post(address(reviewer, None, "guidelines/change"), {"guidelines": "Be <b>kind</b>.\r\n\r\nBe brief."})
    body = see(client, viewer, None, "guidelines").content.decode()
    assert "Be &lt;b&gt;kind&lt;/b&gt;." in body
    assert "Guidelines" in words(see(client, viewer))
    event = AuditEvent.objects.get(verb="feedback_settings.guidelines")
    assert "kind" not in str(event.details)


def test_settings_are_changed_and_checked(client: Client, reviewer: Member) -> None:
    client.force_login(reviewer.user)
    sent = {
        "auto_approve_positive": "on",
        "require_reason_negative": "on",
        "sampling_share": "0.2",
        "error_limit": "0.1",
    }
    client.post(address(reviewer, None, "settings"), sent)
    stored = FeedbackSettings.objects.get()
    assert (stored.require_reason_negative, stored.auto_approve_negative, stored.sampling_share) == (True, False, 0.2)
    assert client.post(address(reviewer, None, "settings"), sent | {"error_limit": "2"}).status_code == 422
