"""Connect an application, change how it is connected, and try a connection before it is kept."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.errors import DomainError
from projects import audit
from projects.access import require
from projects.models import Project, User
from projects.roles import Permission
from sources import credentials
from sources.connectors import Account, ConnectorError, Engine
from sources.connectors.configured import connector_of
from sources.connectors.spec import Field
from sources.models import Connection, Source
from sources.services import make_source

# What signing in gives, beside what a person types in.
SIGNED_IN = frozenset({"access_token", "refresh_token", "client_id", "client_secret", "base_url"})


@transaction.atomic
def connect(
    project: Project,
    kind: str,
    name: str,
    *,
    actor: User,
    settings: Mapping[str, Any],
    secrets: Mapping[str, str],
    every: int = 60,
) -> Source:
    """Add a source that reads an application every so many minutes, from now on.

    Raises DomainError where something that the application needs is missing or not written as it should be.
    """
    require(actor, Permission.MANAGE_SOURCES, project)
    settings, secrets = _accepted(kind, settings, secrets)
    source = make_source(project, Source.Kind.CONNECTOR, name.strip() or kind, application=kind, created_by=actor)
    Connection.objects.create(source=source, settings=settings, secrets=credentials.seal(secrets), every=max(every, 5))
    audit.record("source.connected", source, actor=actor, project=project, application=kind)
    return source


@transaction.atomic
def change_connection(
    source: Source,
    *,
    actor: User,
    settings: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    every: int | None = None,
) -> None:
    """Change what is given and read the application again soon; a secret left blank stays as it is.

    Raises DomainError as `connect` does.
    """
    require(actor, Permission.MANAGE_SOURCES, source.project)
    connection = Connection.objects.select_for_update().get(pk=source.pk)
    typed = {name: value for name, value in (secrets or {}).items() if value}
    known = credentials.unseal(connection.secrets) if not typed or secrets is None else _known(connection)
    connection.settings, sealed = _accepted(
        source.application, connection.settings if settings is None else settings, known | typed
    )
    connection.secrets = credentials.seal(sealed)
    connection.every = connection.every if every is None else max(every, 5)
    connection.due_at = timezone.now()
    connection.save()
    Source.objects.filter(pk=source.pk, status=Source.Status.FAILED).update(
        status=Source.Status.ACTIVE, status_reason=""
    )
    audit.record("source.connection_changed", source, actor=actor, project=source.project)


def try_connection(kind: str, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> int:
    """Read the first rows of every list, keep nothing, and return how many items they are.

    Raises DomainError with the reason in words where one cannot be read.
    """
    settings, known = _accepted(kind, settings, secrets)
    count = 0
    try:
        engine = _engine(kind, settings, known, patience=5)
        for stream in engine.streams:
            for record in engine.keys(stream):
                count += len(next(engine.walk(stream, record, {})).items)
    except ConnectorError as error:
        raise DomainError(error.message, code="connection_failed") from error
    return count


def read_soon(source: Source) -> None:
    """Read the application with the next round of jobs; for the machine, as when a webhook says so."""
    Connection.objects.filter(pk=source.pk).update(due_at=timezone.now())


def _known(connection: Connection) -> dict[str, str]:
    """Return the stored secrets, or nothing where they cannot be read and are just being typed in again."""
    try:
        return credentials.unseal(connection.secrets)
    except DomainError:
        return {}


def _accepted(
    kind: str, settings: Mapping[str, Any], secrets: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return only what the connector knows, once it is complete."""
    try:
        connector = connector_of(kind, settings)
        given = _named(connector.settings, settings)
        kept = {name: value for name, value in secrets.items() if name in SIGNED_IN | _names(connector.secrets)}
        _engine(kind, given, kept, patience=0)
    except ConnectorError as error:
        raise DomainError(error.message, code="connection_incomplete") from error
    return given, kept


def _named(fields: Iterable[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    # The loopback server of tests is no field; it is heeded only where the settings allow loopback.
    names = _names(fields) | {"loopback"}
    return {name: value for name, value in values.items() if name in names and value not in (None, "", [])}


def _names(fields: Iterable[Field]) -> frozenset[str]:
    return frozenset(field.name for field in fields)


def _engine(kind: str, settings: Mapping[str, Any], secrets: Mapping[str, str], *, patience: float) -> Engine:
    account = Account(settings=dict(settings), secrets=dict(secrets))
    return Engine(connector_of(kind, settings), account, patience=patience)
