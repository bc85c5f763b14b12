"""The audit trail: the one function that writes it, and how its verbs read."""

from typing import Any

from django.db.models import Model

from projects.models import AuditEvent, Project, User

_labels: dict[str, str] = {}


def register_verbs(labels: dict[str, str]) -> None:
    """Say how verbs read, as in `{"source.deleted": "deleted a source"}`; called from `AppConfig.ready`."""
    _labels.update(labels)


def label(verb: str) -> str:
    """Return the words for a verb."""
    return _labels.get(verb, verb.replace(".", " ").replace("_", " "))


def record(verb: str, target: Model, *, actor: User | None, project: Project | None, **details: Any) -> AuditEvent:
    """Write one event; `details` hold ids, numbers and enums only, never free text."""
    return AuditEvent.objects.create(
        verb=verb,
        target_type=target._meta.model_name or "",
        target_id=str(target.pk),
        actor_id=actor.pk if actor else None,
        project_id=project.pk if project else None,
        details=details,
    )
