"""Trains the weights of the local analyst: `python -m benchmarks.train_kinds` (needs the bench extra)."""

import argparse
import hashlib
import json
import os
import random
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from insights.local.encoder import Encoder
from insights.local.features import SIZE, features_of
from insights.local.kinds import DENSE_WEIGHT, HEADS, open_gate
from insights.local.signal import ALPHABET, latin_words, letter_triples

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("EARSHOT_BENCH_DATA", ROOT / "../shared/data"))
OWN = ROOT / "benchmarks/own_sentences"
WEIGHTS = ROOT / "insights/local/weights"
SEED = 20
FOLDS = 5
SPARSE_C = 8.0
DENSE_C = 8.0
NEUTRAL_TEXTS = 1500
OWN_WEIGHT = 3.0
UNKNOWN = -1
SEEN_TRIPLE = 3
SOURCES = {
    "minibar_classify": "MIT, (c) 2023 Jialiang Wei",
    "is22_features": "MIT, Study 1 of jsdabrowski/IS-22",
    "clinc150": "CC-BY-3.0, Clinc, Inc.",
    "own_sentences": "Apache-2.0, written for this project",
}
# Intents of the neutral set that are in truth reports of trouble.
TROUBLE = ("card_declined", "damaged_card", "report_fraud", "report_lost_card", "lost_luggage", "account_blocked")
PROBLEMS = ("bug", "complaint", "pain_point")

Matrix = Any


@dataclass(frozen=True, slots=True)
class Example:
    """A text with what is known of it: 1, 0 or UNKNOWN a head. Examples of one group share a fold."""

    text: str
    language: str
    source: str
    group: str
    heads: tuple[int, ...]


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def data_rows(name: str) -> list[dict[str, Any]]:
    """Read one labelled set, whichever split the data folder holds."""
    path = DATA / name / "dev.jsonl"
    return rows(path if path.exists() else DATA / name / "test.jsonl")


def heads_of(**known: int) -> tuple[int, ...]:
    return tuple(known.get(head, UNKNOWN) for head in HEADS)


def fold_name(text: str) -> str:
    return hashlib.sha256(text.lower().encode()).hexdigest()[:8]


def minibar() -> list[Example]:
    """Whole reviews: which kind of problem they report is not known, only whether they report one."""
    examples = []
    for row in data_rows("minibar_classify"):
        problem, request = "problem_report" in row["labels"], "feature_request" in row["labels"]
        known = {
            "problem": int(problem),
            "feature_request": int(request),
            "irrelevant": int("irrelevant" in row["labels"]),
        }
        if not problem:
            known |= dict.fromkeys(PROBLEMS, 0)
        examples.append(
            Example(row["text"], row["lang"], "minibar_classify", fold_name(row["text"]), heads_of(**known))
        )
    return examples


def is22() -> list[Example]:
    """Sentences about features; a sentence without a negative feature may report a problem all the same."""
    examples = []
    for row in data_rows("is22_features"):
        labels = set(row["labels"])
        known = {label: int(label in labels) for label in ("loved_feature", "feature_mentioned")}
        if "pain_point" in labels:
            known |= {"pain_point": 1, "problem": 1, "irrelevant": 0}
        elif labels <= {"loved_feature"}:
            known["pain_point"] = 0
        examples.append(Example(row["text"], "en", "is22_features", row["app_id"], heads_of(**known)))
    return examples


def neutral() -> list[Example]:
    """Questions to an assistant: they are about something, and are feedback on nothing."""
    texts = sorted({row["text"] for row in data_rows("clinc150") if row["cluster"] not in TROUBLE})
    chosen = random.Random(SEED).sample(texts, NEUTRAL_TEXTS)
    known = heads_of(**(dict.fromkeys(HEADS, 0) | {"irrelevant": 1}))
    return [Example(text, "en", "clinc150", fold_name(text), known) for text in chosen]


