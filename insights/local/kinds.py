"""The linear model that scores how much a text sounds like each kind of statement."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from insights.local.features import SIZE, Features

# Three heads judge a whole window (is there a problem, a request, or neither?), the others single clauses.
HEADS = (
    "problem",
    "feature_request",
    "irrelevant",
    "bug",
    "complaint",
    "pain_point",
    "loved_feature",
    "feature_mentioned",
    "takeaway",
)
# The vectors add less than the words do, and nothing in languages that the encoder does not know.
DENSE_WEIGHT = 0.5

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class KindModel:
    """Logistic heads over sparse features, and others over sentence vectors, added as logits."""

    sparse: NDArray[np.float32]
    sparse_bias: Scores
    dense: NDArray[np.float32]
    dense_bias: Scores
    thresholds: dict[str, float]

    def sparse_scores(self, texts: Sequence[Features]) -> Scores:
        """Return one logit a text and head, from its words alone."""
        rows = [features.values @ self.sparse[features.places] for features in texts]
        return np.stack(rows) + self.sparse_bias if rows else np.empty((0, len(HEADS)), np.float32)

    def dense_scores(self, vectors: NDArray[np.float32]) -> Scores:
        """Return what the vectors add to the logits of their texts."""
        added: Scores = np.float32(DENSE_WEIGHT) * (vectors @ self.dense + self.dense_bias)
        return added


def open_gate(scores: Scores, thresholds: Scores) -> NDArray[np.bool_]:
    """Decide for windows, a row each, whether they hold a problem, a request, or neither.

    A window that is not irrelevant holds at least the likelier of the two.
    """
    margins = scores[:, :3] - thresholds
    relevant = margins[:, 2] <= 0
    likelier = margins[:, :2] >= margins[:, :2].max(axis=1, keepdims=True)
    held = relevant[:, None] & ((margins[:, :2] > 0) | likelier)
    return np.column_stack([held, ~relevant])


@cache
def kind_model() -> KindModel:
    """Return the model that is shipped; its licence and figures are in the manifest beside it."""
    folder = files(__package__) / "weights"
    arrays = np.load(BytesIO((folder / "kinds.npz").read_bytes()))
    manifest = json.loads((folder / "kinds.json").read_text("utf-8"))
    if arrays["sparse"].shape != (SIZE, len(HEADS)):
        raise ValueError("the weights do not fit the features: train them again")
    return KindModel(
        sparse=arrays["sparse"].astype(np.float32) * arrays["sparse_scale"],
        sparse_bias=arrays["sparse_bias"],
        dense=arrays["dense"].astype(np.float32),
        dense_bias=arrays["dense_bias"],
        thresholds=manifest["thresholds"],
    )
