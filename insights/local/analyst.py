"""The embedded analyst: which kinds a text holds, where in the text, and about what."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from insights.analyst import Analysis, Document, Kind, Passage, SetAside, Statement, TextEncoder
from insights.local.brands import find_brands
from insights.local.features import features_of
from insights.local.kinds import (
    CLAUSE_HEADS,
    FAMILIAR,
    IRRELEVANT,
    PROBLEM,
    PROBLEM_KINDS,
    WINDOW_HEADS,
    KindModel,
    Scores,
    kind_model,
    open_gate,
)
from insights.local.language import detect_language
from insights.local.sentiment import overall_sentiment, statement_sentiment
from insights.local.signal import no_signal
from insights.local.statements import Clause, Window, windows_of
from insights.local.subjects import Subject, subject_of
from insights.local.words import find_cues, words_of

ENCODED_LANGUAGE = "en"
# Whole reviews were learned from in these two; in the one that is not encoded, every text passes for one.
_REVIEW_LANGUAGES = ("en", "fr")
# Vectors move a logit by about one: what is further than this from being said is not worth encoding.
_FAR = 1.2
_CLEAR = 2.5
# Fewer words than these are no review, but may be a clause.
_FEWEST_WORDS = 5
_CACHED_VECTORS = 4096
_BRAND_CONFIDENCE = 0.8
_COLUMN = {head: column for column, head in enumerate(CLAUSE_HEADS)}
_FAMILIAR, _IRRELEVANT = WINDOW_HEADS.index(FAMILIAR), WINDOW_HEADS.index(IRRELEVANT)
_KIND_ORDER = {kind: place for place, kind in enumerate(Kind)}

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Reading:
    """A clause, what it is about, and by how much it clears the threshold of each head."""

    clause: Clause
    subject: Subject | None
    margins: Scores

    def margin(self, head: str) -> float:
        return float(self.margins[_COLUMN[head]])


class LocalAnalyst:
    """Reads feedback with the weights that are shipped and a sentence encoder; no key, no network."""

    def __init__(self, encoder: TextEncoder, *, model: KindModel | None = None) -> None:
        self._encoder = encoder
        self._model = model or kind_model()
        self._vector = lru_cache(maxsize=_CACHED_VECTORS)(self._encoded)

    def analyse(self, documents: Sequence[Document]) -> list[Analysis]:
        """Return one analysis a document, each as if it had been read alone."""
        return [self._analysis(document) for document in documents]

    def _analysis(self, document: Document) -> Analysis:
        text = "\n".join(passage.text for passage in document.passages)
        language = detect_language(text, expected=document.language)
        reason = no_signal(text)
        found = [] if reason else self._statements(document.passages, language)
        sentiment = overall_sentiment((statement.sentiment for statement in found), rating=document.rating)
        if not found:
            reason = reason or SetAside.LOW_SIGNAL
        return Analysis(language, reason, sentiment, tuple(found))

    def _statements(self, passages: Sequence[Passage], language: str) -> list[Statement]:
        return [
            statement
            for passage in passages
            if not no_signal(passage.text)
            for window in windows_of(passage)
            for statement in self._window_statements(window, language)
        ]

    def _window_statements(self, window: Window, language: str) -> list[Statement]:
        readings = [self._reading(clause, language) for clause in window.clauses]
        problem, request = self._held(window, readings, language)
        chosen: dict[tuple[int, Kind], float] = {}
        if problem:
            places = _places(readings, PROBLEM)
            chosen |= {(at, _problem_kind(readings[at])): margin for at, margin in places}
        if request:
            places = _places(readings, Kind.FEATURE_REQUEST)
            chosen |= {(at, Kind.FEATURE_REQUEST): margin for at, margin in places}
        _choose_others(readings, chosen)
        ordered = sorted(chosen.items(), key=lambda item: (item[0][0], _KIND_ORDER[item[0][1]]))
        found = [self._statement(readings[at], kind, margin) for (at, kind), margin in ordered]
        return found + [brand for clause in window.clauses for brand in self._brands(clause, language)]

    def _reading(self, clause: Clause, language: str) -> _Reading:
        thresholds = self._model.clause_thresholds
        margins = self._model.clause.by_words([features_of(clause.text)])[0] - thresholds
        if language == ENCODED_LANGUAGE and margins.max() > -_FAR:
            margins = margins + self._model.clause.by_vector(self._vector(clause.text))
        return _Reading(clause, subject_of(clause.text, language=language), margins)

    def _held(self, window: Window, readings: Sequence[_Reading], language: str) -> tuple[bool, bool]:
        """Tell whether a window holds a problem and a request.

        The window as a whole knows better than its clauses, in texts of the sort that it was learned from.
        """
        problem = max(reading.margin(PROBLEM) for reading in readings)
        request = max(reading.margin(Kind.FEATURE_REQUEST) for reading in readings)
        answer = self._window_answer(window, language, nothing_said=max(problem, request) <= 0)
        if answer is None:
            return problem > 0, request > 0
        # Where the one is said, the other is heard as well if it is said clearly.
        return answer[0] or (answer[1] and problem > _CLEAR), answer[1] or (answer[0] and request > _CLEAR)

    def _window_answer(self, window: Window, language: str, *, nothing_said: bool) -> tuple[bool, bool] | None:
        """Return what a window holds, or None when it does not resemble the reviews learned from."""
        if len(window.text.split()) < _FEWEST_WORDS:
            return None
        heads, thresholds = self._model.window, self._model.window_thresholds
        scores = heads.by_words([features_of(window.text)])[0]
        if language == ENCODED_LANGUAGE:
            if nothing_said and scores[_IRRELEVANT] - thresholds[_IRRELEVANT] > _FAR:
                return False, False
            added = heads.by_vector(self._vector(window.text))
            if added[_FAMILIAR] <= thresholds[_FAMILIAR]:
                return None
            scores = scores + added
        elif language not in _REVIEW_LANGUAGES:
            return None
        problem, request, _ = open_gate(scores[None], thresholds)[0]
        return bool(problem), bool(request)

    def _statement(self, reading: _Reading, kind: Kind, margin: float) -> Statement:
        clause, label = reading.clause, reading.subject.label if reading.subject else None
        # Mentions gather by what is mentioned, whatever else their sentences say.
        text = label if kind is Kind.FEATURE_MENTIONED and label else clause.text
        confidence = 1 / (1 + math.exp(-max(0.0, margin)))
        return self._said(clause, kind, text=text, feature=label, confidence=confidence)

    def _brands(self, clause: Clause, language: str) -> list[Statement]:
        return [
            self._said(clause, Kind.BRAND, text=brand.name, feature=brand.name, confidence=_BRAND_CONFIDENCE)
            for brand in find_brands(clause.text, language=language)
        ]

    def _said(self, clause: Clause, kind: Kind, *, text: str, feature: str | None, confidence: float) -> Statement:
        return Statement(
            passage=clause.passage,
            start=clause.start,
            end=clause.end,
            kind=kind,
            text=text,
            feature=feature,
            sentiment=statement_sentiment(kind, find_cues(words_of(clause.text))),
            confidence=round(confidence, 3),
            vector=self._vector(text),
        )

    def _encoded(self, text: str) -> Vector:
        vector: Vector = self._encoder.encode([text])[0]
        vector.flags.writeable = False
        return vector


def _places(readings: Sequence[_Reading], head: str) -> list[tuple[int, float]]:
    """Return where a window says what it holds: each clause that says so by itself, else the likeliest."""
    margins = [reading.margin(head) for reading in readings]
    least = min(0.0, max(margins))
    return [(at, margin) for at, margin in enumerate(margins) if margin >= least]


def _problem_kind(reading: _Reading) -> Kind:
    return max(PROBLEM_KINDS, key=reading.margin)


def _choose_others(readings: Sequence[_Reading], chosen: dict[tuple[int, Kind], float]) -> None:
    for at, reading in enumerate(readings):
        for kind in (Kind.TAKEAWAY, Kind.LOVED_FEATURE, Kind.FEATURE_MENTIONED):
            said = {other for place, other in chosen if place == at}
            margin = reading.margin(kind)
            if margin > 0 and _fits(kind, said, reading):
                chosen[at, kind] = margin


def _fits(kind: Kind, said: set[Kind], reading: _Reading) -> bool:
    """Tell whether a clause that says `said` may also be of `kind`."""
    if kind is Kind.TAKEAWAY:
        return True
    if reading.subject is None:
        return False
    if kind is Kind.LOVED_FEATURE:
        return not said & {*PROBLEM_KINDS, Kind.FEATURE_REQUEST}
    return not said & {Kind.LOVED_FEATURE, Kind.PAIN_POINT}
