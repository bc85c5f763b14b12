"""Trains the weights of the local analyst: `python -m benchmarks.train_kinds` (needs the bench extra)."""

import argparse
import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.labelled import OWN, ROOT, data_rows, rows
from insights.analyst import Kind
from insights.local.encoder import Encoder
from insights.local.features import CUES_AT, SIZE, features_of
from insights.local.kinds import (
    CLAUSE_HEADS,
    DENSE_WEIGHT,
    FAMILIAR,
    IRRELEVANT,
    PROBLEM,
    PROBLEM_KINDS,
    REQUEST,
    WINDOW_HEADS,
    Heads,
    KindModel,
    open_gate,
    told_by,
)
from insights.local.language import function_words
from insights.local.signal import ALPHABET, latin_words, letter_triples
from insights.local.subjects import concept_places
from insights.local.words import words_of

WEIGHTS = ROOT / "insights/local/weights"
SEED = 20
FOLDS = 5
STRENGTH = 8.0
NEUTRAL_TEXTS = 1500
FORUM_WEIGHT = 5.0
OWN_WINDOW_WEIGHT = 0.25
# The share of the reviews that must pass as familiar.
FAMILIAR_SHARE = 0.85
# Windows are of a sort that was learned from, whose own words tell more than cues, which hold in every trade.
WINDOW_CUES = 0.5
MOST_STARS = 5
# A review of one sentence is as good as a clause.
CLAUSE_WORDS = 18
# Own sentences are balanced as real feedback is not: there, saying less is right more often.
OWN_SLACK = 0.02
SEEN_TRIPLE = 3
SEEN_NOUN = 3
NOUN_SHARE = 0.15
BEFORE_NOUNS = frozenset(
    "a an the my your our their this these its his her some any no more of"
    " le la les l un une des du d mon ma mes ce cette ces".split(" ")
)
LEXICON_LICENCE = "MIT, (c) 1993 Massachusetts Institute of Technology and University of Pennsylvania"
LEXICON_WORD = re.compile("[a-z]{3,18}")
NOUN_TAGS = ("NN", "NNS")
NO_NOUN = ("ed", "ly", "est")
MODIFIER_TAGS = ("JJ", "VBG", "VBN")
# Parts that a sentence can name one for another; what is said of a price is not said of a map.
EXCHANGEABLE = frozenset(
    """
    sync notifications dark_mode photos video camera audio music calls messages comments newsfeed search filters
    export import upload download offline bluetooth watch gps map steps sleep heart_rate workouts calendar
    widget dashboard reports notes notebooks web_clipper tags lists sharing settings navigation keyboard backup
    integrations api stickers effects editing movies contacts groups transfer barcode history reminders
    appointments routes quotes portal inventory time_tracking text_messages
    """.split()
)
VARIANTS = 2
UNKNOWN = -1
HEADS = (*(f"window.{head}" for head in WINDOW_HEADS), *(f"clause.{head}" for head in CLAUSE_HEADS))
SOURCES = {
    "minibar_classify": "MIT, (c) 2023 Jialiang Wei",
    "is22_features": "MIT, Study 1 of jsdabrowski/IS-22",
    "banking77": "CC-BY-4.0, PolyAI",
    "clinc150": "CC-BY-3.0, Clinc, Inc.",
    "own_sentences": "Apache-2.0, written for this project",
}
NOT_READ = ("own_sentences",)
# Intents of the neutral set that are in truth reports of trouble.
TROUBLE = ("card_declined", "damaged_card", "report_fraud", "report_lost_card", "lost_luggage", "account_blocked")

Matrix = Any
Flags = NDArray[np.bool_]
Logits = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """A text with what is known of it, by head. Examples of one group share a fold."""

    text: str
    language: str
    source: str
    group: str
    known: dict[str, int]
    stars: int = 0


def fold_name(text: str) -> str:
    return hashlib.sha256(text.lower().encode()).hexdigest()[:8]


