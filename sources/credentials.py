"""Secrets of connections at rest: encrypted with a key made from SECRET_KEY, readable while an old key is listed."""

import base64
from collections.abc import Mapping
from functools import cache
from uuid import UUID

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction

from config.errors import DomainError
from sources.models import Connection

PURPOSE = b"earshot secrets of connections"


def seal(secrets: Mapping[str, str]) -> bytes:
    """Return the secrets encrypted with the current key."""
    return _box().encrypt(msgspec.json.encode(dict(secrets)))


def unseal(sealed: bytes | memoryview) -> dict[str, str]:
    """Return the secrets. Raises DomainError where none of the known keys has sealed them."""
    if not sealed:
        return {}
    try:
        return msgspec.json.decode(_box().decrypt(bytes(sealed)), type=dict[str, str])
    except InvalidToken as error:
        raise DomainError(
            "The stored credentials cannot be read, since SECRET_KEY has changed. Enter them again, or list the"
            " former key in EARSHOT_SECRET_KEYS.",
            code="credentials_unreadable",
            status=409,
        ) from error


@transaction.atomic
def replace(connection_id: UUID, replaced: Mapping[str, str]) -> None:
    """Lay replaced secrets over the stored ones: a refresh token works once, so both tokens are kept or none."""
    connection = Connection.objects.select_for_update().get(pk=connection_id)
    connection.secrets = seal(unseal(connection.secrets) | dict(replaced))
    connection.save(update_fields=["secrets"])


def stored(connection_id: UUID) -> dict[str, str]:
    """Return the secrets as they are stored now."""
    return unseal(Connection.objects.values_list("secrets", flat=True).get(pk=connection_id))


def seal_again() -> int:
    """Encrypt all stored secrets with the current key, so that a former one can be dropped; return how many."""
    count = 0
    for pk in Connection.objects.exclude(secrets=b"").values_list("pk", flat=True):
        with transaction.atomic():
            connection = Connection.objects.select_for_update().get(pk=pk)
            connection.secrets = _box().rotate(bytes(connection.secrets))
            connection.save(update_fields=["secrets"])
        count += 1
    return count


def _box() -> MultiFernet:
    return MultiFernet([_key(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


@cache
def _key(secret: str) -> Fernet:
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=PURPOSE).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
