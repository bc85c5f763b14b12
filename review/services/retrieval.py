"""Which golden examples a prompt about a question is to hold."""

import math
from collections.abc import Iterator
from uuid import UUID

from django.db import transaction
from pgvector import HalfVector
from pgvector.django import CosineDistance

from projects.models import Project
from review.models import Feedback, GoldenExample
from review.querysets import GoldenQuerySet
from review.services.counts import golden_total
from review.services.twins import EXACT_UP_TO, read_question

FLOOR = 0.6
MOST = 4
TOKENS = 1_500
# Among so many of the nearest are those looked for that fit the budget.
CANDIDATES = 20
CHARACTERS_A_TOKEN = 4
# What a chat format adds to the question and the answer: two roles and their marks.
FRAME_TOKENS = 8


def examples_for(
    project: Project,
    query: str,
    *,
    k: int = MOST,
    floor: float = FLOOR,
    token_budget: int = TOKENS,
    apart_from: Feedback | None = None,
) -> list[GoldenExample]:
    """Return up to `k` examples whose questions are nearest to `query`, the nearest first.

    Only examples in use that are on the prompts' side of the split come, never one that tests ask; all of them
    are similar to at least `floor` (cosine, -1 to 1) and together have at most `token_budget` tokens by
    `tokens_of`: one that does not fit is passed over. The same data gives the same examples in the same order.
    Without an encoder only the very same question is found.
    """
    question = read_question(query)
    live = GoldenExample.objects.in_prompts().filter(project=project)
    if apart_from is not None:
        live = live.exclude(feedback=apart_from)
    if question.vector is None:
        found = list(live.filter(query_hash=question.hash).order_by("pk").values_list("pk", flat=True)[:CANDIDATES])
    else:
        found = _nearest(live, question.vector, floor, exact=golden_total(project) <= EXACT_UP_TO)
    return list(_fitting(live, found, k, token_budget))


def tokens_of(example: GoldenExample) -> int:
    """Estimate the tokens of an example in a prompt.

    Four ASCII characters make one token, as English has on average; any other character counts as one, which
    is on the safe side for every script. Tokenizers differ: leave some room.
    """
    texts = (example.original_query, example.golden_response)
    return FRAME_TOKENS + sum(map(estimated_tokens, texts))


def estimated_tokens(text: str) -> int:
    """Estimate the tokens of a text: a quarter of its ASCII characters, and all others."""
    others = sum(not character.isascii() for character in text)
    return math.ceil((len(text) - others) / CHARACTERS_A_TOKEN) + others


def _nearest(live: GoldenQuerySet, vector: HalfVector, floor: float, *, exact: bool) -> list[UUID]:
    distance = CosineDistance("vector", vector)
    if exact:
        rows = list(live.exclude(vector=None).values_list("pk", distance))
    else:
        with transaction.atomic():
            rows = list(live.by_distance(vector).values_list("pk", distance)[:CANDIDATES])
    near = sorted((how_far, pk) for pk, how_far in rows if how_far <= 1 - floor)
    return [pk for _, pk in near[:CANDIDATES]]


def _fitting(live: GoldenQuerySet, found: list[UUID], k: int, budget: int) -> Iterator[GoldenExample]:
    examples = live.defer("search", "vector").in_bulk(found)
    for example in (examples[pk] for pk in found if pk in examples):
        if k < 1:
            return
        if (needed := tokens_of(example)) <= budget:
            k, budget = k - 1, budget - needed
            yield example
