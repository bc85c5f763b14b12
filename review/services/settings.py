"""How a project takes verdicts: read and changed here."""

from django.db import transaction
from django.utils import timezone

from config.errors import DomainError
from projects import audit
from projects.access import require
from projects.models import Project, User
from projects.roles import Permission
from review.models import FeedbackSettings

SWITCHES = (
    "auto_approve_positive",
    "auto_approve_negative",
    "require_reason_positive",
    "require_reason_negative",
)
SHARES = ("sampling_share", "error_limit")
GUIDELINES_CHARACTERS = 20_000


def settings_of(project: Project) -> FeedbackSettings:
    """Return a project's settings, or the defaults, not stored, while nobody has changed any."""
    return FeedbackSettings.objects.filter(project=project).first() or FeedbackSettings(project=project)


def change_settings(project: Project, *, actor: User, **changes: bool | float) -> FeedbackSettings:
    """Change the settings that are named and leave the others.

    Raises DomainError for who may not manage feedback, and for a share outside 0 to 1.
    """
    require(actor, Permission.MANAGE, project)
    unknown = changes.keys() - {*SWITCHES, *SHARES}
    if unknown:
        raise TypeError(f"no such setting: {', '.join(sorted(unknown))}")
    if any(not 0 <= changes.get(share, 0) <= 1 for share in SHARES):
        raise DomainError("A share is a number from 0 to 1.", code="invalid_share")
    with transaction.atomic():
        FeedbackSettings.objects.get_or_create(project=project)
        stored = FeedbackSettings.objects.select_for_update().get(project=project)
        before = {name: getattr(stored, name) for name in changes}
        for name, value in changes.items():
            setattr(stored, name, value)
        stored.updated_at = timezone.now()
        stored.save()
        audit.record("feedback_settings.changed", stored, actor=actor, project=project, before=before, after=changes)
    return stored


def change_guidelines(project: Project, text: str, *, actor: User) -> FeedbackSettings:
    """Replace what reviewers go by. Raises DomainError for who may not manage feedback, and for too long a text."""
    require(actor, Permission.MANAGE, project)
    if len(text) > GUIDELINES_CHARACTERS:
        raise DomainError(f"Guidelines have up to {GUIDELINES_CHARACTERS:,} characters.", code="too_long")
    with transaction.atomic():
        stored, _ = FeedbackSettings.objects.update_or_create(
            project=project, defaults={"guidelines": text, "updated_at": timezone.now()}
        )
        audit.record("feedback_settings.guidelines", stored, actor=actor, project=project, characters=len(text))
    return stored
