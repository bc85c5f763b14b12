"""Stops calls for a while, in all processes, after an endpoint has said that they cannot succeed."""

import hashlib
import time

from django.conf import settings
from django.core.cache import cache

from insights.llm.failures import LlmFailure, Reason

MAX_SECONDS = 300.0


def open_for(seconds: float, reason: Reason) -> None:
    """Refuse calls to the configured endpoint for so long."""
    seconds = min(max(seconds, 1.0), MAX_SECONDS)
    cache.set(_key(), (reason.value, time.time() + seconds), timeout=seconds)


def refusal() -> LlmFailure | None:
    """Return why no call is made now, or None when calls may be made."""
    held = cache.get(_key())
    if held is None:
        return None
    reason, until = held
    return LlmFailure(Reason(reason), retry_after=max(until - time.time(), 0.0))


def _key() -> str:
    """Name the endpoint and its key, so that a corrected key works at once; a cache must not hold the key itself."""
    endpoint = f"{settings.OPENAI_BASE_URL}\x00{settings.OPENAI_API_KEY}".encode()
    return f"insights.llm.breaker/{hashlib.sha256(endpoint).hexdigest()}"
