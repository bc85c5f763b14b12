"""The embedded analyst: which kinds a text holds, where in the text, and about what."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from insights.analyst import Analysis, Document, Kind, SetAside, Statement, TextEncoder
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
from insights.local.outright import said_outright
from insights.local.sentiment import overall_sentiment, statement_sentiment
from insights.local.signal import no_signal
from insights.local.statements import STATEMENT_LENGTH, Clause, Window, windows_of
from insights.local.subjects import Subject, subject_of
from insights.local.topics import combined, is_worded, topic_of
from insights.local.words import DENIAL, PRAISE, find_cues, words_of

ENCODED_LANGUAGE = "en"
# Whole reviews were learned from in these two; in the one that is not encoded, every text passes for one.
_REVIEW_LANGUAGES = ("en", "fr")
# Vectors move a logit by about one: what is further than this from being said is not worth encoding.
_FAR = 1.2
# Below this a clause says too little to be quoted, unless the window is known to hold what it says best.
_LEAST_SAID = 1.0
# Words of wishing are spoken without a wish more often than words of blame without a problem.
_LEAST_ASKED = 2.5
# A wish for, or trouble with, something that has a name needs no more than this outside reviews.
_ASKED = 1.1
_BLAMED = 0.3
# Praise of a known part, and a verdict in known words, need not be more likely than this.
_LIKELY = 0.5
# What names nothing and is not in words that titles know has to be this likely.
_SURE = 1.0
# A verdict in no known words, and praise of no known part of a product or in words of blame or longing, are mostly
# something else.
_CERTAIN = 2.0
_FEWEST_WORDS = 4
# In a window unlike reviews, the clause that says best what the window holds must come at least so near to saying it.
_NEARLY_SAID = -1.0
# Whoever says more than this says what it is about, or nothing of what was said before.
_LONGEST_PLEA = 6
_CACHED_VECTORS = 4096
_BRAND_CONFIDENCE = 0.8
_COLUMN = {head: column for column, head in enumerate(CLAUSE_HEADS)}
_WINDOW_COLUMN = {PROBLEM: 0, Kind.FEATURE_REQUEST.value: 1}
_FAMILIAR, _IRRELEVANT = WINDOW_HEADS.index(FAMILIAR), WINDOW_HEADS.index(IRRELEVANT)
_WISHES = frozenset({"wish", "ask", "imperative"})
_ASKING = _WISHES | {"lack"}
_BLAME = frozenset({"crash", "fail", "slow", "hard", "disgust", "ads", "price", "service", "lack"})
_NEVER = -99.0
_WANTING = frozenset({"wish", "ask", "lack", "inability", "fail", "crash", "slow", "hard", "disgust"})
# What a product has to have: named in praise, it is rarely what is praised.
_UPKEEP = frozenset({"update", "install", "account", "loading", "connection", "storage"})
_KIND_ORDER = {kind: place for place, kind in enumerate(Kind)}

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Reading:
    """A clause, what it is about, and by how much it clears the thresholds of both sorts of heads."""

    clause: Clause
    subject: Subject | None
    margins: Scores
    window_margins: Scores
    has_reviews: bool  # whether the heads for windows learned from reviews in its language

    @property
    def cues(self) -> frozenset[str]:
        """What the words point to."""
        return find_cues(words_of(self.clause.text))

    def margin(self, head: str) -> float:
        """Return by how much the clause clears the threshold; what it denies to be a problem is none."""
        return _NEVER if head == PROBLEM and self._denies else float(self.margins[_COLUMN[head]])

    def window_margin(self, head: str) -> float:
        """Return what the heads for windows make of this clause alone, by its words."""
        return _NEVER if head == PROBLEM and self._denies else float(self.window_margins[_WINDOW_COLUMN[head]])

    def is_worded_as(self, head: str) -> bool:
        """Tell whether the words alone point to a problem, or to a request."""
        return bool(self.cues & (_BLAME if head == PROBLEM else _ASKING))

    def is_plain(self, head: str) -> bool:
        """Tell whether a problem of, or a wish for, something that has a name is said in so many words.

        Outside reviews no heads that learned from reviews need to agree; where they know none, they cannot.
        """
        if self.says_outright(head):
            return True
        if not self.has_reviews:
            return self.margin(head) > 0
        if self.subject is None:
            return False
        if head == PROBLEM:
            return bool(self.cues & _BLAME) and self.margin(head) > _BLAMED
        return bool(self.cues & _WISHES) and self.margin(head) > _ASKED

    def says_outright(self, head: str) -> bool:
        """Tell whether something that has a name is said to be a problem, wished for or praised, in as many words."""
        if self.subject is None or head not in said_outright(words_of(self.clause.text)):
            return False
        # "Takes two minutes to learn, and it is great."
        return head != PROBLEM or PRAISE not in self.cues or bool(self.cues & _BLAME)

    def asks_about(self, kind: Kind) -> bool:
        """Tell whether a question names a feature; its words are seldom those of statements."""
        return kind is Kind.FEATURE_MENTIONED and self.clause.is_question

    @property
    def _denies(self) -> bool:
        return DENIAL in self.cues and not self.cues & _BLAME


@dataclass(frozen=True, slots=True)
class _Held:
    """What a window holds, and whether it resembles the reviews that the heads for windows learned from.

    The clause that says best what is held is quoted if it says it by more than `least`, however little that is.
    """

    problem: bool
    request: bool
    is_familiar: bool = False
    least: float = math.inf


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
        found = [] if reason else self._statements(document, language)
        sentiment = overall_sentiment((statement.sentiment for statement in found), rating=document.rating)
        if not found:
            reason = reason or SetAside.LOW_SIGNAL
        return Analysis(language, reason, sentiment, tuple(found))

    def _statements(self, document: Document, language: str) -> list[Statement]:
        own_names = frozenset(name.lower() for name in document.own_names)
        return [
            statement
            for passage in document.passages
            if not no_signal(passage.text)
            for window in windows_of(passage)
            for statement in self._window_statements(window, language, own_names, rating=document.rating)
        ]

    def _window_statements(
        self, window: Window, language: str, own_names: frozenset[str], *, rating: float | None
    ) -> list[Statement]:
        readings = [self._reading(clause, language) for clause in window.clauses]
        held = self._held(window, readings, language, rating=rating)
        chosen: dict[tuple[int, Kind], float] = {}
        if held.problem:
            for at, margin in _places(readings, PROBLEM, held):
                chosen[at, _problem_kind(readings[at])] = margin
        if held.request:
            for at, margin in _places(readings, Kind.FEATURE_REQUEST, held):
                chosen[at, Kind.FEATURE_REQUEST] = margin
        _choose_others(readings, chosen, is_familiar=held.is_familiar)
        ordered = sorted(chosen.items(), key=lambda item: (item[0][0], _KIND_ORDER[item[0][1]]))
        found = [
            self._statement(quoted, kind, margin, language)
            for (at, kind), margin in ordered
            if not _is_empty(quoted := _quoted(readings, at, kind), kind, margin)
        ]
        return found + [brand for clause in window.clauses for brand in self._brands(clause, language, own_names)]

    def _reading(self, clause: Clause, language: str) -> _Reading:
        model, features = self._model, [features_of(clause.text)]
        margins = model.clause.by_words(features)[0] - model.clause_thresholds
        window_margins = model.window.by_words(features)[0] - model.window_thresholds
        if language == ENCODED_LANGUAGE and margins.max() > -_FAR:
            margins = margins + model.clause.by_vector(self._vector(clause.text))
        subject = subject_of(clause.text, language=language)
        return _Reading(clause, subject, margins, window_margins, language in _REVIEW_LANGUAGES)

    def _held(self, window: Window, readings: Sequence[_Reading], language: str, *, rating: float | None) -> _Held:
        """Tell whether a window holds a problem and a request.

        The window as a whole knows better than its clauses, in texts of the sort that it was learned from;
        elsewhere a clause has to say so for itself, or the window has to leave no doubt.
        """
        heads, thresholds = self._model.window, self._model.window_thresholds
        problem, request = (
            any(reading.margin(head) > 0 or reading.says_outright(head) for reading in readings)
            for head in (PROBLEM, Kind.FEATURE_REQUEST)
        )
        by_clauses = _Held(problem=problem, request=request)
        # "login broken" is no review, but it is a clause.
        if language not in _REVIEW_LANGUAGES or len(window.text.split()) < _FEWEST_WORDS:
            return by_clauses
        scores = heads.by_words([features_of(window.text)])[0] + self._model.by_rating(rating)
        if language == ENCODED_LANGUAGE:
            if not (problem or request) and scores[_IRRELEVANT] - thresholds[_IRRELEVANT] > _FAR:
                return by_clauses
            added = heads.by_vector(self._vector(window.text))
            scores = scores + added
            doubt = float(thresholds[_FAMILIAR] - added[_FAMILIAR])
            if doubt >= 0:
                return _beyond_doubt(scores - thresholds, doubt, by_clauses)
        gate_problem, gate_request, _ = open_gate(scores[None], thresholds)[0]
        return _Held(problem=bool(gate_problem), request=bool(gate_request), is_familiar=True, least=_NEVER)

    def _statement(self, reading: _Reading, kind: Kind, margin: float, language: str) -> Statement:
        clause, subject = reading.clause, reading.subject
        label = subject.label if subject else None
        return self._said(
            clause,
            kind,
            # Mentions gather by what is mentioned, whatever else their sentences say.
            text=label if kind is Kind.FEATURE_MENTIONED and label else clause.text,
            feature=label,
            topic=topic_of(kind, clause.text, subject, language=language),
            confidence=1 / (1 + math.exp(-max(0.0, margin))),
            language=language,
        )

    def _brands(self, clause: Clause, language: str, own_names: frozenset[str]) -> list[Statement]:
        return [
            self._said(
                clause,
                Kind.BRAND,
                text=brand.name,
                feature=brand.name,
                topic="",
                confidence=_BRAND_CONFIDENCE,
                language=language,
            )
            for brand in find_brands(clause.text, language=language)
            if not brand.is_setting and brand.name.lower() not in own_names
        ]

    def _said(
        self,
        clause: Clause,
        kind: Kind,
        *,
        text: str,
        feature: str | None,
        topic: str,
        confidence: float,
        language: str,
    ) -> Statement:
        is_encoded = language == ENCODED_LANGUAGE and kind is not Kind.BRAND
        return Statement(
            passage=clause.passage,
            start=clause.start,
            end=clause.end,
            kind=kind,
            text=text,
            feature=feature,
            sentiment=statement_sentiment(kind, find_cues(words_of(clause.text))),
            confidence=round(confidence, 3),
            topic=topic,
            vector=self._compared_vector(topic, text) if is_encoded else None,
        )

    def _compared_vector(self, topic: str, words: str) -> Vector:
        return combined(self._vector(topic), self._vector(words)) if topic else self._vector(words)

    def _encoded(self, text: str) -> Vector:
        vector: Vector = self._encoder.encode([text])[0]
        vector.flags.writeable = False
        return vector


def _beyond_doubt(margins: Scores, doubt: float, by_clauses: _Held) -> _Held:
    """Add to what clauses say what their window holds by more than the doubt whether it is like reviews at all."""
    if margins[_IRRELEVANT] > -doubt:
        return by_clauses
    problem, request = (bool(margins[column] > doubt) for column in _WINDOW_COLUMN.values())
    if not (problem or request):
        return by_clauses
    return _Held(problem=problem or by_clauses.problem, request=request or by_clauses.request, least=_NEARLY_SAID)


def _places(readings: Sequence[_Reading], head: str, held: _Held) -> list[tuple[int, float]]:
    """Return where a window says what it holds: each clause that is sure of it, and the likeliest if that will do."""
    least = _LEAST_SAID if head == PROBLEM else _LEAST_ASKED
    sums = [reading.margin(head) + reading.window_margin(head) for reading in readings]
    likeliest = max(range(len(sums)), key=sums.__getitem__)
    return [
        (at, total)
        for at, (reading, total) in enumerate(zip(readings, sums, strict=True))
        if (reading.margin(head) > 0 and total > (least if reading.is_worded_as(head) else least + _CERTAIN))
        or (reading.is_plain(head) and not held.is_familiar)
        or (at == likeliest and total > held.least)
    ]


def _is_empty(reading: _Reading, kind: Kind, margin: float) -> bool:
    """Tell what hardly says anything: it names nothing, is not worded as such things are, and is not likely.

    Words of wishing alone do not tell what is wished for.
    """
    if reading.subject is not None:
        return False
    if kind is Kind.FEATURE_REQUEST:
        return margin <= _CERTAIN
    return margin <= _SURE and not is_worded(kind, reading.clause.text)


def _problem_kind(reading: _Reading) -> Kind:
    return max(PROBLEM_KINDS, key=reading.margin)


def _choose_others(readings: Sequence[_Reading], chosen: dict[tuple[int, Kind], float], *, is_familiar: bool) -> None:
    """Choose what else is said, clause by clause."""
    for at, reading in enumerate(readings):
        for kind in (Kind.TAKEAWAY, Kind.LOVED_FEATURE, Kind.FEATURE_MENTIONED):
            said = {other for place, other in chosen if place == at}
            margin = reading.margin(kind)
            is_outright = kind is Kind.LOVED_FEATURE and not (said or is_familiar) and reading.says_outright(kind)
            is_likely = margin > 0 or reading.asks_about(kind)
            if is_outright or (is_likely and _fits(kind, said, reading, margin)):
                chosen[at, kind] = margin


def _fits(kind: Kind, said: set[Kind], reading: _Reading, margin: float) -> bool:
    """Tell whether a clause that says `said` may also be of `kind`."""
    if kind is Kind.TAKEAWAY:
        return margin > (_LIKELY if is_worded(kind, reading.clause.text) else _CERTAIN)
    if reading.subject is None:
        return False
    if kind is Kind.LOVED_FEATURE:
        is_plain = reading.subject.concept not in {None, *_UPKEEP} and not reading.cues & _WANTING
        return not said & {*PROBLEM_KINDS, Kind.FEATURE_REQUEST} and margin > (_LIKELY if is_plain else _CERTAIN)
    # Whoever says something of a feature has named it.
    return not said and reading.subject.concept is not None


def _quoted(readings: Sequence[_Reading], at: int, kind: Kind) -> _Reading:
    """Return a reading to quote: "please fix this" is quoted with the clause before it that tells what."""
    reading = readings[at]
    if reading.subject or not at or kind is Kind.TAKEAWAY or len(reading.clause.text.split()) > _LONGEST_PLEA:
        return reading
    before = readings[at - 1]
    if before.subject is None or before.clause.passage != reading.clause.passage:
        return reading
    clause = Clause(
        reading.clause.passage,
        before.clause.start,
        reading.clause.end,
        f"{before.clause.text}. {reading.clause.text}"[:STATEMENT_LENGTH],
    )
    return replace(reading, clause=clause, subject=before.subject)
