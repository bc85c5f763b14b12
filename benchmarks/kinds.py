"""Measures how well kinds are told, beside simpler methods: `python -m benchmarks.kinds` (bench extra)."""

import argparse
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.labelled import OWN, ROOT, data_rows, rows
from benchmarks.train_kinds import (
    FOLDS,
    TrainingSet,
    as_model,
    decisions,
    f1,
    fit,
    fold_name,
    out_of_fold_logits,
    training_set,
)
from insights.analyst import Analysis, Document, Kind, Passage
from insights.local.analyst import LocalAnalyst
from insights.local.encoder import Encoder
from insights.local.kinds import PROBLEM_KINDS, KindModel

Flags = NDArray[np.bool_]
NAMED = "names a feature"
BLAMED = "complaint about a feature"
PROBLEMS = frozenset(kind.value for kind in PROBLEM_KINDS)
RULES = {
    "problem_report": r"crash|bug|error|fix|problem|issue|doesn.?t|not work|can.?t|won.?t|marche pas|plante|impossible",
    "feature_request": r"please|wish|add|would be (?:nice|great)|should|could|need|serait|ajouter|manque",
    "suggestion": r"please|wish|add|would be (?:nice|great)|should|could|need",
    "loved_feature": r"love|great|easy|best|like|awesome|excellent|good",
    "pain_point": r"slow|hard|annoying|confusing|hate|bad|difficult",
    "feature_mentioned": r"photo|note|video|message|sync|share|movie|picture|list|call",
}


@dataclass(frozen=True, slots=True)
class Task:
    """A labelled set and how the kinds of an analysis answer its labels; texts of one group share a fold.

    Where there are ratings, the analyst reads them beside the texts.
    """

    name: str
    texts: list[str]
    languages: list[str]
    groups: list[str]
    labels: tuple[str, ...]
    truth: Flags
    answers: Callable[[set[str]], set[str]]
    ratings: list[float | None]

    @property
    def folds(self) -> NDArray[np.int64]:
        order = {group: at for at, group in enumerate(sorted(set(self.groups)))}
        return np.array([order[group] % FOLDS for group in self.groups])


def task(
    name: str,
    data: Sequence[dict[str, Any]],
    labels: Sequence[str],
    answers: Callable[[set[str]], set[str]],
    group: str,
) -> Task:
    return Task(
        name,
        [row["text"] for row in data],
        [row.get("lang", "en") for row in data],
        [row[group] if group in row else fold_name(row["text"]) for row in data],
        tuple(labels),
        np.array([[label in row["labels"] for label in labels] for row in data]),
        answers,
        [None] * len(data),
    )


def minibar_answers(kinds: set[str]) -> set[str]:
    said = {"problem_report"} if kinds & PROBLEMS else set()
    said |= kinds & {"feature_request"}
    return said or {"irrelevant"}


def is22_answers(kinds: set[str]) -> set[str]:
    """A negative feature is what we call a pain point, or a complaint about it; what malfunctions is not asked for.

    A feature named without being judged is a mention of ours, or named by a bug, a wish or a verdict: a clause
    that says more than the name is not counted as a mention beside that.
    """
    named = {"feature_mentioned"} if NAMED in kinds else set()
    blamed = {"pain_point"} if BLAMED in kinds else set()
    return kinds & {"loved_feature", "pain_point", "feature_mentioned"} | named | blamed


def tasks(*, by_app: bool) -> list[Task]:
    reviews = data_rows("minibar_classify")
    group = "app" if by_app else "text hash"
    labels = ("problem_report", "feature_request", "irrelevant")
    minibar = task("minibar, EN+FR", reviews, labels, minibar_answers, group)
    return [
        minibar,
        replace(minibar, name="minibar, with stars", ratings=[float(row["stars"]) for row in reviews]),
        task(
            "is22 features",
            data_rows("is22_features"),
            ("loved_feature", "pain_point", "feature_mentioned"),
            is22_answers,
            "app_id",
        ),
        task(
            "suggestions",
            data_rows("semeval19_suggestions"),
            ("suggestion",),
            lambda kinds: {"suggestion"} if "feature_request" in kinds else set(),
            "text hash",
        ),
    ]


def kinds_of(analysis: Analysis) -> set[str]:
    """Return the kinds of what is said, and what is named: NAMED by who judges no feature, BLAMED by who complains.

    A brand is named as well, but is no feature.
    """
    judging = (Kind.LOVED_FEATURE, Kind.PAIN_POINT, Kind.COMPLAINT, Kind.BRAND)
    naming = [statement for statement in analysis.statements if statement.feature]
    named = any(statement.kind not in judging for statement in naming)
    blamed = any(statement.kind is Kind.COMPLAINT for statement in naming)
    marks = {NAMED: named, BLAMED: blamed}
    return {statement.kind.value for statement in analysis.statements} | {
        mark for mark, holds in marks.items() if holds
    }


def read(encoder: Encoder, model: KindModel | None, documents: Sequence[Document]) -> list[set[str]]:
    return [kinds_of(analysis) for analysis in LocalAnalyst(encoder, model=model).analyse(documents)]


def flags(task: Task, kinds: Sequence[set[str]]) -> Flags:
    return np.array([[label in task.answers(said) for label in task.labels] for said in kinds])


def fold_models(data: TrainingSet, labelled: Sequence[Task]) -> list[KindModel]:
    """Train a model a fold: neither its weights nor its thresholds have seen a text of that fold of any task."""
    place = {text: fold for task in labelled for text, fold in zip(task.texts, task.folds, strict=True)}
    folds = np.array([place.get(example.text, -1) for example in data.examples])
    found = out_of_fold_logits(data)
    return [as_model(fit(data, folds != fold), decisions(data, found, folds != fold)) for fold in range(FOLDS)]


