"""The vectors of statements: one encoder a process, one vector a text, kept in the database."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Literal

import numpy as np
from django.conf import settings
from django.db import connection
from msgspec import json
from numpy.typing import NDArray

from insights.analyst import FAMILIES, Compared, Kind
from insights.local.clustering import char_ngram_vectors, name_vector
from insights.local.encoder import Encoder
from insights.local.topics import TOPIC_WEIGHT, combined
from insights.models import StatementVector

Vector = NDArray[np.float32]
MeasureName = Literal["sentences", "ngrams", "names"]

ENCODED_LANGUAGES = frozenset({"en"})
KEEP = """
INSERT INTO insights_statementvector (model, text_hash, vector)
SELECT %(model)s, row.text_hash, row.vector::halfvec
FROM unnest(%(hashes)s::bytea[], %(vectors)s::text[]) AS row (text_hash, vector)
ON CONFLICT DO NOTHING
"""
OTHER_MODELS = {"ngrams": f"char-ngrams-1024-topic-{TOPIC_WEIGHT:g}", "names": "names-256"}


@cache
def encoder() -> Encoder:
    """Return the sentence encoder of this process."""
    return Encoder(settings.ENCODER_FOLDER)


def measure_of(family: str, language: str) -> MeasureName:
    """Return how statements are compared: brands by name, others by meaning where the encoder knows the language."""
    if family == FAMILIES[Kind.BRAND]:
        return "names"
    return "sentences" if language in ENCODED_LANGUAGES else "ngrams"


def text_hash(text: str) -> bytes:
    """Return the key of a text's vector."""
    return hashlib.sha256(text.encode()).digest()


def compared_hash(compared: Compared) -> bytes:
    """Return the key of the vector of a statement."""
    return text_hash(f"{compared.topic}\n{compared.words}")


def model_name(measure: MeasureName) -> str:
    """Return the name under which vectors of a measure are kept."""
    return f"{encoder().name}-topic-{TOPIC_WEIGHT:g}" if measure == "sentences" else OTHER_MODELS[measure]


def vectors_of(
    statements: Iterable[Compared], measure: MeasureName, known: Mapping[Compared, Vector] | None = None
) -> dict[Compared, Vector]:
    """Return the vector of each: stored, given in `known`, or computed; what was not stored is stored now."""
    hashes = {compared_hash(each): each for each in statements}
    if not hashes:
        return {}
    model = model_name(measure)
    rows = StatementVector.objects.filter(model=model, text_hash__in=list(hashes))
    stored = rows.values_list("text_hash", "vector")
    found: dict[Compared, Vector] = {hashes[bytes(digest)]: unit(vector) for digest, vector in stored}
    missing = sorted(each for each in hashes.values() if each not in found)
    computed = {each: known[each] if known and each in known else _compute(each, measure) for each in missing}
    # Rounded as stored, so that a vector is the same whether it was computed now or read.
    rounded = {each: vector.astype(np.float16) for each, vector in computed.items()}
    _keep(model, rounded)
    return found | {each: unit(vector) for each, vector in rounded.items()}


def _keep(model: str, vectors: Mapping[Compared, NDArray[np.float16]]) -> None:
    if not vectors:
        return
    hashes = [compared_hash(each) for each in vectors]
    texts = [as_text(vector) for vector in vectors.values()]
    with connection.cursor() as cursor:
        cursor.execute(KEEP, {"model": model, "hashes": hashes, "vectors": texts})


def as_text(vector: NDArray[np.floating]) -> str:
    """Return a vector as the database reads it: much sooner written than number by number."""
    return json.encode(vector.tolist()).decode()


def _compute(compared: Compared, measure: MeasureName) -> Vector:
    if measure == "names":
        return name_vector(compared.words)
    encode = encoder().encode if measure == "sentences" else char_ngram_vectors
    if not compared.topic:
        return np.asarray(encode([compared.words])[0])
    topic, words = encode([compared.topic, compared.words])
    return combined(topic, words)


def unit(vector: Sequence[float] | NDArray[np.floating]) -> Vector:
    """Return a vector scaled to length one; one of zeros stays."""
    values = np.asarray(vector, dtype=np.float32)
    length = float(np.linalg.norm(values))
    return values / length if length else values
