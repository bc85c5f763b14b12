"""Decides for one statement at a time which known group it belongs to."""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from insights.local.clustering.neighbours import Floats, centre

Key = TypeVar("Key", bound=Hashable)
FIRST_ROWS = 16
LEVEL_SHARE = 0.15


class Verdict(Enum):
    """What to do with a statement."""

    JOIN = "join"
    UNSURE = "unsure"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores from which a statement surely joins, and from which somebody should have a look."""

    sure: float
    unsure: float


SENTENCE_THRESHOLDS = Thresholds(sure=0.6, unsure=0.35)
NGRAM_THRESHOLDS = Thresholds(sure=0.6, unsure=0.3)
TOPIC_THRESHOLDS = Thresholds(sure=0.75, unsure=0.68)
NGRAM_TOPIC_THRESHOLDS = Thresholds(sure=0.6, unsure=0.5)
# Names are equal or not: there is nothing to be unsure of.
NAME_THRESHOLDS = Thresholds(sure=0.6, unsure=0.6)


@dataclass(frozen=True, slots=True)
class Candidate(Generic[Key]):
    """A known group and its score, the cosine of what sets it and the statement off from everything else."""

    key: Key
    score: float


@dataclass(frozen=True, slots=True)
class Decision(Generic[Key]):
    """A verdict, with up to three candidates, best first; the first is the one to join."""

    verdict: Verdict
    candidates: tuple[Candidate[Key], ...]


class Index(Generic[Key]):
    """The groups of one shelf: for each its mean vector and how many statements that is the mean of.

    Nothing else has to be stored: the point that scores are measured from is a mean of the groups.
    """

    def __init__(self, dimensions: int, *, thresholds: Thresholds = SENTENCE_THRESHOLDS) -> None:
        self.thresholds = thresholds
        self._places: dict[Key, int] = {}
        self._keys: list[Key] = []
        self._means = np.zeros((FIRST_ROWS, dimensions), np.float32)
        self._weights = np.zeros(FIRST_ROWS)

    def __len__(self) -> int:
        return len(self._keys)

    def put(self, key: Key, mean: Floats, weight: float) -> None:
        """Set a group's mean vector, not normalised, and its weight; a weight of 0 takes the group out."""
        place = self._places.get(key)
        if place is None:
            place = self._new_place(key)
        self._means[place] = mean
        self._weights[place] = weight

    def add(self, key: Key, vector: Floats) -> None:
        """Count one more statement in a group, which is founded when it is not known."""
        place = self._places.get(key)
        weight = 0.0 if place is None else float(self._weights[place])
        mean = vector if place is None else (self._means[place] * weight + vector) / (weight + 1)
        self.put(key, np.asarray(mean, np.float32), weight + 1)

    def mean(self, key: Key) -> tuple[Floats, float]:
        """Return a group's mean vector and weight. Raises KeyError when the group is not known."""
        place = self._places[key]
        return self._means[place].copy(), float(self._weights[place])

    def assign(self, vector: Floats) -> Decision[Key]:
        """Return where a statement of length one belongs; nothing is changed by asking."""
        scores = self._scores(vector)
        best = [int(place) for place in np.argsort(-scores, kind="stable")[:3] if scores[place] > -1]
        candidates = tuple(Candidate(self._keys[place], float(scores[place])) for place in best)
        score = candidates[0].score if candidates else -1.0
        if score >= self.thresholds.sure:
            return Decision(Verdict.JOIN, candidates)
        verdict = Verdict.UNSURE if score >= self.thresholds.unsure else Verdict.NEW
        return Decision(verdict, candidates)

    def _scores(self, vector: Floats) -> npt.NDArray[np.float64]:
        """Return a score a group, by place; that of groups taken out is below every other."""
        count = len(self)
        means, weights = self._means[:count], self._weights[:count]
        origin = self._origin(means, weights)
        own = vector - origin
        products = means @ own - origin @ own
        squares = np.einsum("nd,nd->n", means, means) - 2 * (means @ origin) + origin @ origin
        scores = products / np.sqrt(np.maximum(squares * (own @ own), 1e-12))
        return np.where(weights > 0, scores, -2.0)

    def _origin(self, means: Floats, weights: npt.NDArray[np.float64]) -> Floats:
        """Return the point to measure from, in which the weight of a group levels off with its share."""
        total = weights.sum()
        levelled = (weights / (weights + LEVEL_SHARE * total + 1e-9)).astype(np.float32)
        scale = total / max(float(levelled.sum()), 1e-9)
        return centre(scale * (levelled @ means), total)

    def _new_place(self, key: Key) -> int:
        place = len(self._keys)
        if place == len(self._means):
            self._means = np.concatenate([self._means, np.zeros_like(self._means)])
            self._weights = np.concatenate([self._weights, np.zeros_like(self._weights)])
        self._keys.append(key)
        self._places[key] = place
        return place
