"""Which insight a statement belongs to: a sure one, a likely one, or one of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from insights.analyst import FAMILIES, Kind
from insights.embedding import MeasureName, Vector, measure_of
from insights.local.clustering import NAME_THRESHOLDS, NGRAM_TOPIC_THRESHOLDS, TOPIC_THRESHOLDS, Index, Verdict
from insights.models import AnalysisWake, Insight
from projects.identifiers import uuid7

THRESHOLDS = {"sentences": TOPIC_THRESHOLDS, "ngrams": NGRAM_TOPIC_THRESHOLDS, "names": NAME_THRESHOLDS}


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is compared with each other: statements of one family in one language; brands have no language."""

    family: str
    language: str

    @classmethod
    def of(cls, kind: str, language: str) -> "Shelf":
        """Return the shelf of a kind."""
        family = FAMILIES[Kind(kind)]
        return cls(family, "" if family == FAMILIES[Kind.BRAND] else language)

    @property
    def measure(self) -> MeasureName:
        """How its statements are compared."""
        return measure_of(self.family, self.language)


@dataclass(frozen=True, slots=True)
class Match:
    """Where a statement goes; `is_deleted` where a person did not want it."""

    insight: UUID
    is_unsure: bool = False
    is_new: bool = False
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Centroid:
    """The mean vector of an insight's statements, and how many they are."""

    insight: UUID
    mean: Vector
    weight: int


@dataclass(slots=True)
class Matcher:
    """All insights of a project in memory, kept up to date by revision."""

    project_id: int
    revision: int = -1
    shelves: dict[Shelf, Index[UUID]] = field(default_factory=dict)
    shelf_of: dict[UUID, Shelf] = field(default_factory=dict)
    deleted: set[UUID] = field(default_factory=set)
    changed: dict[UUID, bool] = field(default_factory=dict)  # whether the insight is founded now

    def refresh(self) -> None:
        """Load what changed since; call it while holding the project's analysis lock."""
        self.changed.clear()
        wake, _ = AnalysisWake.objects.get_or_create(project_id=self.project_id)
        if wake.revision == self.revision:
            return
        rows = Insight.objects.filter(project=self.project_id, revision__gt=self.revision)
        for insight in rows.only("kind", "language", "centroid", "weight", "deleted_at", "merged_into"):
            self._load(insight)
        self.revision = wake.revision

    def _load(self, insight: Insight) -> None:
        shelf = Shelf.of(insight.kind, insight.language)
        before = self.shelf_of.get(insight.pk)
        if before and (before != shelf or insight.merged_into_id):
            self._forget(insight.pk, before)
        if insight.merged_into_id or insight.centroid is None:
            return
        mean = np.asarray(insight.centroid, np.float32)
        self._index(shelf, mean.size).put(insight.pk, mean, insight.weight)
        self.shelf_of[insight.pk] = shelf
        (self.deleted.add if insight.deleted_at else self.deleted.discard)(insight.pk)

    def _forget(self, insight: UUID, shelf: Shelf) -> None:
        index = self.shelves[shelf]
        mean, _ = index.mean(insight)
        index.put(insight, mean, 0)
        del self.shelf_of[insight]

    def _index(self, shelf: Shelf, dimensions: int) -> Index[UUID]:
        if shelf not in self.shelves:
            self.shelves[shelf] = Index(dimensions, thresholds=THRESHOLDS[shelf.measure])
        return self.shelves[shelf]

    def match(self, shelf: Shelf, vector: Vector) -> Match:
        """Return the insight a statement joins, and count it there; a new one where none is near enough."""
        index = self._index(shelf, vector.size)
        decision = index.assign(vector)
        if decision.verdict is Verdict.NEW:
            insight = uuid7()
            self.shelf_of[insight] = shelf
            index.add(insight, vector)
            self.changed[insight] = True
            return Match(insight, is_new=True)
        insight = decision.candidates[0].key
        if insight in self.deleted:
            return Match(insight, is_deleted=True)
        index.add(insight, vector)
        self.changed.setdefault(insight, False)
        return Match(insight, is_unsure=decision.verdict is Verdict.UNSURE)

    def centroids(self, *, new: bool) -> Iterator[Centroid]:
        """Return what changed since the last refresh: of new insights, or of known ones, in order of ids."""
        for insight in sorted(key for key, is_new in self.changed.items() if is_new is new):
            mean, weight = self.shelves[self.shelf_of[insight]].mean(insight)
            yield Centroid(insight, mean, round(weight))
