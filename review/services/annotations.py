"""What members note on verdicts."""

from collections.abc import Iterable

from django.db import transaction

from projects import audit
from projects.access import require
from projects.models import User
from projects.roles import Permission
from review.models import Feedback, FeedbackAnnotation


def annotate_verdict(
    feedback: Feedback, annotation: str, *, actor: User, comment: str | None = None
) -> FeedbackAnnotation:
    """Add a note; the last one is shown. Raises DomainError: 403, 404."""
    require(actor, Permission.MANAGE, feedback.project)
    with transaction.atomic():
        noted = FeedbackAnnotation.objects.create(
            project=feedback.project, feedback=feedback, annotation=annotation, comment=comment, user=actor
        )
        audit.record("feedback.annotated", feedback, actor=actor, project=feedback.project, annotation=noted.annotation)
    return noted


def latest_annotations(verdicts: Iterable[Feedback]) -> dict[int, FeedbackAnnotation]:
    """Return the note that is shown on each of these verdicts, by the verdict's number."""
    notes = FeedbackAnnotation.objects.filter(feedback__in=[verdict.pk for verdict in verdicts])
    return {note.feedback_id: note for note in notes.order_by("feedback_id", "-id").distinct("feedback_id")}
