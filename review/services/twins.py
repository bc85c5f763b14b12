"""Which golden examples ask the same question."""

import logging
from dataclasses import dataclass
from functools import lru_cache
from itertools import starmap
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import BooleanField, ExpressionWrapper, Q
from pgvector import HalfVector
from pgvector.django import CosineDistance

from insights.embedding import Vector, encoder, text_hash
from insights.local.encoder import EncoderUnavailable
from projects.models import Project
from review.models import GoldenExample
from review.querysets import GoldenQuerySet

logger = logging.getLogger(__name__)

# Two questions this similar are the same question: they never stand on both sides of the split.
TWIN_SIMILARITY = 0.85
# Up to here twins are looked for among all examples, beyond it by the vector index.
EXACT_UP_TO = 2_000
TWINS_AT_ONCE = 20
EMBEDDED_CHARACTERS = 10_000
# The triggers that count verdicts and examples take the same lock.
_PROJECT_LOCK = 4105


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what finds others like it; `vector` is None where no encoder is at hand."""

    text: str
    hash: bytes
    vector: HalfVector | None
    model: str


class Twin(NamedTuple):
    """An example that asks the same question, its side of the split, and whether it is known to answer the same."""

    pk: UUID
    split: str
    answers_alike: bool = False


def read_question(text: str) -> Question:
    """Embed a question. Takes milliseconds of one core: do it before a transaction is opened."""
    try:
        return Question(text, text_hash(text), HalfVector(embedded(text)), encoder().name)
    except EncoderUnavailable:
        logger.exception("no encoder: the question is kept without a vector")
        return Question(text, text_hash(text), None, "")


@lru_cache(maxsize=512)
def embedded(text: str) -> Vector:
    """Return the vector of the beginning of a text. Raises EncoderUnavailable.

    Kept for a while, since one exchange is embedded again and again: for its run, for the verdict of each of its
    users, for the reviewer who looks for conflicts, and for the decision.
    """
    vector: Vector = encoder().encode([text[:EMBEDDED_CHARACTERS]])[0]
    vector.flags.writeable = False
    return vector


def lock_examples(project: Project) -> None:
    """Let no other transaction write a project's examples: twins that do not see each other could part.

    Verdicts are locked before this and examples after it, everywhere: then nobody waits in a circle.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_PROJECT_LOCK, project.pk % (2**31 - 1)])


def twins_of(
    project: Project, vector: HalfVector | None, query_hash: bytes, *, answer: str | None = None
) -> list[Twin]:
    """Return the examples that ask the same question, the nearest first; those are alike that answer with `answer`."""
    columns: list[Any] = ["pk", "split"]
    if answer is not None:
        columns.append(ExpressionWrapper(Q(golden_response=answer), output_field=BooleanField()))
    examples = GoldenExample.objects.filter(project=project)
    if vector is not None and _are_few(project):
        same = examples.asking_the_same(TWIN_SIMILARITY, vector, query_hash)
        return list(starmap(Twin, same.values_list(*columns)))
    unembedded = examples.filter(query_hash=query_hash).filter(Q(vector=None) if vector is not None else Q())
    near: list[Twin] = []
    if vector is not None:
        with transaction.atomic(savepoint=False):
            near = _near(examples, vector, columns)
    return [*near, *starmap(Twin, unembedded.values_list(*columns))]


def _are_few(project: Project) -> bool:
    # Plain SQL, for it is asked while others wait for their turn to place an example.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(examples) > %s FROM review_goldencount WHERE project_id = %s", [EXACT_UP_TO, project.pk]
        )
        return not cursor.fetchone()[0]


def _near(examples: GoldenQuerySet, vector: HalfVector, columns: list[Any]) -> list[Twin]:
    """Return the twins that the vector index finds: a few, or as many more as there are."""
    rows = examples.by_distance(vector).values_list(CosineDistance("vector", vector), *columns)
    limit = TWINS_AT_ONCE
    while True:
        found = [Twin(*twin) for distance, *twin in rows[:limit] if distance <= 1 - TWIN_SIMILARITY]
        if len(found) < limit:
            return found
        limit *= 4
