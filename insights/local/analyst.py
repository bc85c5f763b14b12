"""The embedded analyst: which kinds a text holds, where in the text, and about what."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from insights.analyst import FAMILIES, Analysis, Document, Kind, Passage, SetAside, Statement, TextEncoder
from insights.local.brands import find_brands
from insights.local.features import features_of
from insights.local.kinds import HEADS, Scores, kind_model, open_gate
from insights.local.language import detect_language
from insights.local.sentiment import overall_sentiment, statement_sentiment
from insights.local.signal import no_signal
from insights.local.statements import Clause, Window, windows_of
from insights.local.subjects import Subject, subject_of
from insights.local.words import find_cues, words_of

ENCODED_LANGUAGE = "en"
# Vectors move a logit by about one: a window further than this from every threshold is not worth encoding.
_UNDECIDED = 2.0
_PROBLEM, _REQUEST = HEADS.index("problem"), HEADS.index("feature_request")
_PROBLEM_KINDS = (Kind.BUG, Kind.COMPLAINT, Kind.PAIN_POINT)
_CACHED_VECTORS = 4096
_BRAND_CONFIDENCE = 0.8

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Reading:
    """A clause with all that is known of it before kinds are chosen."""

    clause: Clause
    scores: Scores
    subject: Subject | None


class LocalAnalyst:
    """Reads feedback with the weights that are shipped and a sentence encoder; no key, no network."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._vector = lru_cache(maxsize=_CACHED_VECTORS)(self._encoded)

    def analyse(self, documents: Sequence[Document]) -> list[Analysis]:
        """Return one analysis a document, each as if it had been read alone."""
        return [self._analysis(document) for document in documents]

    def _analysis(self, document: Document) -> Analysis:
        text = "\n".join(passage.text for passage in document.passages)
        language = detect_language(text, expected=document.language)
        reason = no_signal(text)
        found = [] if reason else self._statements(document.passages, language)
        if not found:
            sentiment = overall_sentiment([], rating=document.rating)
            return Analysis(language, reason or SetAside.LOW_SIGNAL, sentiment)
        sentiment = overall_sentiment([statement.sentiment for statement in found], rating=document.rating)
        return Analysis(language, None, sentiment, tuple(found))

    def _statements(self, passages: Sequence[Passage], language: str) -> list[Statement]:
        return [
            statement
            for passage in passages
            if not no_signal(passage.text)
            for window in windows_of(passage)
            for statement in self._window_statements(window, language)
        ]

    def _window_statements(self, window: Window, language: str) -> list[Statement]:
        readings = self._readings(window, language)
        chosen: dict[tuple[int, Kind], float] = {}
        self._choose_gated(self._window_scores(window, language), readings, chosen)
        self._choose_others(readings, chosen)
        ordered = sorted(chosen.items(), key=lambda item: (item[0][0], list(Kind).index(item[0][1])))
        families = Counter(FAMILIES[kind] for _, kind in chosen)
        found = [
            # Alone of its family in the window, a statement is compared by all that is said around it.
            self._statement(readings[at], kind, margin, language, window.text if families[FAMILIES[kind]] == 1 else "")
            for (at, kind), margin in ordered
        ]
        return found + [statement for clause in window.clauses for statement in self._brands(clause, language)]

    def _window_scores(self, window: Window, language: str) -> Scores:
        """Score a window by its words, and by its vector where the words leave it undecided."""
        model = kind_model()
        scores = model.sparse_scores([features_of(window.text)])[0]
        nearest = np.abs(scores[:3] - _gate_thresholds()).min()
        if language == ENCODED_LANGUAGE and nearest < _UNDECIDED:
            scores = scores + model.dense_scores(self._vector(window.text))
        return scores

    def _readings(self, window: Window, language: str) -> list[_Reading]:
        model = kind_model()
        scores = model.sparse_scores([features_of(clause.text) for clause in window.clauses])
        return [
            _Reading(clause, row, subject_of(clause.text, language=language))
            for clause, row in zip(window.clauses, scores, strict=True)
        ]

    def _choose_gated(
        self, window: Scores, readings: Sequence[_Reading], chosen: dict[tuple[int, Kind], float]
    ) -> None:
        """Place what the window holds: at the clauses that say so themselves, else at the likeliest one."""
        thresholds = _gate_thresholds()
        problem, request, _ = open_gate(window[None], thresholds)[0]
        for held, head in ((problem, _PROBLEM), (request, _REQUEST)):
            if not held:
                continue
            margins = [float(reading.scores[head] - thresholds[head]) for reading in readings]
            least = min(0.0, max(margins))
            for at, margin in enumerate(margins):
                if margin >= least:
                    kind = _problem_kind(readings[at]) if head == _PROBLEM else Kind.FEATURE_REQUEST
                    chosen[at, kind] = max(margin, float(window[head] - thresholds[head]))

    def _choose_others(self, readings: Sequence[_Reading], chosen: dict[tuple[int, Kind], float]) -> None:
        for at, reading in enumerate(readings):
            said = {kind for place, kind in chosen if place == at}
            for kind in (Kind.TAKEAWAY, Kind.LOVED_FEATURE, Kind.FEATURE_MENTIONED):
                margin = float(reading.scores[HEADS.index(kind)]) - kind_model().thresholds[kind]
                if margin > 0 and _fits(kind, said, reading):
                    chosen[at, kind] = margin
                    said.add(kind)

    def _statement(self, reading: _Reading, kind: Kind, margin: float, language: str, around: str) -> Statement:
        clause, label = reading.clause, reading.subject.label if reading.subject else None
        # Mentions gather by what is mentioned, whatever else their sentences say.
        is_named = kind is Kind.FEATURE_MENTIONED and label is not None
        text = label if is_named and label else clause.text
        context = text if is_named else around or text
        return Statement(
            passage=clause.passage,
            start=clause.start,
            end=clause.end,
            kind=kind,
            text=text,
            feature=label,
            sentiment=statement_sentiment(kind, find_cues(words_of(clause.text))),
            confidence=round(1 / (1 + math.exp(-margin)), 3),
            context=context,
            vector=self._vector(context) if language == ENCODED_LANGUAGE else None,
        )

    def _brands(self, clause: Clause, language: str) -> list[Statement]:
        return [
            Statement(
                passage=clause.passage,
                start=clause.start,
                end=clause.end,
                kind=Kind.BRAND,
                text=brand.name,
                feature=brand.name,
                sentiment=statement_sentiment(Kind.BRAND, find_cues(words_of(clause.text))),
                confidence=_BRAND_CONFIDENCE,
                vector=self._vector(brand.name) if language == ENCODED_LANGUAGE else None,
            )
            for brand in find_brands(clause.text, language=language)
        ]

    def _encoded(self, text: str) -> Vector:
        vector: Vector = self._encoder.encode([text])[0]
        vector.flags.writeable = False
        return vector


@lru_cache(maxsize=1)
def _gate_thresholds() -> Scores:
    thresholds = kind_model().thresholds
    return np.array([thresholds[head] for head in HEADS[:3]], np.float32)


def _problem_kind(reading: _Reading) -> Kind:
    return max(_PROBLEM_KINDS, key=lambda kind: float(reading.scores[HEADS.index(kind)]))


def _fits(kind: Kind, said: set[Kind], reading: _Reading) -> bool:
    """Tell whether a clause that says `said` may also be of `kind`."""
    if kind is Kind.TAKEAWAY:
        return True
    if reading.subject is None:
        return False
    if kind is Kind.LOVED_FEATURE:
        return not said & {*_PROBLEM_KINDS, Kind.FEATURE_REQUEST}
    return not said & {Kind.LOVED_FEATURE, Kind.PAIN_POINT}
