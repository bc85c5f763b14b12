"""The linear model that scores how much a text sounds like each kind of statement."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insights.analyst import Kind
from insights.local.features import SIZE, Features

PROBLEM, REQUEST, IRRELEVANT, FAMILIAR = "problem", "request", "irrelevant", "familiar"
# Learned from whole reviews: what a window holds, and whether it resembles those reviews at all.
WINDOW_HEADS = (PROBLEM, REQUEST, IRRELEVANT, FAMILIAR)
PROBLEM_KINDS = (Kind.BUG, Kind.COMPLAINT, Kind.PAIN_POINT)
# Learned from single sentences of many trades: what one clause says.
CLAUSE_HEADS = (
    PROBLEM,
    Kind.FEATURE_REQUEST.value,
    *(kind.value for kind in PROBLEM_KINDS),
    Kind.LOVED_FEATURE.value,
    Kind.FEATURE_MENTIONED.value,
    Kind.TAKEAWAY.value,
)
# Words tell more than vectors of what is said, and vectors more than words of what it is about.
DENSE_WEIGHT = 0.5

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Heads:
    """Logistic heads over sparse features, and others over sentence vectors, whose logits are added."""

    sparse: NDArray[np.float32]
    sparse_bias: Scores
    dense: NDArray[np.float32]
    dense_bias: Scores

    def by_words(self, texts: Sequence[Features]) -> Scores:
        """Return one logit a text and head, from the words alone."""
        rows = [text.values @ self.sparse[text.places] for text in texts]
        return np.stack(rows) + self.sparse_bias if rows else np.empty((0, len(self.sparse_bias)), np.float32)

    def by_vector(self, vector: NDArray[np.float32]) -> Scores:
        """Return what the vector of a text adds to its logits."""
        added: Scores = np.float32(DENSE_WEIGHT) * (vector @ self.dense + self.dense_bias)
        return added


@dataclass(frozen=True, slots=True)
class KindModel:
    """The heads for windows and for clauses, with the logits above which they say yes.

    `stars` holds what a rating of one to five stars, a row each, adds to the logits of the heads for windows.
    """

    window: Heads
    clause: Heads
    window_thresholds: Scores
    clause_thresholds: Scores
    stars: Scores

    def by_rating(self, rating: float | None) -> Scores:
        """Return what the rating of a review adds to the logits of its windows."""
        if rating is None:
            return np.zeros(len(WINDOW_HEADS), np.float32)
        most = len(self.stars)
        row: Scores = self.stars[min(max(round(rating), 1), most) - 1]
        return row


def open_gate(scores: NDArray[np.floating], thresholds: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Decide for windows, a row each, whether they hold a problem, a request, or neither.

    A window that is not irrelevant holds at least the likelier of the two.
    """
    margins = scores[:, :3] - thresholds[:3]
    relevant = margins[:, 2] <= 0
    likelier = margins[:, :2] >= margins[:, :2].max(axis=1, keepdims=True)
    held = relevant[:, None] & ((margins[:, :2] > 0) | likelier)
    return np.column_stack([held, ~relevant])


@cache
def kind_model() -> KindModel:
    """Return the model that is shipped; its licences are in the manifest beside it."""
    folder = files(__package__) / "weights"
    manifest = json.loads((folder / "kinds.json").read_text("utf-8"))
    with np.load(BytesIO((folder / "kinds.npz").read_bytes())) as arrays:
        window, clause = (_heads(arrays, name) for name in ("window", "clause"))
    return told_by(window, clause, manifest)


def told_by(window: Heads, clause: Heads, manifest: Mapping[str, Any]) -> KindModel:
    """Return the model of these heads that decides as a manifest says."""
    return KindModel(
        window,
        clause,
        np.array([manifest["window_thresholds"][head] for head in WINDOW_HEADS], np.float32),
        np.array([manifest["clause_thresholds"][head] for head in CLAUSE_HEADS], np.float32),
        np.array([manifest["stars"][head] for head in WINDOW_HEADS], np.float32).T,
    )


def _heads(arrays: dict[str, NDArray[np.generic]], name: str) -> Heads:
    """Raise ValueError for weights of other features than these."""
    stored = arrays[f"{name}_sparse"]
    if len(stored) != SIZE:
        raise ValueError("the weights do not fit the features: train them again")
    return Heads(
        sparse=stored.astype(np.float32) * arrays[f"{name}_sparse_scale"].astype(np.float32),
        sparse_bias=arrays[f"{name}_sparse_bias"].astype(np.float32),
        dense=arrays[f"{name}_dense"].astype(np.float32),
        dense_bias=arrays[f"{name}_dense_bias"].astype(np.float32),
    )
