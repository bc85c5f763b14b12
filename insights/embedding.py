"""The embedding of statements: one encoder a process, one vector a text, kept in the database."""

import hashlib
from collections.abc import Sequence
from functools import cache

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from pgvector import HalfVector

from insights.local.encoder import Encoder
from insights.models import StatementVector

Vector = NDArray[np.float32]


@cache
def encoder() -> Encoder:
    """Return the encoder of this process."""
    return Encoder(settings.ENCODER_FOLDER)


def text_hash(text: str) -> bytes:
    """Return the key of a text's vector."""
    return hashlib.sha256(text.encode()).digest()


def vectors_of(texts: Sequence[str], known: dict[str, Vector] | None = None) -> dict[str, Vector]:
    """Return the vector of each text: given, stored, or computed and stored now."""
    found: dict[str, Vector] = dict(known or {})
    hashes = {text_hash(text): text for text in texts}
    model = encoder().name
    stored = StatementVector.objects.filter(model=model, text_hash__in=list(hashes))
    have = {bytes(row.text_hash): row.vector for row in stored}
    found |= {hashes[key]: np.asarray(value.to_numpy(), dtype=np.float32) for key, value in have.items()}
    missing = [text for key, text in hashes.items() if key not in have]
    absent = [text for text in missing if text not in found]
    if absent:
        found |= dict(zip(absent, encoder().encode(absent), strict=True))
    StatementVector.objects.bulk_create(
        (
            StatementVector(model=model, text_hash=text_hash(text), vector=HalfVector(found[text]))
            for text in sorted(missing)
        ),
        ignore_conflicts=True,
    )
    return found
