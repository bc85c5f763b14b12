"""Groups all statements of a shelf at once, from their vectors and what people have corrected."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from insights.local.clustering import neighbours
from insights.local.clustering.communities import (
    CANDIDATES,
    Nodes,
    adjacency,
    communities,
    contracted_apart,
    summed,
)
from insights.local.clustering.neighbours import Floats, Integers


@dataclass(frozen=True, slots=True)
class Measure:
    """How near is near in one kind of vectors.

    `join` is the mean product within a group after smoothing. As many nearest others smooth a vector as `pull`,
    or `reach` times the root of how many vectors there are where that is more, each by
    exp(sharpness * (product - 1)), in so many `rounds`.
    """

    join: float
    pull: int
    sharpness: float
    reach: float = 0.0
    rounds: int = 1

    def neighbours(self, total: int) -> int:
        """Return how many others smooth each of `total` vectors."""
        return max(self.pull, round(self.reach * sqrt(total)))


# Among more statements the same number of neighbours is a smaller part of a topic, which would fall apart.
SENTENCES = Measure(join=0.75, pull=10, sharpness=3.0, reach=0.2, rounds=2)
NGRAMS = Measure(join=0.35, pull=5, sharpness=3.0)
# Of statements whose topic is part of their vector: most on one topic are nearer than this, few on two.
TOPICS = Measure(join=0.78, pull=5, sharpness=3.0)
NGRAM_TOPICS = Measure(join=0.5, pull=5, sharpness=3.0)
NAMES = Measure(join=0.6, pull=0, sharpness=0.0)
NEW = -1


def rebuild(
    vectors: Floats,
    *,
    previous: Integers | None = None,
    must_link: Iterable[Sequence[int]] = (),
    cannot_link: Iterable[tuple[int, int]] = (),
    measure: Measure = SENTENCES,
) -> Integers:
    """Return a group number for each row of `vectors`, (n, d) of length one; numbers rise with the first row.

    `previous` holds the present group of each row, NEW (-1) for those without: the search starts there, so
    that what still fits stays. Rows of a `must_link` group, and equal rows, end in one group; those of a
    `cannot_link` pair never do. The order of rows does not matter. Raises ValueError when the links
    contradict each other.
    """
    if len(vectors) == 0:
        return np.empty(0, np.int64)
    apart = [(int(first), int(second)) for first, second in cannot_link]
    together = [[int(row) for row in group] for group in must_link]
    # What keeps two rows apart, or links them, says nothing of their equals.
    named = {row for group in (*together, *apart) for row in group} if apart else set()
    texts, rows = _distinct(np.ascontiguousarray(vectors, np.float32), sorted(named))
    of_row = _linked(texts, together)
    nodes = _nodes(rows, texts, of_row, measure)
    nodes = _kept_apart(nodes, of_row, apart)
    start = _start(nodes, of_row, previous)
    return _by_first_row(communities(nodes, start, threshold=measure.join)[of_row])


def _distinct(vectors: Floats, alone: Iterable[int]) -> tuple[Integers, Floats]:
    """Return which distinct vector each row is, and these in an order of their own.

    Rows that are to stand `alone` count as different from their equals.
    """
    keys = vectors.view(np.dtype((np.void, vectors.strides[0]))).ravel()
    _, first, inverse, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    inverse = inverse.astype(np.int64)
    left = counts.tolist()
    for row in alone:
        if left[inverse[row]] > 1:
            left[inverse[row]] -= 1
            inverse[row] = len(first)
            first = np.append(first, row)
            left.append(1)
    return inverse, vectors[first]


def _linked(texts: Integers, must_link: Iterable[Sequence[int]]) -> Integers:
    """Return the node of each row: distinct vectors, joined where they must be."""
    parents = list(range(int(texts.max()) + 1))

    def root(node: int) -> int:
        while parents[node] != node:
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    for group in must_link:
        found = sorted({root(int(texts[row])) for row in group})
        for other in found[1:]:
            parents[other] = found[0]
    roots = np.array([root(node) for node in range(len(parents))], np.int64)
    _, of_text = np.unique(roots, return_inverse=True)
    return np.asarray(of_text[texts], np.int64)


def _nodes(rows: Floats, texts: Integers, of_row: Integers, measure: Measure) -> Nodes:
    """Smooth the distinct vectors and sum them up by node."""
    counts = np.bincount(texts, minlength=len(rows)).astype(np.float64)
    weights = neighbours.evened(rows, counts)
    spread = neighbours.centred(rows, weights)
    pull = measure.neighbours(len(rows))
    places, scores = neighbours.nearest(spread, max(CANDIDATES, pull))
    strengths = np.exp(measure.sharpness * (scores[:, :pull] - 1))
    smooth = spread
    for _ in range(measure.rounds):
        smooth = neighbours.centred(neighbours.smoothed(smooth, places[:, :pull], strengths), weights)
    places = places[:, :CANDIDATES]
    of_text = np.empty(len(rows), np.int64)
    of_text[texts] = of_row
    size = int(of_row.max()) + 1
    sums = summed(np.asarray(smooth * counts[:, None], np.float32), of_text, size)
    bounds, targets = adjacency(size, np.repeat(of_text, places.shape[1]), of_text[places.ravel()])
    return Nodes(sums, np.bincount(of_row, minlength=size).astype(np.float64), bounds, targets, {})


def _kept_apart(nodes: Nodes, of_row: Integers, apart: Sequence[tuple[int, int]]) -> Nodes:
    found: dict[int, frozenset[int]] = {}
    for first, second in apart:
        if of_row[first] == of_row[second]:
            raise ValueError(f"rows {first} and {second} are linked and kept apart at once")
        found[first] = found.get(first, frozenset()) | {second}
        found[second] = found.get(second, frozenset()) | {first}
    return Nodes(nodes.sums, nodes.counts, nodes.bounds, nodes.targets, contracted_apart(found, of_row))


def _start(nodes: Nodes, of_row: Integers, previous: Integers | None) -> Integers:
    """Put each node where most of its rows were, alone when they were nowhere or it may not be there."""
    alone = np.arange(len(nodes), dtype=np.int64)
    if previous is None:
        return alone
    known = np.flatnonzero(previous != NEW)
    pairs, counts = np.unique(np.stack([of_row[known], previous[known]], axis=1), axis=0, return_counts=True)
    # The last write wins: the most frequent group, the lowest number among equals.
    order = np.lexsort((-pairs[:, 1], counts))
    labels = alone + len(nodes)
    groups, numbers = np.unique(pairs[:, 1], return_inverse=True)
    labels[pairs[order, 0]] = numbers[order] - len(groups)
    for node in sorted(nodes.apart):
        if any(labels[other] == labels[node] for other in nodes.apart[node]):
            labels[node] = alone[node] + len(nodes)
    return np.asarray(np.unique(labels, return_inverse=True)[1], np.int64)


def _by_first_row(labels: npt.NDArray[np.int64]) -> Integers:
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]
