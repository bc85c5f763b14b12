"""Lets groups keep their names through a rebuild, by their members."""

from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from insights.local.clustering.neighbours import Integers

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Carried(Generic[Key]):
    """Which key each group goes on with (none: it is new), and where those that ended have gone."""

    keys: dict[int, Key]
    successors: dict[Key, int]


def carry_ids(previous: Sequence[Key | None], labels: Integers, *, preferred: Collection[Key] = ()) -> Carried[Key]:
    """Match the keys that rows had with the groups they are in now, by how many rows they share.

    `previous` holds the key of each row before, None for rows without one. `preferred` keys, such as those
    a person has named or deleted, choose before all others. Every key is given once; one that shares rows
    only with groups that got another key ends, and its successor is the group with most of its rows.
    """
    shared: Counter[tuple[Key, int]] = Counter()
    for key, label in zip(previous, labels.tolist(), strict=True):
        if key is not None:
            shared[key, label] += 1
    chosen_first = set(preferred)
    ranked = sorted(shared, key=lambda pair: (pair[0] not in chosen_first, -shared[pair]))
    keys: dict[int, Key] = {}
    taken: set[Key] = set()
    for key, label in ranked:
        if key not in taken and label not in keys:
            keys[label] = key
            taken.add(key)
    successors: dict[Key, int] = {}
    for (key, label), _ in shared.most_common():
        if key not in taken:
            successors.setdefault(key, label)
    return Carried(keys, successors)
