"""Approval without a reviewer, checked by samples, which suspends itself where it turns out wrong."""

import math

from django.db import transaction
from django.utils import timezone

from projects import audit
from projects.access import require
from projects.models import Project, User
from projects.roles import Permission
from review.models import ApprovalStream, Feedback, FeedbackSettings, GoldenExample
from review.services.golden import switch_off
from review.services.settings import settings_of

# One-sided 95 %.
Z = 1.645
# From here on a stream has to be shown good; before, it is stopped only when it is shown bad.
ENOUGH_CHECKED = 100
# Older samples weigh half, so that good years do not hide a bad month.
REMEMBERED = 400


def wilson_bounds(wrong: int, checked: int) -> tuple[float, float]:
    """Return between which shares the true share of wrong approvals lies, given `wrong` of `checked` samples."""
    if not checked:
        return 0.0, 1.0
    share, weight = wrong / checked, Z * Z / checked
    centre = (share + weight / 2) / (1 + weight)
    reach = Z * math.sqrt(share * (1 - share) / checked + weight / checked / 4) / (1 + weight)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def is_too_wrong(wrong: int, checked: int, limit: float) -> bool:
    """Tell whether approval has to stop: it is surely beyond the limit, or after enough samples not surely within."""
    lower, upper = wilson_bounds(wrong, checked)
    return lower > limit or (checked >= ENOUGH_CHECKED and upper > limit)


def approves(settings: FeedbackSettings, feedback: Feedback) -> bool:
    """Tell whether a verdict is approved without a reviewer."""
    switches = {
        Feedback.Sentiment.POSITIVE: settings.auto_approve_positive,
        Feedback.Sentiment.NEGATIVE: settings.auto_approve_negative,
    }
    if settings.suspended_at or not switches.get(Feedback.Sentiment(feedback.sentiment), False):
        return False
    return not ApprovalStream.objects.filter(**_stream_of(feedback), suspended_at__isnull=False).exists()


def is_sampled(settings: FeedbackSettings, feedback: Feedback) -> bool:
    """Tell whether an approved verdict is put before a reviewer; its id's random bits decide, once and for all."""
    return feedback.uuid.int % 10_000 < settings.sampling_share * 10_000


def note_sample(feedback: Feedback, *, right: bool) -> None:
    """Count what a reviewer found, and suspend the stream if that was too much. Needs an open transaction."""
    key = _stream_of(feedback)
    ApprovalStream.objects.bulk_create([ApprovalStream(**key)], ignore_conflicts=True)
    stream = ApprovalStream.objects.select_for_update().get(**key)
    if stream.checked >= REMEMBERED:
        stream.checked, stream.wrong = stream.checked // 2, stream.wrong // 2
    stream.checked += 1
    stream.wrong += not right
    limit = settings_of(feedback.project).error_limit
    if not stream.suspended_at and is_too_wrong(stream.wrong, stream.checked, limit):
        stream.suspended_at = timezone.now()
        audit.record(
            "auto_approval.suspended",
            stream,
            actor=None,
            project=feedback.project,
            checked=stream.checked,
            wrong=stream.wrong,
        )
    stream.save()


def resume_stream(stream: ApprovalStream, *, actor: User) -> ApprovalStream:
    """Trust a suspended stream again; its samples are counted from zero."""
    require(actor, Permission.MANAGE, stream.project)
    with transaction.atomic():
        ApprovalStream.objects.filter(pk=stream.pk).update(
            suspended_at=None, checked=0, wrong=0, resumed_at=timezone.now(), resumed_by=actor
        )
        audit.record("auto_approval.stream_resumed", stream, actor=actor, project=stream.project)
    stream.refresh_from_db()
    return stream


def suspend(project: Project, *, actor: User) -> FeedbackSettings:
    """Stop all approval without a reviewer in a project."""
    return _switch(project, actor=actor, suspended=True)


def resume(project: Project, *, actor: User) -> FeedbackSettings:
    """Allow approval without a reviewer again, as the settings say."""
    return _switch(project, actor=actor, suspended=False)


def revert_stream(stream: ApprovalStream, *, actor: User) -> int:
    """Send everything that a stream approved and nobody confirmed back to pending, its examples off; count it."""
    require(actor, Permission.MANAGE, stream.project)
    key = {name: getattr(stream, name) for name in ("channel", "tracked_agent_id", "version_id", "model")}
    with transaction.atomic():
        approved = Feedback.objects.filter(
            project=stream.project, status=Feedback.Status.AUTO_APPROVED, **key
        ).select_for_update()
        ids = list(approved.order_by("pk").values_list("pk", flat=True))
        switch_off(stream.project, GoldenExample.objects.filter(feedback__in=ids), editor=actor)
        reverted = Feedback.objects.filter(pk__in=ids, status=Feedback.Status.AUTO_APPROVED).update(
            status=Feedback.Status.PENDING, updated_at=timezone.now()
        )
        audit.record("auto_approval.stream_reverted", stream, actor=actor, project=stream.project, verdicts=reverted)
    return reverted


def _stream_of(feedback: Feedback) -> dict[str, int | str | None]:
    return {
        "project_id": feedback.project_id,
        "channel": feedback.channel,
        "tracked_agent_id": feedback.tracked_agent_id,
        "version_id": feedback.version_id,
        "model": feedback.model,
    }


def _switch(project: Project, *, actor: User, suspended: bool) -> FeedbackSettings:
    require(actor, Permission.MANAGE, project)
    with transaction.atomic():
        FeedbackSettings.objects.get_or_create(project=project)
        FeedbackSettings.objects.filter(project=project).update(
            suspended_at=timezone.now() if suspended else None, suspended_by=actor if suspended else None
        )
        stored = FeedbackSettings.objects.get(project=project)
        verb = "auto_approval.suspended_by_hand" if suspended else "auto_approval.resumed"
        audit.record(verb, stored, actor=actor, project=project)
    return stored