def minibar() -> list[Example]:
    """Whole reviews; the short ones, which are clauses too, tell a problem from none but not its kind."""
    examples = []
    for row in data_rows("minibar_classify"):
        problem, irrelevant = "problem_report" in row["labels"], "irrelevant" in row["labels"]
        known = {
            f"window.{PROBLEM}": int(problem),
            f"window.{REQUEST}": int("feature_request" in row["labels"]),
            f"window.{IRRELEVANT}": int(irrelevant),
            f"window.{FAMILIAR}": 1,
        }
        if len(row["text"].split()) <= CLAUSE_WORDS:
            known[f"clause.{PROBLEM}"] = int(problem)
            known[f"clause.{Kind.FEATURE_REQUEST}"] = int("feature_request" in row["labels"])
            known |= {f"clause.{kind}": 0 for kind in PROBLEM_KINDS if irrelevant}
        group = fold_name(row["text"])
        examples.append(Example(row["text"], row["lang"], "minibar_classify", group, known, row["stars"]))
    return examples


def is22() -> list[Example]:
    """Sentences about features; a sentence without a negative feature may report a problem all the same."""
    examples = []
    for row in data_rows("is22_features"):
        labels = set(row["labels"])
        known = {f"clause.{label}": int(label in labels) for label in ("loved_feature", "feature_mentioned")}
        known[f"window.{FAMILIAR}"] = 0
        if "pain_point" in labels:
            known |= {"clause.pain_point": 1, f"clause.{PROBLEM}": 1}
        elif labels <= {"loved_feature"}:
            known["clause.pain_point"] = 0
        examples.append(Example(row["text"], "en", "is22_features", row["app_id"], known))
    return examples


def neutral() -> list[Example]:
    """Questions to an assistant: they are about something, and are feedback on nothing."""
    known = {f"clause.{head}": 0 for head in CLAUSE_HEADS} | {f"window.{FAMILIAR}": 0}
    texts = sampled({row["text"] for row in data_rows("clinc150") if row["cluster"] not in TROUBLE})
    return [Example(text, "en", "clinc150", fold_name(text), known) for text in texts]


def bank_questions() -> list[Example]:
    """Questions to a bank: some report trouble, so that all they tell is how far from reviews they are."""
    texts = sampled({row["text"] for row in data_rows("banking77")})
    return [Example(text, "en", "banking77", fold_name(text), {f"window.{FAMILIAR}": 0}) for text in texts]


def sampled(texts: set[str]) -> list[str]:
    return random.Random(SEED).sample(sorted(texts), NEUTRAL_TEXTS)


def own() -> list[Example]:
    examples = []
    for row in rows(OWN / "train.jsonl"):
        labels = set(row["labels"])
        known = {f"clause.{head}": int(head in labels) for head in CLAUSE_HEADS}
        problem = int(bool(labels & set(PROBLEM_KINDS)))
        known[f"clause.{PROBLEM}"] = problem
        if labels and not labels & {"feature_mentioned", "loved_feature"}:
            # A bug or a wish names a feature as well: whether it does was not written down.
            del known["clause.feature_mentioned"]
        if row.get("domain") == "forum":
            known[f"window.{FAMILIAR}"] = 0
        else:
            request = int(Kind.FEATURE_REQUEST in labels)
            known |= {f"window.{PROBLEM}": problem, f"window.{REQUEST}": request}
            known[f"window.{IRRELEVANT}"] = int(not problem and not request)
        examples.append(Example(row["text"], row["lang"], "own_sentences", fold_name(row["text"]), known))
    return examples


def varied(examples: Sequence[Example]) -> Iterator[Example]:
    """Say what was said of one part of a product of others, so that the words for the part tell no kind."""
    chance = random.Random(SEED)
    features = (OWN / "features.txt").read_text("utf-8").splitlines()
    for example in examples:
        words = words_of(example.text) if example.language == "en" else []
        places = [(first, end) for first, end, concept in concept_places(words) if concept in EXCHANGEABLE]
        for _ in range(VARIANTS if places else 0):
            first, end = places[0]
            text = " ".join([*words[:first], chance.choice(features), *words[end:]])
            yield replace(example, text=text)


