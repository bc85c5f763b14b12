"""Everything that changes sources."""

from django.db import transaction
from django.utils import timezone

from config.errors import DomainError
from projects import audit
from projects.access import require
from projects.models import Project, User
from projects.roles import Permission
from sources import effects
from sources.models import Connection, Source, SourceRequest
from sources.querysets import UNDO_PERIOD


def make_source(
    project: Project, kind: Source.Kind, name: str, *, application: str = "", created_by: User | None = None
) -> Source:
    """Make a source; for the machine and for `add_source`."""
    return Source.objects.create(
        project=project, kind=kind, name=name[:120], application=application, created_by=created_by
    )


@transaction.atomic
def add_source(
    project: Project, kind: Source.Kind, name: str, *, actor: User, application: str = "", purpose: str = ""
) -> Source:
    """Add a source. Raises DomainError without a name."""
    require(actor, Permission.MANAGE_SOURCES, project)
    if not name.strip():
        raise DomainError("Give the source a name.", code="name_missing")
    source = make_source(project, kind, name.strip(), application=application, created_by=actor)
    if purpose:
        source.purpose = purpose[:400]
        source.save(update_fields=["purpose"])
    audit.record("source.added", source, actor=actor, project=project, kind=kind)
    return source


@transaction.atomic
def change_source(source: Source, *, actor: User, name: str | None = None, purpose: str | None = None) -> Source:
    """Rename a source or say what it is for."""
    require(actor, Permission.MANAGE_SOURCES, source.project)
    if name is not None:
        if not name.strip():
            raise DomainError("Give the source a name.", code="name_missing")
        source.name = name.strip()[:120]
    if purpose is not None:
        source.purpose = purpose[:400]
    source.save(update_fields=["name", "purpose"])
    audit.record("source.changed", source, actor=actor, project=source.project)
    return source


@transaction.atomic
def pause_source(source: Source, *, actor: User) -> None:
    """Refuse new feedback until the source is resumed."""
    _move(source, ("waiting", "active", "failed"), Source.Status.PAUSED, "source.paused", actor)


@transaction.atomic
def resume_source(source: Source, *, actor: User) -> None:
    """Take feedback again."""
    status = Source.Status.ACTIVE if source.count.received else Source.Status.WAITING
    _move(source, ("paused", "failed"), status, "source.resumed", actor)
    Connection.objects.filter(pk=source.pk).update(due_at=timezone.now(), stale_since=None)


def _move(source: Source, allowed: tuple[str, ...], to: Source.Status, verb: str, actor: User) -> None:
    require(actor, Permission.MANAGE_SOURCES, source.project)
    if not Source.objects.filter(pk=source.pk, status__in=allowed).update(status=to, status_reason=""):
        raise DomainError("The source has changed meanwhile. Load the page again.", code="conflict", status=409)
    source.status = to
    audit.record(verb, source, actor=actor, project=source.project)


@transaction.atomic
def delete_source(source: Source, *, actor: User) -> None:
    """Hide a source and all that came from it, and refuse new feedback; can be undone for 30 days."""
    require(actor, Permission.MANAGE_SOURCES, source.project)
    changed = Source.objects.filter(pk=source.pk, deleted_at=None).update(
        status=Source.Status.DELETED, deleted_at=timezone.now()
    )
    if not changed:
        raise DomainError("The source is deleted already.", code="conflict", status=409)
    source.refresh_from_db()
    effects.hidden(source)
    audit.record("source.deleted", source, actor=actor, project=source.project)


@transaction.atomic
def restore_source(source: Source, *, actor: User) -> None:
    """Take a deletion back. Raises DomainError after 30 days."""
    require(actor, Permission.MANAGE_SOURCES, source.project)
    if source.deleted_at is None or source.deleted_at < timezone.now() - UNDO_PERIOD:
        raise DomainError("This deletion cannot be undone any more.", code="too_late", status=409)
    effects.restored(source)
    status = Source.Status.ACTIVE if source.count.received else Source.Status.WAITING
    Source.objects.filter(pk=source.pk).update(status=status, deleted_at=None)
    source.refresh_from_db()
    audit.record("source.restored", source, actor=actor, project=source.project)


def purge_deleted_sources() -> int:
    """Remove for good what was deleted more than 30 days ago; return how many sources."""
    old = Source.objects.filter(deleted_at__lt=timezone.now() - UNDO_PERIOD)
    purged = 0
    for source in old:
        with transaction.atomic():
            effects.purged(source)
            source.delete()
        purged += 1
    return purged


@transaction.atomic
def request_source(project: Project, application: str, *, actor: User, note: str = "") -> SourceRequest:
    """Note that somebody asks for an application that cannot be connected yet."""
    require(actor, Permission.VIEW, project)
    if not application.strip():
        raise DomainError("Say which application you need.", code="name_missing")
    asked = SourceRequest.objects.create(
        project=project, application=application.strip()[:120], note=note[:400], requested_by=actor
    )
    audit.record("source.requested", asked, actor=actor, project=project)
    return asked
