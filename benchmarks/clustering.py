"""Compares our clustering with its peers on the same vectors: `python -m benchmarks.clustering`."""

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insights.local.clustering import (
    NGRAM_THRESHOLDS,
    NGRAMS,
    SENTENCE_THRESHOLDS,
    SENTENCES,
    Index,
    Measure,
    Thresholds,
    Verdict,
    char_ngram_vectors,
    rebuild,
)
from insights.local.encoder import Encoder

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("EARSHOT_BENCH_DATA", ROOT / "../shared/data"))
MODELS = Path(os.environ.get("EARSHOT_DATA_DIR", ROOT / "var")) / "models"
SIZES = (2_000, 5_000, 10_000, 18_000)
SEEDS = (0, 1, 2)

Floats = NDArray[np.float32]
Labels = NDArray[Any]
Result = dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Texts with their vectors and the topic that a person gave each."""

    set: str
    texts: Labels
    vectors: Floats
    truth: Labels

    def sample(self, size: int, seed: int) -> "Part":
        chosen = np.random.default_rng(seed).permutation(len(self.truth))[:size]
        return Part(self.set, self.texts[chosen], self.vectors[chosen], self.truth[chosen])


def pairs(counts: NDArray[Any]) -> float:
    return float((counts * (counts - 1.0) / 2).sum())


def adjusted_rand(truth: Labels, found: Labels) -> float:
    """Return how far two groupings agree on pairs: 1 is the same, 0 is what chance gives."""
    _, rows = np.unique(truth, return_inverse=True)
    _, columns = np.unique(found, return_inverse=True)
    both = np.array(list(Counter(zip(rows.tolist(), columns.tolist(), strict=True)).values()))
    first, second = pairs(np.bincount(rows)), pairs(np.bincount(columns))
    expected = first * second / pairs(np.array([len(truth)]))
    return (pairs(both) - expected) / ((first + second) / 2 - expected)


def read(name: str) -> list[dict[str, Any]]:
    with (DATA / name / "dev.jsonl").open() as lines:
        return [json.loads(line) for line in lines]


def load() -> dict[str, list[Part]]:
    """Encode every set once; a set of several parts counts as the mean of these."""
    encoder = Encoder(MODELS)
    sets: dict[str, list[Part]] = {}
    for name in ("banking77", "clinc150"):
        rows = read(name)
        sets[name] = [part_of(name, rows, encoder.encode([row["text"] for row in rows]))]
    by_part: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in read("minibar_cluster"):
        by_part.setdefault((row["lang"], row["part"]), []).append(row)
    for (language, _), rows in sorted(by_part.items()):
        texts = [row["text"] for row in rows]
        vectors = encoder.encode(texts) if language == "en" else char_ngram_vectors(texts)
        name = f"minibar, {language}"
        sets.setdefault(name, []).append(part_of(name, rows, vectors))
    return sets


def part_of(name: str, rows: list[dict[str, Any]], vectors: Floats) -> Part:
    texts = np.array([row["text"] for row in rows], dtype=object)
    return Part(name, texts, vectors, np.array([row["cluster"] for row in rows]))


def measure_of(part: Part) -> tuple[Measure, Thresholds]:
    return (NGRAMS, NGRAM_THRESHOLDS) if part.set == "minibar, fr" else (SENTENCES, SENTENCE_THRESHOLDS)


def ours(part: Part) -> Labels:
    return rebuild(part.vectors, measure=measure_of(part)[0])


def one_by_one(part: Part, seed: int) -> Labels:
    """Rebuild on a random half, then let each of the rest join or found a group by itself."""
    measure, thresholds = measure_of(part)
    order = np.random.default_rng(seed).permutation(len(part.truth))
    known, rest = np.split(order, [len(order) // 2])
    labels = np.empty(len(order), np.int64)
    labels[known] = rebuild(part.vectors[known], measure=measure)
    index: Index[int] = Index(part.vectors.shape[1], thresholds=thresholds)
    for row in known:
        index.add(int(labels[row]), part.vectors[row])
    for row in rest:
        decision = index.assign(part.vectors[row])
        known_group = decision.verdict is not Verdict.NEW
        labels[row] = decision.candidates[0].key if known_group else len(index)
        index.add(int(labels[row]), part.vectors[row])
    return labels


def score(parts: Iterable[Part], clusterer: Callable[[Part], Labels]) -> float:
    return float(np.mean([adjusted_rand(part.truth, clusterer(part)) for part in parts]))


def unchanged(before: Labels, after: Labels) -> float:
    """Return the share of rows whose group carries on with them."""
    taken: tuple[set[int], set[int]] = (set(), set())
    kept = 0
    shared = Counter(zip(before.tolist(), after[: len(before)].tolist(), strict=True))
    for (old, new), rows in shared.most_common():
        if old not in taken[0] and new not in taken[1]:
            taken[0].add(old)
            taken[1].add(new)
            kept += rows
    return kept / len(before)


def stability(part: Part) -> float:
    """Return the share of memberships that stay when 10 % more arrives."""
    shuffled = part.sample(len(part.truth), 0)
    measure = measure_of(part)[0]
    size = round(len(shuffled.truth) / 1.1)
    before = rebuild(shuffled.vectors[:size], measure=measure)
    previous = np.concatenate([before, np.full(len(shuffled.truth) - size, -1)])
    return unchanged(before, rebuild(shuffled.vectors, previous=previous, measure=measure))


def growth(part: Part) -> dict[str, float]:
    sizes = [size for size in SIZES if size <= len(part.truth)]
    return {str(size): score([part.sample(size, 0)], ours) for size in sizes}


def spread(part: Part) -> float:
    """Return the range over orders of the rows; the grouping itself may not depend on the order."""
    scores = [score([part.sample(len(part.truth), seed)], ours) for seed in SEEDS]
    return max(scores) - min(scores)


def run(name: str, settings: dict[str, Callable[[Part], Labels]], sets: dict[str, list[Part]]) -> Result:
    """Measure every setting, print the one that is best over the English sets, and return it."""
    results = {
        setting: {place: score(parts, method) for place, parts in sets.items()} for setting, method in settings.items()
    }
    best = max(results, key=lambda setting: mean(results[setting]))
    cells = " | ".join(f"{value:.3f}" for value in results[best].values())
    print(f"| {name} {best} | {cells} | {mean(results[best]):.3f} |", flush=True)
    return results[best]


def mean(result: Result) -> float:
    return float(np.mean([value for place, value in result.items() if place != "minibar, fr"]))


def seconds(part: Part) -> float:
    begun = time.perf_counter()
    ours(part)
    return time.perf_counter() - begun


def main() -> None:
    """Print a table and, last, everything as one line of JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--no-peers", action="store_true", help="leave out the peers of requirements-bench.lock")
    options.add_argument("--size", type=int, help="take a random sample of this many rows of the large sets")
    chosen, _ = options.parse_known_args()
    sets = load()
    if chosen.size:
        sets = {name: [part.sample(chosen.size, 0) for part in parts] for name, parts in sets.items()}
    methods: dict[str, dict[str, Callable[[Part], Labels]]] = {
        "ours, rebuild": {"": ours},
        "ours, one by one": {"": lambda part: one_by_one(part, 0)},
    }
    if find_spec("bertopic") is None:
        print("SKIPPED: the peers are not installed; `make bench` installs them.")
    elif not chosen.no_peers:
        from benchmarks.clustering_peers import peers

        methods |= peers()
    print(f"| method | {' | '.join(sets)} | mean, English |\n|---|{'---|' * (len(sets) + 1)}")
    results = {name: run(name, settings, sets) for name, settings in methods.items()}
    large = {name: parts[0] for name, parts in sets.items() if len(parts) == 1}
    extra = {
        "growth": {name: growth(part) for name, part in large.items()},
        "seconds": {name: seconds(part) for name, part in large.items()},
        "stability": {name: stability(part) for name, part in large.items()},
        "spread over orders": {name: spread(part) for name, part in large.items()},
    }
    for title, values in extra.items():
        print(f"{title}: {values}")
    print(json.dumps({"ari": results, **extra}))


if __name__ == "__main__":
    main()
