"""Feedback tokens: each lets whoever holds it judge one answer of one run, and nothing else."""

import binascii
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer, b64_decode, b64_encode
from django.utils import timezone

from review.models import Run

# Part of the signing key: what is signed for anything else is no feedback token, and the other way round.
SALT = "review.feedback-token"
UUID_BYTES = 16
# A token has 108 characters; nobody makes us sign more than this to find that out.
MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token of ours says: which run, and the SHA-256 of the answer that was given then."""

    run_id: UUID
    answer_hash: bytes


def mint_token(run: Run) -> str:
    """Return the token of a run; it stays the same for as long as the answer and the signing key do."""
    return _signer().sign(b64_encode(run.pk.bytes + bytes(run.answer_hash or b"")).decode())


def read_token(token: str) -> Claim | None:
    """Return what a token says, None for one that was not signed here. Asks no database."""
    if len(token) > MOST_CHARACTERS or not token.isascii():
        return None
    try:
        content = b64_decode(_signer().unsign(token).encode())
    except (BadSignature, binascii.Error):
        return None
    return Claim(UUID(bytes=content[:UUID_BYTES]), content[UUID_BYTES:])


def run_claimed(claim: Claim) -> Run | None:
    """Return the run that may be judged, None where it is gone, too long ago, or has another answer by now."""
    runs = Run.objects.select_related("project").defer("messages", "tool_calls", "metadata")
    run = runs.filter(pk=claim.run_id).first()
    if run is None or bytes(run.answer_hash or b"") != claim.answer_hash:
        return None
    days = settings.FEEDBACK_TOKEN_DAYS
    return None if days and run.created_at < timezone.now() - timedelta(days=days) else run


def _signer() -> Signer:
    return Signer(sep=".", salt=SALT)
