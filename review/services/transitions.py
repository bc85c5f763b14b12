"""The ways of a verdict through review: who is first decides, and every decision is on record."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.errors import DomainError
from projects import audit
from projects.access import require
from projects.models import User
from projects.roles import Permission
from review.checks import validate_checks
from review.models import Feedback, GoldenExample
from review.services import auto_approval, golden
from review.services.feedback import remove_verdict

Status = Feedback.Status
ALREADY_PROCESSED = "Feedback has already been processed"


@dataclass(frozen=True, slots=True)
class Transition:
    """One way from some statuses to another, and what is said to who comes too late."""

    verb: str
    sources: tuple[Status, ...]
    target: Status
    refusal: str = ALREADY_PROCESSED


RESOLVE = Transition("feedback.resolved", (Status.PENDING, Status.DISMISSED), Status.REVIEWED)
RESOLVE_PENDING = replace(RESOLVE, sources=(Status.PENDING,))
DISMISS = Transition("feedback.dismissed", (Status.PENDING, Status.AUTO_APPROVED), Status.DISMISSED)
RESTORE = Transition(
    "feedback.restored", (Status.DISMISSED,), Status.PENDING, "Only dismissed feedback can be restored"
)
CONFIRM = Transition("feedback.confirmed", (Status.AUTO_APPROVED,), Status.REVIEWED)
REVERT = Transition("feedback.reverted", (Status.AUTO_APPROVED,), Status.PENDING)
REOPEN = Transition("feedback.reopened", (Status.REVIEWED,), Status.PENDING, "Only reviewed feedback can be reopened")


def resolve_feedback(
    feedback: Feedback,
    *,
    actor: User,
    golden_response: str | None = None,
    checks: Sequence[dict[str, Any]] = (),
    overrules_dismissal: bool = True,
) -> GoldenExample:
    """Settle a verdict with the right answer, by default for a positive one the answer that was given.

    Raises DomainError: 403, 404 when it is gone, 400 for a negative one without an answer or when somebody
    has decided already; a dismissal can be overruled. `checks` are what later answers have to satisfy.
    """
    require(actor, Permission.MANAGE, feedback.project)
    written_checks = validate_checks(list(checks))
    answer = (golden_response or "").strip()
    if not answer and feedback.sentiment == Feedback.Sentiment.NEGATIVE:
        raise DomainError("Negative feedback requires a golden response to resolve", code="answer_required")
    response = (golden_response or "") if answer else feedback.original_response or ""
    question, answer_vector = golden.read_question(feedback.original_query or ""), golden.read_answer(response)
    with transaction.atomic():
        transition = RESOLVE if overrules_dismissal else RESOLVE_PENDING
        before = _hold(feedback, transition)
        draft = golden.draft_from_feedback(
            feedback,
            question,
            golden_response=response,
            answer_vector=answer_vector,
            creator=actor,
            checks=written_checks,
        )
        _move(feedback, transition, before, actor, dismissal_reason=None)
        return golden.save_draft(draft)


@transaction.atomic
def dismiss_feedback(feedback: Feedback, *, actor: User, reason: str | None = None) -> None:
    """Set a verdict aside; the example of an auto-approved one is switched off. Raises DomainError: 403, 404, 400."""
    require(actor, Permission.MANAGE, feedback.project)
    before = _take(feedback, DISMISS, actor, dismissal_reason=reason)
    if before == Status.AUTO_APPROVED:
        _find_wrong(feedback, actor)


@transaction.atomic
def restore_feedback(feedback: Feedback, *, actor: User) -> None:
    """Make a dismissed verdict pending; its example stays off. Raises DomainError: 403, 404, 400."""
    require(actor, Permission.MANAGE, feedback.project)
    _take(feedback, RESTORE, actor, dismissal_reason=None)


@transaction.atomic
def confirm_approval(feedback: Feedback, *, actor: User) -> None:
    """Find an automatic approval right. Raises DomainError: 403, 404, 400."""
    require(actor, Permission.MANAGE, feedback.project)
    _take(feedback, CONFIRM, actor)
    _note_sample(feedback, right=True)


@transaction.atomic
def revert_approval(feedback: Feedback, *, actor: User) -> None:
    """Take an automatic approval back: pending, its example off. Raises DomainError: 403, 404, 400."""
    require(actor, Permission.MANAGE, feedback.project)
    _take(feedback, REVERT, actor)
    _find_wrong(feedback, actor)


@transaction.atomic
def reopen_feedback(feedback: Feedback, *, actor: User) -> None:
    """Make a reviewed verdict pending, its example off. Raises DomainError: 403, 404, 400."""
    require(actor, Permission.MANAGE, feedback.project)
    _take(feedback, REOPEN, actor)
    golden.switch_off(feedback.project, GoldenExample.objects.filter(feedback=feedback), editor=actor)


@transaction.atomic
def correct_approval(
    feedback: Feedback, *, actor: User, golden_response: str, checks: Sequence[dict[str, Any]] = ()
) -> GoldenExample:
    """Find an automatic approval wrong and give the right answer. Raises DomainError: 403, 404, 400."""
    revert_approval(feedback, actor=actor)
    return resolve_feedback(feedback, actor=actor, golden_response=golden_response, checks=checks)


def reconsider_feedback(feedback: Feedback, *, actor: User) -> None:
    """Make a verdict pending again, whoever or whatever decided it. Raises DomainError: 403, 404, 400."""
    ways_back = {
        Status.DISMISSED: restore_feedback,
        Status.REVIEWED: reopen_feedback,
        Status.AUTO_APPROVED: revert_approval,
    }
    way_back = ways_back.get(Status(feedback.status))
    if way_back is None:
        raise DomainError("This is pending already.", code="already_processed")
    way_back(feedback, actor=actor)


@transaction.atomic
def delete_feedback(feedback: Feedback, *, actor: User) -> None:
    """Remove a verdict, its history and its example for good. Raises DomainError: 403, 404 when it is gone."""
    require(actor, Permission.MANAGE, feedback.project)
    if not remove_verdict(feedback):
        raise not_found()
    audit.record("feedback.deleted", feedback, actor=actor, project=feedback.project, uuid=str(feedback.uuid))


def not_found() -> DomainError:
    """Return the error for a verdict that is not there."""
    return DomainError("Feedback not found", code="not_found", status=404)


def _take(feedback: Feedback, transition: Transition, actor: User, **fields: Any) -> str:
    """Hold and move the row, and return its status before. Raises DomainError: 404, 400 for who comes too late."""
    before = _hold(feedback, transition)
    _move(feedback, transition, before, actor, **fields)
    return before


def _hold(feedback: Feedback, transition: Transition) -> str:
    """Lock the row if it still is where the transition begins, and return its status.

    Raises DomainError: 404 for a row that is gone, 400 for who comes too late.
    """
    rows = Feedback.objects.reviewable().filter(pk=feedback.pk)
    before = rows.select_for_update(no_key=True).values_list("status", flat=True).first()
    if before is None:
        raise not_found()
    if before not in transition.sources:
        raise DomainError(transition.refusal, code="already_processed")
    return before


def _move(feedback: Feedback, transition: Transition, before: str, actor: User, **fields: Any) -> None:
    """Move a row that is held. The update comes last: it locks the project's counters, for which others wait."""
    now = timezone.now()
    decided = transition.target != Status.PENDING
    audit.record(transition.verb, feedback, actor=actor, project=feedback.project, old=before, new=transition.target)
    changes = fields | {
        "status": transition.target,
        "reviewed_by": actor if decided else None,
        "reviewed_at": now if decided else None,
        "held_by": None,
        "held_until": None,
        "updated_at": now,
    }
    Feedback.objects.filter(pk=feedback.pk, status=before).update(**changes)
    for field, value in changes.items():
        setattr(feedback, field, value)


def _find_wrong(feedback: Feedback, actor: User) -> None:
    """Switch off what an approval made that a reviewer found wrong."""
    golden.switch_off(feedback.project, GoldenExample.objects.filter(feedback=feedback), editor=actor)
    _note_sample(feedback, right=False)


def _note_sample(feedback: Feedback, *, right: bool) -> None:
    if not feedback.sampled:
        return
    Feedback.objects.filter(pk=feedback.pk).update(sample_right=right)
    auto_approval.note_sample(feedback, right=right)