def sparse_matrix(texts: Sequence[str]) -> Matrix:
    from scipy.sparse import csr_matrix

    found = [features_of(text) for text in texts]
    ends = np.cumsum([0] + [len(features.places) for features in found])
    values = np.concatenate([features.values for features in found])
    places = np.concatenate([features.places for features in found])
    return csr_matrix((values, places, ends), shape=(len(found), SIZE))


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Examples as numbers: `known` holds 1, 0 or UNKNOWN by example and head; no stars are 0."""

    examples: list[Example]
    sparse: Matrix
    dense: NDArray[np.float32]
    known: NDArray[np.int64]
    sources: NDArray[np.str_]
    english: Flags
    stars: NDArray[np.int64]

    def folds(self) -> NDArray[np.int64]:
        """Spread the groups of each source over the folds; an app of is22 is never on both sides."""
        groups = {source: sorted({e.group for e in self.examples if e.source == source}) for source in SOURCES}
        fold = {(source, group): at % FOLDS for source, names in groups.items() for at, group in enumerate(names)}
        return np.array([fold[example.source, example.group] for example in self.examples])


def training_set(encoder: Encoder) -> TrainingSet:
    written = own()
    examples = [*minibar(), *is22(), *neutral(), *bank_questions(), *written, *varied(written)]
    texts = [example.text for example in examples]
    return TrainingSet(
        examples=examples,
        sparse=sparse_matrix(texts),
        dense=encoder.encode(texts),
        known=np.array([[example.known.get(head, UNKNOWN) for head in HEADS] for example in examples]),
        sources=np.array([example.source for example in examples]),
        english=np.array([example.language == "en" for example in examples]),
        stars=np.array([example.stars for example in examples]),
    )


@dataclass(frozen=True, slots=True)
class Weights:
    """One column a head."""

    sparse: NDArray[np.float64]
    sparse_bias: Logits
    dense: NDArray[np.float64]
    dense_bias: Logits


def fit(data: TrainingSet, train: Flags) -> Weights:
    sparse, dense = [], []
    lean = np.where(np.arange(SIZE) < CUES_AT, 1.0, WINDOW_CUES)
    by_windows = data.sparse.multiply(lean).tocsr()
    for column, head in enumerate(HEADS):
        known = train & (data.known[:, column] != UNKNOWN)
        is_window = head.startswith("window.")
        matrix = by_windows if is_window else data.sparse
        weights, bias = logistic(matrix, data, known, column, solver="liblinear", dual=True)
        sparse.append((weights * lean if is_window else weights, bias))
        dense.append(logistic(data.dense, data, known & data.english, column, solver="lbfgs"))
    return Weights(
        np.stack([weights for weights, _ in sparse], 1),
        np.array([bias for _, bias in sparse]),
        np.stack([weights for weights, _ in dense], 1),
        np.array([bias for _, bias in dense]),
    )


def logistic(matrix: Matrix, data: TrainingSet, known: Flags, column: int, **how: str | bool) -> tuple[Logits, float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, random_state=SEED, max_iter=1000, **how)
    model.fit(matrix[known], data.known[known, column], sample_weight=example_weights(data, column)[known])
    return model.coef_[0], float(model.intercept_[0])


def example_weights(data: TrainingSet, column: int) -> Logits:
    """Weigh own sentences by how much they tell of a head: what a whole review holds, whole reviews tell better."""
    weights = np.ones(len(data.examples))
    written = data.sources == "own_sentences"
    if HEADS[column] == f"window.{FAMILIAR}":
        forum = np.array([example.known.get(f"window.{FAMILIAR}") == 0 for example in data.examples])
        weights[forum & written] = FORUM_WEIGHT
    elif HEADS[column].startswith("window."):
        weights[written] = OWN_WINDOW_WEIGHT
    return weights


def logits(weights: Weights, data: TrainingSet, where: Flags) -> Logits:
    """Score as the analyst does: vectors count for English only, and alone decide what is familiar."""
    words: Logits = data.sparse[where] @ weights.sparse + weights.sparse_bias
    vectors: Logits = DENSE_WEIGHT * (data.dense[where] @ weights.dense + weights.dense_bias)
    total = words + vectors * data.english[where][:, None]
    familiar = HEADS.index(f"window.{FAMILIAR}")
    total[:, familiar] = vectors[:, familiar]
    return total


def out_of_fold_logits(data: TrainingSet) -> Logits:
    """Score every example by a model that saw neither it nor its group."""
    folds = data.folds()
    found = np.zeros(data.known.shape)
    for fold in range(FOLDS):
        found[folds == fold] = logits(fit(data, folds != fold), data, folds == fold)
    return found


def f1(truth: Flags, guess: Flags) -> float:
    return 2 * float((truth & guess).sum()) / max(1.0, float(truth.sum() + guess.sum()))


def best_threshold(judged: Sequence[tuple[Flags, Logits]], *, slack: float) -> float:
    """Return the highest threshold whose mean F1 over the sets is within `slack` of the best.

    The steps are too wide to follow single examples; of near equals the higher one says less that is wrong.
    """
    steps = (round(float(step), 1) for step in np.arange(-3.0, 2.01, 0.1))
    figures = [(step, float(np.mean([f1(truth, found > step) for truth, found in judged]))) for step in steps]
    best = max(figure for _, figure in figures)
    return max(step for step, figure in figures if figure >= best - slack)


def decisions(data: TrainingSet, found: Logits, used: Flags) -> dict[str, Any]:
    """Return what a manifest says of how to decide by scores, chosen on those examples alone that are `used`."""
    return {
        "window_thresholds": window_thresholds(data, found, used),
        "clause_thresholds": clause_thresholds(data, found, used),
        "stars": stars(data, found, used),
    }


def window_thresholds(data: TrainingSet, found: Logits, used: Flags) -> dict[str, float]:
    """Choose the three thresholds of a window together, since its three answers depend on each other.

    The best of many is best by chance as well, so that its neighbours count as much as it does itself.
    """
    from scipy.ndimage import uniform_filter

    reviews = used & (data.sources == "minibar_classify")
    truth, scores = data.known[reviews, :3] == 1, found[reviews, :3]
    steps = np.arange(-7, 8) / 5
    figures = np.empty((len(steps),) * 3)
    for places in np.ndindex(figures.shape):
        answers = open_gate(scores, steps[list(places)])
        figures[places] = np.mean([f1(truth[:, head], answers[:, head]) for head in range(3)])
    best = np.unravel_index(uniform_filter(figures, size=3, mode="nearest").argmax(), figures.shape)
    familiar = found[reviews & data.english, WINDOW_HEADS.index(FAMILIAR)]
    floor = round(float(np.quantile(familiar, 1 - FAMILIAR_SHARE)), 2)
    return dict(zip(WINDOW_HEADS, (*steps[list(best)].tolist(), floor), strict=True))


def clause_thresholds(data: TrainingSet, found: Logits, used: Flags) -> dict[str, float]:
    judged_on: dict[str, tuple[str, ...]] = dict.fromkeys(CLAUSE_HEADS, ("own_sentences",))
    judged_on |= {"loved_feature": ("is22_features", "own_sentences"), "feature_mentioned": ("is22_features",)}
    thresholds = {}
    for head, sources in judged_on.items():
        column = HEADS.index(f"clause.{head}")
        judged = []
        for source in sources:
            known = used & (data.sources == source) & (data.known[:, column] != UNKNOWN)
            judged.append((data.known[known, column] == 1, found[known, column]))
        slack = OWN_SLACK if sources == ("own_sentences",) else 0.0
        thresholds[str(head)] = best_threshold(judged, slack=slack)
    return thresholds


def stars(data: TrainingSet, found: Logits, used: Flags) -> dict[str, list[float]]:
    """Learn what each rating adds to the scores of a window, so that without one nothing is to be added."""
    from sklearn.linear_model import LogisticRegression

    rated = used & (data.stars > 0)
    given = np.eye(MOST_STARS)[data.stars[rated] - 1]
    added = {head: [0.0] * MOST_STARS for head in WINDOW_HEADS}
    for column, head in enumerate((PROBLEM, REQUEST, IRRELEVANT)):
        model = LogisticRegression(C=STRENGTH, fit_intercept=False)
        model.fit(np.column_stack([found[rated, column], given]), data.known[rated, column])
        by_star = model.coef_[0, 1:] / model.coef_[0, 0]
        added[head] = (by_star - given.mean(axis=0) @ by_star).round(2).tolist()
    return added


def as_model(weights: Weights, manifest: Mapping[str, Any]) -> KindModel:
    """Return the model that the analyst would load had these weights been written."""
    count = len(WINDOW_HEADS)
    window, clause = (
        Heads(
            weights.sparse[:, columns].astype(np.float32),
            weights.sparse_bias[columns].astype(np.float32),
            weights.dense[:, columns].astype(np.float32),
            weights.dense_bias[columns].astype(np.float32),
        )
        for columns in (slice(0, count), slice(count, None))
    )
    return told_by(window, clause, manifest)


def write(weights: Weights, manifest: dict[str, object]) -> None:
    """Store the sparse weights in one byte each: the loss is below what the folds can tell."""
    arrays: dict[str, NDArray[np.generic]] = {}
    parts = (("window", slice(0, len(WINDOW_HEADS))), ("clause", slice(len(WINDOW_HEADS), None)))
    for name, columns in parts:
        sparse = weights.sparse[:, columns]
        scale = np.abs(sparse).max(axis=0) / 127
        arrays[f"{name}_sparse"] = np.round(sparse / scale).astype(np.int8)
        arrays[f"{name}_sparse_scale"] = scale.astype(np.float32)
        arrays[f"{name}_sparse_bias"] = weights.sparse_bias[columns].astype(np.float32)
        arrays[f"{name}_dense"] = weights.dense[:, columns].astype(np.float16)
        arrays[f"{name}_dense_bias"] = weights.dense_bias[columns].astype(np.float32)
    WEIGHTS.mkdir(exist_ok=True)
    np.savez_compressed(WEIGHTS / "kinds.npz", **arrays)  # type: ignore[arg-type]  # the stub knows no names
    (WEIGHTS / "kinds.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


def write_triples() -> None:
    """Mark the letter triples of real words, a bit each, for the gibberish filter."""
    texts = [row["text"] for name in SOURCES if name not in NOT_READ for row in data_rows(name)]
    texts += [row["text"] for row in rows(OWN / "train.jsonl")]
    counts = Counter(place for text in texts for word in latin_words(text) for place in letter_triples(word))
    seen = bytearray(ALPHABET**3 // 8 + 1)
    for place, count in counts.items():
        if count >= SEEN_TRIPLE:
            seen[place >> 3] |= 1 << (place & 7)
    (WEIGHTS / "triples.bin").write_bytes(bytes(seen))


def write_nouns() -> None:
    """List what can head a noun phrase, and what can stand before its head.

    English words by what the lexicon of the `textblob` package has them as most often, and the words of the
    labelled texts that stand where nouns stand: after an article or the like, and before a word that is none.
    """
    no_name = frozenset().union(*function_words().values())
    tags = {word: tag for word, tag in lexicon() if LEXICON_WORD.fullmatch(word) and word not in no_name}
    nouns = {word for word, tag in tags.items() if tag in NOUN_TAGS}
    modifiers = {word for word, tag in tags.items() if tag in MODIFIER_TAGS}
    heads = {
        word
        for word in after_articles(no_name)
        if tags.get(word) not in (*MODIFIER_TAGS, "RB") and not word.endswith(NO_NOUN)
    }
    for name, words in (("nouns", nouns | heads), ("modifiers", modifiers)):
        (WEIGHTS / f"{name}.txt").write_text("\n".join(sorted(words)) + "\n", "utf-8")


def lexicon() -> Iterator[tuple[str, str]]:
    """Yield the words of an English lexicon, each with its commonest part of speech (Penn Treebank tags)."""
    (path,) = (file for file in files("textblob") or () if file.name == "en-lexicon.txt")
    for line in Path(str(path.locate())).read_text("utf-8").splitlines():
        word, _, tag = line.partition(" ")
        yield word, tag.strip()


def after_articles(no_name: frozenset[str]) -> set[str]:
    texts = [row["text"] for name in SOURCES if name not in NOT_READ for row in data_rows(name)]
    seen: Counter[str] = Counter()
    as_noun: Counter[str] = Counter()
    for text in texts:
        words = ["", *words_of(text), ""]
        for before, word, after in zip(words, words[1:], words[2:], strict=False):
            seen[word] += 1
            as_noun[word] += before in BEFORE_NOUNS and (not after or after in no_name)
    return {
        word
        for word, count in as_noun.items()
        if count >= SEEN_NOUN and count >= NOUN_SHARE * seen[word] and word not in no_name and word.isalpha()
    }


def used(data: TrainingSet) -> dict[str, dict[str, Any]]:
    """Count what was used of each source, under which licence."""
    counts = {
        source: {"licence": licence, "examples": int((data.sources == source).sum())}
        for source, licence in SOURCES.items()
    }
    return counts | {"brill_lexicon": {"licence": LEXICON_LICENCE, "examples": sum(1 for _ in lexicon())}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=ROOT / "var/models", help="folder of the encoder's graph")
    encoder = Encoder(parser.parse_args().cache)
    data = training_set(encoder)
    everything = np.ones(len(data.examples), bool)
    chosen = decisions(data, out_of_fold_logits(data), everything)
    manifest = {"seed": SEED, "encoder": encoder.name, **chosen, "data": used(data)}
    print(json.dumps(manifest, indent=2))
    write(fit(data, everything), manifest)
    write_triples()
    write_nouns()


if __name__ == "__main__":
    main()
