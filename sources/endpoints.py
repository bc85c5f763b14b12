"""Addresses at which applications push what is said there: made, shown once with their secret, closed."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from config.errors import DomainError
from projects import audit
from projects.access import require
from projects.models import User
from projects.roles import Permission
from sources import credentials
from sources.connectors import connectors
from sources.models import Source, WebhookDelivery, WebhookEndpoint

SECRET_BYTES: Final = 32
LONGEST_SECRET: Final = 200
JSON: Final = "json"
NAME: Final = "webhook"  # under which the secret is sealed
# Longer than `webhooks.OLD_SECONDS`: what is too old to be known again is not believed either.
DELIVERIES_KEPT_FOR: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a person does at the application, and what it calls the secret; `given` where it makes the secret."""

    text: str
    secret: str
    given: bool = False


INSTRUCTIONS: Final = {
    "zendesk": Instruction(
        "In Admin Center, under Apps and integrations, Webhooks, make a webhook for ticket events with this address,"
        " and copy its signing secret.",
        "Signing secret",
        given=True,
    ),
    "intercom": Instruction(
        "In the Developer Hub, under Webhooks of your app, enter this address and choose the conversation topics.",
        "Client secret of the app",
        given=True,
    ),
    "trustpilot": Instruction(
        "In Trustpilot Business, under Integrations, Webhooks, enter this address for service reviews. Whoever knows"
        " it is believed, so treat it as a password.",
        "Part of the address",
    ),
    "slack": Instruction(
        "In your Slack app, under Event Subscriptions, enter this address and subscribe to the message events of"
        " channels and groups.",
        "Signing secret",
        given=True,
    ),
    "github": Instruction(
        "In the repository's settings, under Webhooks, enter this address with the content type application/json,"
        " paste the secret, and choose Issues and Issue comments.",
        "Secret",
    ),
    "discourse": Instruction(
        "In the admin pages, under API, Webhooks, enter this address and the secret, and choose post events.",
        "Secret",
    ),
    "hubspot": Instruction(
        "In your app's settings, under Webhooks, enter this address and subscribe to conversations and tickets.",
        "Client secret of the app",
        given=True,
    ),
    JSON: Instruction(
        "Send JSON to this address, signed with the secret: X-Earshot-Timestamp holds the seconds since 1970,"
        " X-Earshot-Signature the hexadecimal HMAC-SHA256 of the timestamp, a full stop and the body.",
        "Secret",
    ),
}


def kind_of(source: Source) -> str:
    """Return how deliveries to a source are signed and read, or nothing where it takes none."""
    if source.kind == Source.Kind.WEBHOOK:
        return JSON
    connector = connectors().get(source.application)
    return connector.webhook if connector and source.kind == Source.Kind.CONNECTOR else ""


def address_of(source: Source, secret: str = "") -> str:
    """Return the address to give to the application; where it signs nothing, the secret is part of it."""
    if kind_of(source) == "trustpilot":
        return settings.SITE_URL + reverse("hook_keyed", args=[source.pk, secret or "…"])
    return settings.SITE_URL + reverse("hook", args=[source.pk])


@transaction.atomic
def open_endpoint(source: Source, *, actor: User, secret: str = "") -> str:
    """Make a source's address, or give it another secret; return the secret, which cannot be shown again.

    Raises DomainError where the source takes no deliveries, or the application's own secret is missing.
    """
    require(actor, Permission.MANAGE_SOURCES, source.project)
    kind = kind_of(source)
    if not kind:
        raise DomainError("This application does not push; it is read by the clock.", code="no_webhook")
    instruction = INSTRUCTIONS[kind]
    if instruction.given and not 0 < len(secret.strip()) <= LONGEST_SECRET:
        raise DomainError(f"Paste the application's secret: {instruction.secret}.", code="secret_missing")
    secret = secret.strip() if instruction.given else secrets.token_urlsafe(SECRET_BYTES)
    WebhookEndpoint.objects.update_or_create(source=source, defaults={"secret": credentials.seal({NAME: secret})})
    audit.record("source.webhook_opened", source, actor=actor, project=source.project)
    return secret


@transaction.atomic
def close_endpoint(source: Source, *, actor: User) -> None:
    """Take nothing more at a source's address."""
    require(actor, Permission.MANAGE_SOURCES, source.project)
    if WebhookEndpoint.objects.filter(source=source).delete()[0]:
        audit.record("source.webhook_closed", source, actor=actor, project=source.project)


def secret_of(endpoint: WebhookEndpoint) -> str:
    """Return the secret that deliveries are checked with. Raises DomainError where it cannot be read."""
    return credentials.unseal(endpoint.secret).get(NAME, "")


def forget_deliveries() -> int:
    """Forget deliveries that are too old to come again; return how many."""
    return WebhookDelivery.objects.filter(received_at__lt=timezone.now() - DELIVERIES_KEPT_FOR).delete()[0]
