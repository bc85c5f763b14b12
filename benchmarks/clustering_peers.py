"""The clusterings that ours is measured against; what they leave out is settled in their favour."""

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from bertopic import BERTopic
from bertopic.dimensionality import BaseDimensionalityReduction
from hdbscan import HDBSCAN
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer
from umap import UMAP

from benchmarks.clustering import Floats, Labels, Part

NOISE = -1
SEED = 0
FLOORS = (0.4, 0.5, 0.6, 0.7)
LEAST_SIZES = (3, 5, 10, 20, 40)
NEIGHBOURS = (5, 15, 30)
MERGE_EVERY = 500

Method = Callable[[Part], Labels]


class Means:
    """Groups with running means, founded when no mean is near enough."""

    def __init__(self, dimensions: int, floor: float) -> None:
        self.floor = floor
        self.count = 0
        self.sums = np.zeros((1024, dimensions), np.float32)
        self.units = np.zeros_like(self.sums)

    def take(self, vector: Floats) -> int:
        scores = self.units[: self.count] @ vector
        place = int(scores.argmax()) if self.count else NOISE
        if place == NOISE or scores[place] < self.floor:
            place, self.count = self.count, self.count + 1
            if place == len(self.sums):
                self.sums = np.concatenate([self.sums, np.zeros_like(self.sums)])
                self.units = np.concatenate([self.units, np.zeros_like(self.units)])
        self._add(place, vector)
        return place

    def merge(self) -> dict[int, int]:
        """Merge the means that have come close; return where each group went."""
        moved: dict[int, int] = {}
        for place in range(self.count):
            scores = self.units[: self.count] @ self.units[place]
            scores[place:] = NOISE
            scores[list(moved)] = NOISE
            best = int(scores.argmax())
            if scores[best] >= self.floor and self.units[place].any():
                self._add(best, self.sums[place])
                self.sums[place] = self.units[place] = 0
                moved[place] = best
        return moved

    def _add(self, place: int, vector: Floats) -> None:
        self.sums[place] += vector
        self.units[place] = self.sums[place] / np.linalg.norm(self.sums[place])


def online(floor: float, *, merging: bool) -> Method:
    """Return the leader algorithm, one pass over the rows, with or without merging now and then."""

    def cluster(part: Part) -> Labels:
        means = Means(part.vectors.shape[1], floor)
        labels = np.empty(len(part.vectors), np.int64)
        for row, vector in enumerate(part.vectors):
            labels[row] = means.take(vector)
            if merging and ((row + 1) % MERGE_EVERY == 0 or row + 1 == len(labels)):
                for place, target in means.merge().items():
                    labels[: row + 1][labels[: row + 1] == place] = target
        return labels

    return cluster


@lru_cache(maxsize=8)
def _tree(part: Part) -> Labels:
    return np.asarray(linkage(part.vectors, "average", metric="cosine"))


def average_link(floor: float) -> Method:
    return lambda part: np.asarray(fcluster(_tree(part), 1 - floor, "distance"))


def k_means(part: Part) -> Labels:
    """k-means that is told how many topics there are."""
    topics = len(np.unique(part.truth))
    return np.asarray(KMeans(topics, n_init=3, random_state=SEED).fit_predict(part.vectors))


def hdbscan(least: int) -> Method:
    return lambda part: np.asarray(HDBSCAN(min_cluster_size=least, core_dist_n_jobs=1).fit_predict(part.vectors))


class Reduced(BaseDimensionalityReduction):  # type: ignore[misc]
    """Gives BERTopic a projection that was computed before."""

    def __init__(self, projection: Floats) -> None:
        self.projection = projection

    def transform(self, vectors: Floats) -> Floats:
        return self.projection


@lru_cache(maxsize=32)
def _projection(part: Part, neighbours: int) -> Floats:
    """Project as BERTopic does, once for all settings that share it."""
    model = UMAP(n_neighbors=neighbours, n_components=5, min_dist=0.0, metric="cosine", random_state=SEED, n_jobs=1)
    return np.asarray(model.fit_transform(part.vectors))


def bertopic(neighbours: int, least: int) -> Method:
    """Return BERTopic with these two settings; 15 and 10 are its own."""

    def cluster(part: Part) -> Labels:
        model = BERTopic(
            umap_model=Reduced(_projection(part, neighbours)),
            hdbscan_model=HDBSCAN(min_cluster_size=least, core_dist_n_jobs=1, prediction_data=True),
            vectorizer_model=CountVectorizer(token_pattern=r"\S+"),
        )
        topics, _ = model.fit_transform(list(part.texts), part.vectors)
        return np.asarray(topics)

    return cluster


def together(labels: Labels, vectors: Floats) -> Labels:
    return labels


def alone(labels: Labels, vectors: Floats) -> Labels:
    """Make each row that was left out a group of its own."""
    own = np.arange(len(labels)) + labels.max() + 1
    return np.where(labels == NOISE, own, labels)


def with_nearest(labels: Labels, vectors: Floats) -> Labels:
    """Put each row that was left out to the nearest mean."""
    groups = np.unique(labels[labels != NOISE])
    if not len(groups):
        return labels
    means = np.stack([vectors[labels == group].mean(axis=0) for group in groups])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return np.where(labels == NOISE, groups[(vectors @ means.T).argmax(axis=1)], labels)


def _settled(method: Method, settle: Callable[[Labels, Floats], Labels]) -> Method:
    return lambda part: settle(method(part), part.vectors)


def _with_noise(method: Method) -> Iterator[tuple[str, Method]]:
    cached = lru_cache(maxsize=32)(method)
    for settle in (together, alone, with_nearest):
        yield settle.__name__, _settled(cached, settle)


def peers() -> dict[str, dict[str, Method]]:
    """Return every peer with all its settings; the best by the mean over the sets is what counts."""
    return {
        "leader": {str(floor): online(floor, merging=False) for floor in FLOORS},
        "online with merge": {str(floor): online(floor, merging=True) for floor in FLOORS},
        "average link (UPGMA)": {str(floor): average_link(floor) for floor in FLOORS},
        "k-means told the true k": {"": k_means},
        "HDBSCAN": {
            f"{least} {noise}": method for least in (3, 5, 10) for noise, method in _with_noise(hdbscan(least))
        },
        "BERTopic, default": dict(_with_noise(bertopic(15, 10))),
        "BERTopic, 15 settings": {
            f"{neighbours}/{least} {noise}": method
            for neighbours in NEIGHBOURS
            for least in LEAST_SIZES
            for noise, method in _with_noise(bertopic(neighbours, least))
        },
    }
