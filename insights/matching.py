"""Which insight a statement belongs to: a sure one, a likely one, or one of its own."""

from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from insights.analyst import Kind
from insights.models import AnalysisWake, Insight
from projects.identifiers import uuid7

Vector = NDArray[np.float32]

# A customer's bug is another's complaint: what is wrong is one thing, however it is put.
FAMILIES = {
    Kind.BUG: "problem",
    Kind.COMPLAINT: "problem",
    Kind.PAIN_POINT: "problem",
    Kind.FEATURE_REQUEST: "request",
    Kind.LOVED_FEATURE: "praise",
    Kind.BRAND: "brand",
    Kind.FEATURE_MENTIONED: "feature",
    Kind.TAKEAWAY: "takeaway",
}
SURE = 0.66  # cosine to the centroid from which a statement joins
LIKELY = 0.58  # from here on it joins, and is listed under "needs a look"


@dataclass(slots=True)
class Candidate:
    """An insight as matching sees it."""

    id: UUID
    family: str
    language: str
    total: Vector
    weight: int
    deleted: bool = False
    is_fresh: bool = False
    changed: bool = False


@dataclass(slots=True)
class Match:
    """Where a statement goes."""

    insight: Candidate
    unsure: bool


@dataclass(slots=True)
class Shelf:
    """The insights of one family and language, with their centroids as one matrix."""

    rows: list[Candidate] = field(default_factory=list)
    matrix: Vector = field(default_factory=lambda: np.zeros((16, 0), dtype=np.float32))

    def put(self, candidate: Candidate, place: int | None = None) -> None:
        """Add a candidate, or renew the centroid at its place."""
        if place is None:
            place = len(self.rows)
            self.rows.append(candidate)
        if self.matrix.shape[1] != candidate.total.size:
            self.matrix = np.zeros((16, candidate.total.size), dtype=np.float32)
        if place >= len(self.matrix):
            self.matrix = np.vstack([self.matrix, np.zeros_like(self.matrix)])
        length = float(np.linalg.norm(candidate.total)) or 1.0
        self.matrix[place] = candidate.total / length

    def nearest(self, vector: Vector) -> tuple[int, float]:
        """Return the place and the cosine of the nearest candidate; (-1, -1) where there is none."""
        if not self.rows:
            return -1, -1.0
        scores = self.matrix[: len(self.rows)] @ vector
        place = int(np.argmax(scores))
        return place, float(scores[place])


class Matcher:
    """All insights of a project in memory, kept up to date by revision."""

    def __init__(self, project_id: int) -> None:
        self.project_id = project_id
        self.revision = -1
        self.shelves: dict[tuple[str, str], Shelf] = {}
        self.places: dict[UUID, tuple[Shelf, int]] = {}

    def refresh(self) -> None:
        """Load what changed since; call it while holding the project's analysis lock."""
        wake, _ = AnalysisWake.objects.get_or_create(project_id=self.project_id)
        if wake.revision == self.revision:
            return
        changed = Insight.objects.filter(project=self.project_id, revision__gt=self.revision, merged_into=None)
        for insight in changed.exclude(centroid=None):
            self._load(insight)
        self.revision = wake.revision

    def _load(self, insight: Insight) -> None:
        candidate = Candidate(
            id=insight.pk,
            family=FAMILIES[Kind(insight.kind)],
            language=insight.language,
            total=np.asarray(insight.centroid, dtype=np.float32),
            weight=insight.weight,
            deleted=insight.deleted_at is not None,
        )
        known = self.places.get(insight.pk)
        if known:
            shelf, place = known
            shelf.rows[place] = candidate
            shelf.put(candidate, place)
        else:
            self._add(candidate)

    def _add(self, candidate: Candidate) -> None:
        shelf = self.shelves.setdefault((candidate.family, candidate.language), Shelf())
        shelf.put(candidate)
        self.places[candidate.id] = (shelf, len(shelf.rows) - 1)

    def match(self, kind: Kind, language: str, vector: Vector) -> Match:
        """Return the insight a statement joins, a fresh one where none is near enough."""
        shelf = self.shelves.setdefault((FAMILIES[kind], language), Shelf())
        place, score = shelf.nearest(vector)
        if score < LIKELY:
            fresh = Candidate(uuid7(), FAMILIES[kind], language, vector.copy(), 1, is_fresh=True, changed=True)
            self._add(fresh)
            return Match(fresh, unsure=False)
        found = shelf.rows[place]
        if not found.deleted:
            found.total = found.total + vector
            found.weight += 1
            found.changed = True
            shelf.put(found, place)
        return Match(found, unsure=score < SURE)
