"""What a statement is about in a few words, by which it is gathered with others beside its own wording."""

import numpy as np
from numpy.typing import NDArray

from insights.analyst import Kind
from insights.local.predicates import DEFAULT, predicates_of
from insights.local.subjects import Subject
from insights.local.words import words_of

# Statements on one thing belong together however they are worded; what is said of it then parts them.
TOPIC_WEIGHT = 1.5
_NAMED = (Kind.BRAND, Kind.FEATURE_MENTIONED)

Vector = NDArray[np.float32]


def topic_of(kind: Kind, text: str, subject: Subject | None, *, language: str) -> str:
    """Return the topic of a clause of `kind`: its subject, or what is said where that says more."""
    label = subject.label if subject else ""
    if kind in _NAMED:
        return label
    words = words_of(text)
    said = [each for each in predicates_of(kind) if each.name != DEFAULT and each.is_said(words)]
    for predicate in said:
        if kind is Kind.TAKEAWAY or not subject or subject.concept in predicate.absorbs:
            alone = predicate.worded_alone(language)
            if alone:
                return alone
    return label or predicates_of(kind)[-1].worded_alone(language)


def is_worded(kind: Kind, text: str) -> bool:
    """Tell whether a text says something of `kind` in words that titles know."""
    words = words_of(text)
    return any(predicate.is_said(words) for predicate in predicates_of(kind) if predicate.name != DEFAULT)


def combined(topic: Vector, words: Vector) -> Vector:
    """Return the vector of length one of a statement with this topic and these words."""
    total = np.float32(TOPIC_WEIGHT) * topic + words
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), np.float32)
