"""The near-duplicates of an example, as a person looks at them."""

from dataclasses import dataclass

import numpy as np

from review.models import GoldenExample
from review.services.attention import rivals_of
from review.services.twins import twins_of

MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An example that asks the same; `agrees` unless it is in use and says something else."""

    example: GoldenExample
    similarity: float
    agrees: bool


def duplicates_of(example: GoldenExample) -> list[Duplicate]:
    """Return up to `MOST_SHOWN` examples that ask the same, the nearest first."""
    nearest = [twin.pk for twin in twins_of(example.project, example.vector, bytes(example.query_hash))]
    wanted = [pk for pk in nearest if pk != example.pk][:MOST_SHOWN]
    found = GoldenExample.objects.select_related("feedback").defer("search", "feedback__search").in_bulk(wanted)
    rivals = {rival.pk for rival in rivals_of(example)}
    return [
        Duplicate(found[pk], _similarity(example, found[pk]), agrees=pk not in rivals) for pk in wanted if pk in found
    ]


def _similarity(one: GoldenExample, other: GoldenExample) -> float:
    if one.vector is None or other.vector is None:
        return 1.0
    return float(np.dot(np.asarray(one.vector), np.asarray(other.vector)))
