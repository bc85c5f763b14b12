"""Keyed hashes of what identifies a person: they recognise a value that comes again, and tell nobody what it was."""

import unicodedata

from django.conf import settings
from django.utils.crypto import salted_hmac

from privacy.models import Suppression


def keyed_hash(project_id: int, subject: Suppression.Subject, value: str) -> bytes:
    """Return the hash under which a value is stored: 32 bytes that mean nothing in another project."""
    return _hashed(project_id, subject, value, settings.SECRET_KEY)


def known_hashes(project_id: int, subject: Suppression.Subject, value: str) -> list[bytes]:
    """Return every hash under which a value may have been stored, by the present key and its forerunners."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [_hashed(project_id, subject, value, key) for key in keys]


def normalised(subject: Suppression.Subject, value: str) -> str:
    """Return the form in which two ways of writing one value are equal."""
    plain = unicodedata.normalize("NFC", value).strip()
    return plain.casefold() if subject == Suppression.Subject.EMAIL else plain


def _hashed(project_id: int, subject: Suppression.Subject, value: str, key: str) -> bytes:
    salt = f"privacy.suppression/{project_id}/{subject}"
    return salted_hmac(salt, normalised(subject, value), secret=key, algorithm="sha256").digest()
