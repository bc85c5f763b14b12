"""The vectors of statements: one encoder a process, one vector a text, kept in the database."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Literal

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from pgvector import HalfVector

from insights.local.clustering import char_ngram_vectors
from insights.local.encoder import Encoder
from insights.models import StatementVector

Vector = NDArray[np.float32]
MeasureName = Literal["sentences", "ngrams"]

ENCODED_LANGUAGES = frozenset({"en"})
NGRAM_MODEL = "char-ngrams-1024"


@cache
def encoder() -> Encoder:
    """Return the sentence encoder of this process."""
    return Encoder(settings.ENCODER_FOLDER)


def measure_of(language: str) -> MeasureName:
    """Return how statements of a language are compared: by meaning where the encoder knows it, else by letters."""
    return "sentences" if language in ENCODED_LANGUAGES else "ngrams"


def text_hash(text: str) -> bytes:
    """Return the key of a text's vector."""
    return hashlib.sha256(text.encode()).digest()


def model_name(measure: MeasureName) -> str:
    """Return the name under which vectors of a measure are kept."""
    return encoder().name if measure == "sentences" else NGRAM_MODEL


def vectors_of(
    texts: Iterable[str], measure: MeasureName, known: Mapping[str, Vector] | None = None
) -> dict[str, Vector]:
    """Return the vector of each text: stored, given in `known`, or computed; what was not stored is stored now."""
    hashes = {text_hash(text): text for text in texts}
    if not hashes:
        return {}
    model = model_name(measure)
    stored = StatementVector.objects.filter(model=model, text_hash__in=list(hashes))
    found: dict[str, Vector] = {hashes[bytes(row.text_hash)]: unit(row.vector) for row in stored}
    missing = sorted(text for text in hashes.values() if text not in found)
    computed = {text: vector for text, vector in (known or {}).items() if text in set(missing)}
    absent = [text for text in missing if text not in computed]
    if absent:
        computed |= dict(zip(absent, _compute(absent, measure), strict=True))
    StatementVector.objects.bulk_create(
        (
            StatementVector(model=model, text_hash=text_hash(text), vector=HalfVector(computed[text]))
            for text in missing
        ),
        ignore_conflicts=True,
    )
    # Rounded as stored, so that a vector is the same whether it was computed now or read.
    return found | {text: unit(vector.astype(np.float16)) for text, vector in computed.items()}


def _compute(texts: Sequence[str], measure: MeasureName) -> Vector:
    return encoder().encode(texts) if measure == "sentences" else char_ngram_vectors(texts)


def unit(vector: Sequence[float] | Vector) -> Vector:
    """Return a vector scaled to length one; one of zeros stays."""
    values = np.asarray(vector, dtype=np.float32)
    length = float(np.linalg.norm(values))
    return values / length if length else values
