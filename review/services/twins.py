"""Which golden examples ask the same question."""

import logging
from dataclasses import dataclass
from functools import lru_cache
from itertools import starmap
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from pgvector import HalfVector

from insights.embedding import Vector, encoder, text_hash
from insights.local.encoder import EncoderUnavailable
from projects.models import Project
from review.querysets import visit_index_until_met

logger = logging.getLogger(__name__)

# Two questions this similar are the same question: they never stand on both sides of the split.
TWIN_SIMILARITY = 0.85
# Up to here twins are looked for among all examples, beyond it by the vector index.
EXACT_UP_TO = 2_000
TWINS_AT_ONCE = 20
EMBEDDED_CHARACTERS = 10_000
_PROJECT_LOCK = 4105

# Plain SQL throughout, for others wait for their turn to place an example meanwhile.
TWIN = "id, split, coalesce(golden_response = %(answer)s, false)"
SAME = f"SELECT {TWIN} FROM review_goldenexample WHERE project_id = %(project)s AND query_hash = %(hash)s"  # noqa: S608
# Reads every example: exact, and slow among many.
ALIKE = f"""
SELECT {TWIN} FROM review_goldenexample
WHERE project_id = %(project)s AND (vector <=> %(vector)s::halfvec <= %(distance)s OR query_hash = %(hash)s)
ORDER BY vector <=> %(vector)s::halfvec
"""  # noqa: S608
# The distance is limited only after the index has answered: it would be read whole in search of more.
NEAR = f"""
(SELECT id, split, alike FROM (
    SELECT {TWIN} AS alike, vector <=> %(vector)s::halfvec AS distance FROM review_goldenexample
    WHERE project_id = %(project)s AND vector IS NOT NULL ORDER BY distance LIMIT %(limit)s
) AS nearest WHERE distance <= %(distance)s ORDER BY distance)
UNION ALL ({SAME} AND vector IS NULL)
"""  # noqa: S608


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
    project: Project, vector: HalfVector | list[float] | None, query_hash: bytes, *, answer: str | None = None
) -> list[Twin]:
    """Return the examples that ask the same question, the nearest first; those are alike that answer with `answer`."""
    asked = {
        "project": project.pk,
        "vector": None if vector is None else _text_of(vector),
        "hash": query_hash,
        "distance": 1 - TWIN_SIMILARITY,
        "answer": answer,
    }
    if vector is None:
        return _fetch(SAME, asked)
    if _are_few(project):
        return _fetch(ALIKE, asked)
    with transaction.atomic(savepoint=False):
        visit_index_until_met()
        return _near(asked)


def _text_of(vector: HalfVector | list[float]) -> str:
    # A vector that comes from the database is a list.
    known = vector if isinstance(vector, HalfVector) else HalfVector(vector)
    return str(known.to_text())


def _near(asked: dict[str, Any]) -> list[Twin]:
    """Return the twins that the vector index finds, a few or as many more as there are, and those without a vector."""
    limit = TWINS_AT_ONCE
    while True:
        found = _fetch(NEAR, asked | {"limit": limit})
        if len(found) < limit:
            return found
        limit *= 4


def _are_few(project: Project) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(examples) > %s FROM review_goldencount WHERE project_id = %s", [EXACT_UP_TO, project.pk]
        )
        return not cursor.fetchone()[0]


def _fetch(statement: str, asked: dict[str, Any]) -> list[Twin]:
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return list(starmap(Twin, cursor.fetchall()))
