"""Who is at work on a verdict: a soft lock that runs out by itself, whom it is given to, their draft, and skipping."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from config.errors import DomainError
from projects import audit
from projects.access import can, require
from projects.models import User
from projects.roles import Permission
from review.models import Feedback, ReviewDraft

HOLD = timedelta(minutes=5)


def hold_feedback(feedback: Feedback, *, actor: User) -> bool:
    """Take or prolong the hold on a verdict; tell whether it is the actor's now, or somebody else's still."""
    require(actor, Permission.MANAGE, feedback.project)
    now = timezone.now()
    free = Q(held_by=None) | Q(held_by=actor) | Q(held_until__lt=now)
    return bool(Feedback.objects.filter(free, pk=feedback.pk).update(held_by=actor, held_until=now + HOLD))


def release_feedback(feedback: Feedback, *, actor: User) -> None:
    """Give up the actor's own hold."""
    Feedback.objects.filter(pk=feedback.pk, held_by=actor).update(held_by=None, held_until=None)


def assign_feedback(feedback: Feedback, *, actor: User, assignee: User | None) -> None:
    """Ask a member for their judgement, or nobody in particular. Raises DomainError for who may not review."""
    require(actor, Permission.MANAGE, feedback.project)
    if assignee and not can(assignee, Permission.MANAGE, feedback.project):
        raise DomainError("Only reviewers can be asked.", code="not_a_reviewer")
    Feedback.objects.filter(pk=feedback.pk).update(assignee=assignee, held_by=None, held_until=None)
    audit.record(
        "feedback.assigned",
        feedback,
        actor=actor,
        project=feedback.project,
        assignee=assignee.pk if assignee else None,
    )


def save_draft(feedback: Feedback, *, actor: User, text: str) -> ReviewDraft:
    """Keep what the actor has written so far."""
    require(actor, Permission.MANAGE, feedback.project)
    draft, _ = ReviewDraft.objects.update_or_create(
        feedback=feedback,
        reviewer=actor,
        defaults={"project": feedback.project, "text": text, "updated_at": timezone.now()},
    )
    return draft


def skip_feedback(feedback: Feedback, *, actor: User) -> None:
    """Put a verdict at the end of the actor's own queue, and give up their hold."""
    require(actor, Permission.MANAGE, feedback.project)
    now = timezone.now()
    ReviewDraft.objects.update_or_create(
        feedback=feedback,
        reviewer=actor,
        defaults={"skipped_at": now},
        create_defaults={"project": feedback.project, "skipped_at": now},
    )
    release_feedback(feedback, actor=actor)


def unskip_feedback(feedback: Feedback, *, actor: User) -> None:
    """Put a verdict back where it stood in the actor's queue."""
    require(actor, Permission.MANAGE, feedback.project)
    ReviewDraft.objects.filter(feedback=feedback, reviewer=actor).update(skipped_at=None)
