"""Connect an application, change how it is connected, and try a connection before it is kept."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from config.errors import DomainError
from projects import audit
from projects.access import require
from projects.models import Project, User
from projects.roles import Permission
from sources import credentials
from sources.connectors import Account, ConnectorError, Engine
from sources.connectors.auth import choose
from sources.connectors.configured import connector_of
from sources.connectors.filling import fill
from sources.connectors.spec import Field
from sources.connectors.transport import SystemClock, open_session, origin
from sources.items import RawItem
from sources.models import Connection, Source, StreamCursor
from sources.services import make_source

# What signing in gives, beside what a person types in.
SIGNED_IN: Final = frozenset({"access_token", "refresh_token", "client_id", "client_secret", "base_url"})
SHORTEST: Final = 5  # minutes between two runs
LONGEST: Final = 1440
LONGEST_HISTORY: Final = 20 * 365  # days


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
    purpose: str = "",
    begin_at: datetime | None = None,
) -> Source:
    """Add a source that reads an application every so many minutes, from `begin_at` or now on.

    Raises DomainError where something that the application needs is missing or not written as it should be.
    """
    require(actor, Permission.MANAGE_SOURCES, project)
    settings, secrets = _accepted(kind, settings, secrets)
    source = make_source(project, Source.Kind.CONNECTOR, name.strip() or kind, application=kind, created_by=actor)
    if purpose:
        source.purpose = purpose[:400]
        source.save(update_fields=["purpose"])
    Connection.objects.create(
        source=source,
        settings=settings,
        secrets=credentials.seal(secrets),
        every=_minutes(every),
        due_at=begin_at or timezone.now(),
    )
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
    wanted = connection.settings if settings is None else settings
    used = secrets_for(source.application, wanted, typed, stored=known, given_for=connection.settings)
    connection.settings, sealed = _accepted(source.application, wanted, used)
    connection.secrets = credentials.seal(sealed)
    connection.every = connection.every if every is None else _minutes(every)
    connection.due_at = timezone.now()
    connection.save()
    Source.objects.filter(pk=source.pk, status=Source.Status.FAILED).update(
        status=Source.Status.ACTIVE, status_reason=""
    )
    audit.record("source.connection_changed", source, actor=actor, project=source.project)


@transaction.atomic
def read_now(source: Source, *, actor: User) -> None:
    """Have the application read with the next round of jobs, also where it needed attention.

    Raises DomainError where the source is paused.
    """
    require(actor, Permission.MANAGE_SOURCES, source.project)
    _reopen(source)
    read_soon(source)
    audit.record("source.read_now", source, actor=actor, project=source.project)


@transaction.atomic
def read_again(source: Source, since: date, *, actor: User) -> None:
    """Read everything again that was said since a day; what is stored already changes only where it differs.

    Raises DomainError where the source is paused, or for a day that is not in the past.
    """
    require(actor, Permission.MANAGE_SOURCES, source.project)
    days = (timezone.now().date() - since).days
    if not 0 < days <= LONGEST_HISTORY:
        raise DomainError("Choose a day in the past, of the last 20 years.", code="bad_date")
    _reopen(source)
    connection = Connection.objects.select_for_update().get(pk=source.pk)
    # Whoever reads just now loses the connection, and with it the places it would save.
    connection.lease_until = connection.leased_by = None
    connection.settings = connection.settings | {"history_days": days}
    connection.due_at = timezone.now()
    connection.save()
    StreamCursor.objects.filter(source=source).delete()
    audit.record("source.read_again", source, actor=actor, project=source.project, days=days)


def _reopen(source: Source) -> None:
    if source.status in (Source.Status.PAUSED, Source.Status.DELETED):
        raise DomainError("This source is paused. Resume it first.", code="source_closed", status=409)
    Source.objects.filter(pk=source.pk, status=Source.Status.FAILED).update(
        status=Source.Status.ACTIVE, status_reason=""
    )


@dataclass(frozen=True, slots=True)
class Preview:
    """What an application answered: its first items, how many there are in all where it says so, and how long it took.

    `secrets` are those given, with tokens that were replaced on the way; `took` is in seconds.
    """

    items: list[RawItem]
    unreadable: int
    total: int | None
    took: float
    secrets: dict[str, str]

    @property
    def estimate(self) -> float | None:
        """How many seconds the whole history takes at this pace, where the application says how much it is."""
        return self.took * self.total / len(self.items) if self.total and self.items else None


def _walks(engine: Engine) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((stream, record) for stream in engine.streams for record in engine.keys(stream))


def check_access(kind: str, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
    """Raise DomainError where a key, a token or a sign-in is missing."""
    try:
        account = Account(settings=dict(settings), secrets=dict(secrets))
        choose(connector_of(kind, settings).auth, account, clock=SystemClock(), session=open_session())
    except ConnectorError as error:
        raise DomainError(error.message, code="connection_incomplete") from error


def try_connection(source: Source, *, actor: User, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Preview:
    """Read the first rows with changed settings or secrets, and keep nothing but tokens that were replaced by it.

    Raises DomainError as `preview` does.
    """
    require(actor, Permission.MANAGE_SOURCES, source.project)
    connection = Connection.objects.get(pk=source.pk)
    typed = {name: value for name, value in secrets.items() if value}
    known = credentials.unseal(connection.secrets)
    given = secrets_for(source.application, settings, typed, stored=known, given_for=connection.settings)
    seen = preview(source.application, settings, given)
    # A refresh token works once: the one that came for it is the only one there is now.
    replaced = {name: value for name, value in seen.secrets.items() if given.get(name) != value}
    if replaced:
        credentials.replace(source.pk, replaced)
    return seen


def preview(
    kind: str, settings: Mapping[str, Any], secrets: Mapping[str, str], *, limit: int = 20, only_first: bool = False
) -> Preview:
    """Read the first rows of each list, or of the first one only, keep nothing, and return `limit` items at most.

    Raises DomainError with the reason in words where something cannot be read.
    """
    settings, known = _accepted(kind, settings, secrets)
    account = Account(settings=settings, secrets=dict(known))
    items: list[RawItem] = []
    totals: list[int] = []
    unreadable = 0
    began = time.monotonic()
    try:
        engine = Engine(connector_of(kind, settings), account, patience=5)
        for stream, record in islice(_walks(engine), 1 if only_first else None):
            batch = next(engine.walk(stream, record, {}))
            items += batch.items
            unreadable += batch.unreadable
            totals += [] if batch.total is None else [batch.total]
    except ConnectorError as error:
        raise DomainError(error.message, code="connection_failed") from error
    took = time.monotonic() - began
    return Preview(items[:limit], unreadable, sum(totals) if totals else None, took, account.secrets)


def secrets_for(
    kind: str,
    settings: Mapping[str, Any],
    typed: Mapping[str, str],
    *,
    stored: Mapping[str, str],
    given_for: Mapping[str, Any],
) -> dict[str, str]:
    """Return the secrets to use with settings: those stored, and over them those typed in.

    Raises DomainError where stored ones would go to another address than they were given for: who may change a
    source must not be able to send them to a server of their own.
    """
    if not stored or _addresses(kind, settings) == _addresses(kind, given_for):
        return {**stored, **typed}
    by_hand = set(stored) & _names(connector_of(kind, settings).secrets)
    if not by_hand <= set(typed):
        raise DomainError(
            "These settings lead to another address. Enter the credentials for it again.", code="credentials_elsewhere"
        )
    return dict(typed)


def _addresses(kind: str, settings: Mapping[str, Any]) -> list[str]:
    """Return the origins that a connection with these settings sends its credentials to."""
    connector = connector_of(kind, settings)
    places = [connector.base_url, *(getattr(auth, "token_url", "") for auth in connector.auth)]
    if connector.oauth is not None:
        places += [connector.oauth.authorize_url, connector.oauth.token_url]
    defaults = {field.name: field.default for field in connector.settings}
    values = {"settings": defaults | {name: value for name, value in settings.items() if value}}
    return [origin(str(fill(place, values))) for place in places if place]


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
        Engine(connector, Account(settings=dict(given), secrets=dict(kept)), patience=0)
    except ConnectorError as error:
        raise DomainError(error.message, code="connection_incomplete") from error
    return given, kept


def _named(fields: Iterable[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    # The loopback server of tests is no field; it is heeded only where the settings allow loopback.
    names = _names(fields) | {"loopback"}
    return {name: value for name, value in values.items() if name in names and value not in (None, "", [])}


def _names(fields: Iterable[Field]) -> frozenset[str]:
    return frozenset(field.name for field in fields)


def _minutes(every: int) -> int:
    return min(max(every, SHORTEST), LONGEST)