def own() -> list[Example]:
    examples = []
    for row in rows(OWN / "train.jsonl"):
        known = {head: int(head in row["labels"]) for head in HEADS}
        if row["labels"] and not {"feature_mentioned", "loved_feature"} & set(row["labels"]):
            # A bug or a wish names a feature as well: whether it does was not written down.
            del known["feature_mentioned"]
        known["problem"] = int(bool(set(PROBLEMS) & set(row["labels"])))
        known["irrelevant"] = int(not known["problem"] and not known["feature_request"])
        examples.append(Example(row["text"], row["lang"], "own_sentences", fold_name(row["text"]), heads_of(**known)))
    return examples


def sparse_matrix(texts: list[str]) -> Matrix:
    found = [features_of(text) for text in texts]
    ends = np.cumsum([0] + [len(features.places) for features in found])
    values = np.concatenate([features.values for features in found])
    places = np.concatenate([features.places for features in found])
    return csr_matrix((values, places, ends), shape=(len(found), SIZE))


@dataclass(frozen=True, slots=True)
class TrainingSet:
    examples: list[Example]
    sparse: Matrix
    dense: NDArray[np.float32]
    heads: NDArray[np.int64]
    weights: NDArray[np.float64]
    english: NDArray[np.bool_]

    def folds(self) -> NDArray[np.int64]:
        """Spread the groups of each source over the folds; an app of is22 is never on both sides."""
        groups = {source: sorted({e.group for e in self.examples if e.source == source}) for source in SOURCES}
        fold = {(source, group): index % FOLDS for source, names in groups.items() for index, group in enumerate(names)}
        return np.array([fold[example.source, example.group] for example in self.examples])


def training_set(encoder: Encoder) -> TrainingSet:
    examples = [*minibar(), *is22(), *neutral(), *own()]
    texts = [example.text for example in examples]
    return TrainingSet(
        examples=examples,
        sparse=sparse_matrix(texts),
        dense=encoder.encode(texts),
        heads=np.array([example.heads for example in examples]),
        weights=np.array([OWN_WEIGHT if e.source == "own_sentences" else 1.0 for e in examples]),
        english=np.array([example.language == "en" for example in examples]),
    )


@dataclass(frozen=True, slots=True)
class Weights:
    sparse: NDArray[np.float64]
    sparse_bias: NDArray[np.float64]
    dense: NDArray[np.float64]
    dense_bias: NDArray[np.float64]


def fit(data: TrainingSet, train: NDArray[np.bool_]) -> Weights:
    sparse, dense = [], []
    for head in range(len(HEADS)):
        known = train & (data.heads[:, head] != UNKNOWN)
        sparse.append(logistic(data.sparse, data, known, head, SPARSE_C))
        dense.append(logistic(data.dense, data, known & data.english, head, DENSE_C))
    return Weights(
        np.stack([weights for weights, _ in sparse], 1),
        np.array([bias for _, bias in sparse]),
        np.stack([weights for weights, _ in dense], 1),
        np.array([bias for _, bias in dense]),
    )


def logistic(
    matrix: Matrix, data: TrainingSet, known: NDArray[np.bool_], head: int, strength: float
) -> tuple[NDArray[np.float64], float]:
    model = LogisticRegression(C=strength, solver="liblinear", random_state=SEED)
    model.fit(matrix[known], data.heads[known, head], sample_weight=data.weights[known])
    return model.coef_[0], float(model.intercept_[0])