def shipped(task: Task, encoder: Encoder, models: Sequence[KindModel]) -> Flags:
    """Answer with the analyst, whose weights are trained without the fold that it answers for."""
    found: list[set[str]] = [set() for _ in task.texts]
    for fold, model in enumerate(models):
        chosen = [at for at, other in enumerate(task.folds) if other == fold]
        documents = [Document((Passage(task.texts[at]),), rating=task.ratings[at]) for at in chosen]
        for at, kinds in zip(chosen, read(encoder, model, documents), strict=True):
            found[at] = kinds
    return flags(task, found)


def by_rules(task: Task) -> Flags:
    guesses = np.array(
        [[bool(re.search(RULES.get(label, "$^"), text.lower())) for label in task.labels] for text in task.texts]
    )
    if "irrelevant" in task.labels:
        guesses[:, -1] = ~guesses[:, :-1].any(axis=1)
    return guesses


def by_regression(task: Task, dense: NDArray[np.float32] | None, *, words: bool) -> Flags:
    """Train on the set itself, fold by fold: what the shipped model, trained once for all sets, is up against."""
    from sklearn.linear_model import LogisticRegression

    guesses = np.zeros(task.truth.shape, bool)
    for fold in range(FOLDS):
        train, test = task.folds != fold, task.folds == fold
        learned, asked = matrices(task, dense, train, words=words)
        for column in range(len(task.labels)):
            if task.truth[train, column].any():
                model = LogisticRegression(C=4, max_iter=500, solver="liblinear", dual=True).fit(
                    learned, task.truth[train, column]
                )
                guesses[test, column] = model.predict(asked)
    return guesses


def matrices(task: Task, dense: NDArray[np.float32] | None, train: Flags, *, words: bool) -> tuple[Any, Any]:
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    learned, asked = [], []
    if words:
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        learned.append(vectorizer.fit_transform([text for text, used in zip(task.texts, train, strict=True) if used]))
        asked.append(vectorizer.transform([text for text, used in zip(task.texts, train, strict=True) if not used]))
    if dense is not None:
        learned.append(csr_matrix(dense[train]))
        asked.append(csr_matrix(dense[~train]))
    return hstack(learned).tocsr(), hstack(asked).tocsr()


def macro_f1(task: Task, guesses: Flags, where: Flags | None = None) -> float:
    chosen = np.ones(len(task.texts), bool) if where is None else where
    return float(np.mean([f1(task.truth[chosen, at], guesses[chosen, at]) for at in range(len(task.labels))]))


def figures(task: Task, guesses: Flags) -> dict[str, float]:
    found = {task.name: macro_f1(task, guesses)}
    for at, label in enumerate(task.labels):
        found[f"{task.name}: {label}"] = f1(task.truth[:, at], guesses[:, at])
    for language in sorted(set(task.languages)) if len(set(task.languages)) > 1 else ():
        where = np.array([other == language for other in task.languages])
        found[f"{task.name}: {language}"] = macro_f1(task, guesses, where)
    return found


def own_figures(encoder: Encoder) -> dict[str, float]:
    """F1 a kind on the own test sentences, and the share of texts without a kind that stay without one."""
    found = {}
    for name, kinds in (("test_brand_takeaway", ("brand", "takeaway")), ("test_kinds", ())):
        data = rows(OWN / f"{name}.jsonl")
        said = read(encoder, None, [Document((Passage(row["text"]),)) for row in data])
        for kind in kinds or sorted({label for row in data for label in row["labels"]}):
            truth = np.array([kind in row["labels"] for row in data])
            found[f"own {name}: {kind}"] = f1(truth, np.array([kind in answer for answer in said]))
        if not kinds:
            silent = [not answer for row, answer in zip(data, said, strict=True) if not row["labels"]]
            found[f"own {name}: silence"] = float(np.mean(silent))
    return found


def measure(encoder: Encoder, results: dict[str, dict[str, float]], *, by_app: bool, peers: bool) -> None:
    """Add the figures of each labelled set to `results`, by method."""
    labelled = tasks(by_app=by_app)
    models = fold_models(training_set(encoder), labelled)
    for current in labelled:
        results["shipped"] |= figures(current, shipped(current, encoder, models))
        if not peers or any(current.ratings):
            continue
        dense = encoder.encode(current.texts)
        for name, guesses in (
            ("keyword rules", by_rules(current)),
            ("TF-IDF + LR", by_regression(current, None, words=True)),
            ("encoder + LR", by_regression(current, dense, words=False)),
            ("both + LR", by_regression(current, dense, words=True)),
        ):
            results.setdefault(name, {}).update(figures(current, guesses))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=ROOT / "var/models", help="folder of the encoder's graph")
    parser.add_argument("--by-app", action="store_true", help="split the reviews by app instead of by text")
    parser.add_argument("--peers", action="store_true", help="measure the simpler methods as well")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments, _ = parser.parse_known_args()
    encoder = Encoder(arguments.cache)
    results: dict[str, dict[str, float]] = {"shipped": own_figures(encoder)}
    if find_spec("sklearn") is None:
        print("SKIPPED: what is trained fold by fold needs the bench extra.")
    else:
        measure(encoder, results, by_app=arguments.by_app, peers=arguments.peers)
    for method, measured in results.items():
        for name, figure in measured.items():
            print(f"{method:14} {name:48} {figure:.3f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
