"""Answering a repeated request as it was answered the first time."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from config.errors import DomainError
from feedback_ingest.models import IdempotencyKey

KEPT_FOR = timedelta(hours=48)

# Waits for another request with the same key to end, then inserts nothing.
CLAIM = """
INSERT INTO feedback_ingest_idempotencykey (project_id, key, fingerprint, created_at) VALUES (%s, %s, %s, %s)
ON CONFLICT (project_id, key) DO NOTHING
"""


def answer_once(project_id: int, key: str, request: bytes, answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the answer that `key` was given before, or compute, keep and return it.

    Raises DomainError (422) where the key came with another request, (400) where it is too long.
    """
    if not 1 <= len(key) <= 255 or "\x00" in key:
        raise DomainError("Idempotency-Key must have 1 to 255 characters.", code="bad_idempotency_key")
    fingerprint = hashlib.sha256(request).digest()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(CLAIM, [project_id, key, fingerprint, timezone.now()])
            is_first = cursor.rowcount == 1
        stored = IdempotencyKey.objects.get(project=project_id, key=key)
        if bytes(stored.fingerprint) != fingerprint:
            raise DomainError(
                "This Idempotency-Key was used with another request.",
                code="idempotency_key_reused",
                status=422,
            )
        if is_first:
            stored.answer = answer()
            stored.save(update_fields=["answer"])
        return dict(stored.answer or {})


def forget_old_keys() -> int:
    """Delete keys older than two days; return how many."""
    deleted, _ = IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
    return deleted
