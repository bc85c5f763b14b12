"""Groups vectors so that members are on average nearer to each other than a threshold, and groups are not."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insights.local.clustering.neighbours import Floats, Integers, nearest

# A move has to gain this much, so that rounding never decides and a second run finds nothing to do.
LEAST_GAIN = 1e-3
CANDIDATES = 10
ROUNDS = 10

Apart = Mapping[int, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Nodes:
    """What is grouped: sums of vectors, how many each stands for, neighbours, and who may not meet whom.

    `bounds` and `targets` list the neighbours: those of node i are targets[bounds[i]:bounds[i + 1]].
    """

    sums: Floats
    counts: npt.NDArray[np.float64]
    bounds: Integers
    targets: Integers
    apart: Apart

    def __len__(self) -> int:
        return len(self.sums)


def adjacency(size: int, sources: Integers, targets: Integers) -> tuple[Integers, Integers]:
    """Return bounds and targets of distinct pairs, as `Nodes` holds them."""
    pairs = np.unique(sources * size + targets)
    sources, targets = pairs // size, pairs % size
    kept = sources != targets
    bounds = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(sources[kept], minlength=size), out=bounds[1:])
    return bounds, targets[kept]


def communities(nodes: Nodes, labels: Integers, *, threshold: float) -> Integers:
    """Return a group for each node, starting from `labels`, that no single move or merger improves.

    What is improved is the sum, over all pairs within a group, of their product less `threshold`. Unlike
    modularity it does not depend on how much else there is, so that groups keep their grain as data grows
    and may differ in size by any factor.
    """
    for _ in range(ROUNDS):
        before = labels
        labels = _compact(_settled(nodes, labels, threshold))
        labels = _merged(nodes, labels, threshold)
        if np.array_equal(labels, _compact(before)):
            break
    return labels


def _merged(nodes: Nodes, labels: Integers, threshold: float) -> Integers:
    """Move whole groups into each other, then groups of groups, until nothing moves."""
    while True:
        groups = _contracted(nodes, labels)
        if len(groups) < 2:
            return labels
        merged = _compact(_settled(groups, np.arange(len(groups)), threshold))
        if merged.max() + 1 == len(groups):
            return labels
        labels = _compact(merged[labels])


def _contracted(nodes: Nodes, labels: Integers) -> Nodes:
    size = int(labels.max()) + 1
    sums = summed(nodes.sums, labels, size)
    counts = np.bincount(labels, weights=nodes.counts, minlength=size).astype(np.float64)
    places, _ = nearest(np.asarray(sums / counts[:, None], np.float32), CANDIDATES)
    sources = np.repeat(np.arange(size), places.shape[1])
    bounds, targets = adjacency(size, sources, places.ravel())
    return Nodes(sums, counts, bounds, targets, contracted_apart(nodes.apart, labels))


def contracted_apart(apart: Apart, labels: Integers) -> dict[int, frozenset[int]]:
    """Return who may not meet whom between groups."""
    found: dict[int, set[int]] = {}
    for node, others in apart.items():
        found.setdefault(int(labels[node]), set()).update(int(labels[other]) for other in others)
    return {node: frozenset(others) for node, others in found.items()}


def summed(rows: npt.NDArray[np.float32], labels: Integers, size: int) -> Floats:
    """Return the sum of the rows of each label, in an order that depends on the labels alone."""
    order = np.argsort(labels, kind="stable")
    present, starts = np.unique(labels[order], return_index=True)
    sums = np.zeros((size, rows.shape[1]), np.float32)
    sums[present] = np.add.reduceat(rows[order], starts, axis=0)
    return sums


def _compact(labels: Integers) -> Integers:
    """Number groups by their first node."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def _settled(nodes: Nodes, labels: Integers, threshold: float) -> Integers:
    """Move one node after another to the group it gains most by, until none gains."""
    size = len(nodes)
    labels = labels.copy()
    sums = summed(nodes.sums, labels, size)
    counts = np.bincount(labels, weights=nodes.counts, minlength=size)
    empty = np.flatnonzero(counts == 0)[::-1].tolist()
    queue = deque(np.random.default_rng(0).permutation(size).tolist())
    waiting = np.ones(size, bool)
    while queue:
        node = queue.popleft()
        waiting[node] = False
        around = nodes.targets[nodes.bounds[node] : nodes.bounds[node + 1]]
        here, count, vector = int(labels[node]), nodes.counts[node], nodes.sums[node]
        options = _options(labels[around], here, {int(labels[other]) for other in nodes.apart.get(node, ())})
        gains = sums[options] @ vector - threshold * count * counts[options]
        gains[0] -= vector @ vector - threshold * count * count
        best = int(gains.argmax())
        target = options[best]
        if gains[best] < 0 and counts[here] > count:
            target = empty.pop() if gains[0] < -LEAST_GAIN else here
        elif gains[best] <= gains[0] + LEAST_GAIN:
            target = here
        if target == here:
            continue
        sums[here] -= vector
        counts[here] -= count
        if counts[here] < 0.5:
            sums[here] = 0
            counts[here] = 0
            empty.append(here)
        sums[target] += vector
        counts[target] += count
        labels[node] = target
        for other in around[(labels[around] != target) & ~waiting[around]].tolist():
            waiting[other] = True
            queue.append(other)
    return labels


def _options(around: Integers, here: int, forbidden: set[int]) -> list[int]:
    """List the group a node is in, then the permitted groups around it in a fixed order."""
    return [here, *sorted(set(around.tolist()) - forbidden - {here})]