def scores(weights: Weights, data: TrainingSet, where: NDArray[np.bool_]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = data.sparse[where] @ weights.sparse + weights.sparse_bias
    dense = DENSE_WEIGHT * (data.dense[where] @ weights.dense + weights.dense_bias)
    return found + dense * data.english[where][:, None]


def out_of_fold_scores(data: TrainingSet) -> NDArray[np.float64]:
    """Score every example by a model that saw neither it nor its group."""
    folds = data.folds()
    found = np.zeros(data.heads.shape)
    for fold in range(FOLDS):
        found[folds == fold] = scores(fit(data, folds != fold), data, folds == fold)
    return found


def f1(truth: NDArray[np.bool_], guess: NDArray[np.bool_]) -> float:
    hits = float((truth & guess).sum())
    return 2 * hits / max(1.0, float(truth.sum() + guess.sum()))


def best_threshold(truth: NDArray[np.bool_], found: NDArray[np.float64]) -> tuple[float, float]:
    """Return the threshold with the best F1 and that F1, at steps that cannot follow single examples."""
    steps = np.arange(-2.0, 2.01, 0.1)
    return max(((round(float(step), 1), f1(truth, found > step)) for step in steps), key=lambda pair: pair[1])


def choose_thresholds(data: TrainingSet, found: NDArray[np.float64]) -> dict[str, float]:
    """Choose the thresholds on what no model had seen: on public sets where they exist, else on the own one."""
    sources = np.array([example.source for example in data.examples])
    thresholds = choose_gate(data.heads[sources == "minibar_classify"], found[sources == "minibar_classify"])
    judged_on = dict.fromkeys(HEADS[3:], "own_sentences")
    judged_on |= dict.fromkeys(("loved_feature", "feature_mentioned"), "is22_features")
    for head, source in judged_on.items():
        index = HEADS.index(head)
        known = (sources == source) & (data.heads[:, index] != UNKNOWN)
        thresholds[head], figure = best_threshold(data.heads[known, index] == 1, found[known, index])
        print(f"{head:20} {source:18} F1 {figure:.3f} at {thresholds[head]:+.1f}")
    return thresholds


def choose_gate(truth: NDArray[np.int64], found: NDArray[np.float64]) -> dict[str, float]:
    """Choose the three thresholds of a window together, since its three answers depend on each other."""
    steps = [round(float(step), 1) for step in np.arange(-1.0, 1.01, 0.2)]
    best, chosen = 0.0, (0.0, 0.0, 0.0)
    for candidate in product(steps, repeat=3):
        answers = open_gate(found[:, :3], np.array(candidate))
        figure = float(np.mean([f1(truth[:, head] == 1, answers[:, head]) for head in range(3)]))
        if figure > best:
            best, chosen = figure, candidate
    print(f"gate: macro-F1 {best:.3f} at {chosen}")
    return dict(zip(HEADS[:3], chosen, strict=True))


def write(weights: Weights, thresholds: dict[str, float], encoder: Encoder, counts: dict[str, int]) -> None:
    """Store the sparse weights in one byte each: the loss is below what the folds can tell."""
    scale = np.abs(weights.sparse).max(axis=0) / 127
    WEIGHTS.mkdir(exist_ok=True)
    np.savez_compressed(
        WEIGHTS / "kinds.npz",
        sparse=np.round(weights.sparse / scale).astype(np.int8),
        sparse_scale=scale.astype(np.float32),
        sparse_bias=weights.sparse_bias.astype(np.float32),
        dense=weights.dense.astype(np.float16),
        dense_bias=weights.dense_bias.astype(np.float32),
    )
    manifest = {
        "seed": SEED,
        "heads": HEADS,
        "encoder": encoder.name,
        "thresholds": thresholds,
        "data": {source: {"licence": SOURCES[source], "examples": counts[source]} for source in SOURCES},
    }
    (WEIGHTS / "kinds.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def write_triples() -> None:
    """Mark the letter triples that occur at least twice in real words, a bit each, for the gibberish filter."""
    names = ("minibar_classify", "is22_features", "clinc150", "banking77")
    texts = [row["text"] for name in names for row in data_rows(name)]
    texts += [row["text"] for row in rows(OWN / "train.jsonl")]
    counts = Counter(place for text in texts for word in latin_words(text) for place in letter_triples(word))
    seen = bytearray(ALPHABET**3 // 8 + 1)
    for place, count in counts.items():
        if count >= SEEN_TRIPLE:
            seen[place >> 3] |= 1 << (place & 7)
    (WEIGHTS / "triples.bin").write_bytes(bytes(seen))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--triples-only", action="store_true", help="write the gibberish filter only")
    parser.add_argument("--cache", type=Path, default=ROOT / "var/models", help="folder of the encoder's graph")
    arguments = parser.parse_args()
    write_triples()
    if arguments.triples_only:
        return
    encoder = Encoder(arguments.cache)
    data = training_set(encoder)
    counts = {source: sum(e.source == source for e in data.examples) for source in SOURCES}
    thresholds = choose_thresholds(data, out_of_fold_scores(data))
    write(fit(data, np.ones(len(data.examples), bool)), thresholds, encoder, counts)


if __name__ == "__main__":
    main()
