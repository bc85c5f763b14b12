"""Orders texts by how much they say about a question: by its words and, where they can be compared, by meaning."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from insights.local.language import function_words
from insights.local.words import words_of

Scores = NDArray[np.float64]

# BM25 as Robertson and Zaragoza give it.
SATURATION = 1.2
LENGTH_WEIGHT = 0.75
# Below this cosine a sentence that shares no word with the question is about something else.
ALIKE = 0.4
_SUFFIXES = ("ings", "ing", "ies", "ied", "ed", "es", "s")
_LEAST_STEM = 3
_STAY_DOUBLE = "aeiouls"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, and the cosine of its vector with the question's: None where they cannot be compared."""

    text: str
    likeness: float | None


@dataclass(frozen=True, slots=True)
class Relevance:
    """How much a text says about a question, 0 to 1, and the place of the sentence that says it best."""

    score: float
    sentence: int


def stem(word: str) -> str:
    """Return the beginning that a word shares with its plural and its other forms."""
    for suffix in _SUFFIXES:
        root = word.removesuffix(suffix)
        if root != word and len(root) >= _LEAST_STEM:
            break
    else:
        root = word
    # "invoice" and "invoices", "story" and "stories".
    ending = root.rstrip("ey")
    return _single(ending if len(ending) >= _LEAST_STEM else root)


def _single(root: str) -> str:
    """Return "stop" for "stopp": English doubles a last consonant before an ending."""
    doubled = len(root) > _LEAST_STEM and root[-1] == root[-2] and root[-1] not in _STAY_DOUBLE
    return root[:-1] if doubled else root


def stems(text: str) -> list[str]:
    """Return the stems of the words of a text, in order."""
    return [stem(word) for word in words_of(text)]


def asked_for(question: str) -> list[str]:
    """Return the different stems of a question that name something, or all where none does."""
    words = dict.fromkeys(words_of(question))
    naming = [word for word in words if word not in function_words()["en"]]
    return list(dict.fromkeys(stem(word) for word in naming or words))


def relevance(question: str, texts: Sequence[Sequence[Sentence]]) -> list[Relevance | None]:
    """Return how much each text, given in its sentences, says about `question`: None where it says nothing of it.

    Both views are scaled from the least to the most of these texts and weigh the same, so that a rare word and a
    likeness in other words can each lift a text, and both together lift it most.
    """
    by_words = _word_scores(stems(question), [[stems(each.text) for each in text] for text in texts])
    by_meaning = np.array([max((each.likeness or 0.0 for each in text), default=0.0) for text in texts])
    scores = (_scaled(by_words) + _scaled(by_meaning)) / 2
    asked = set(asked_for(question))
    return [
        Relevance(float(score), _best(asked, text)) if _says_something(asked, text) else None
        for score, text in zip(scores, texts, strict=True)
    ]


def _says_something(asked: set[str], text: Sequence[Sentence]) -> bool:
    return any((each.likeness or 0.0) >= ALIKE or asked & set(stems(each.text)) for each in text)


def _best(asked: set[str], text: Sequence[Sentence]) -> int:
    """Return the place of the sentence with most of the words asked for and most alike, the first of equals."""
    held = [len(asked & set(stems(each.text))) / max(len(asked), 1) + (each.likeness or 0.0) for each in text]
    return held.index(max(held))


def _word_scores(asked: list[str], texts: Sequence[Sequence[Sequence[str]]]) -> Scores:
    """Return the BM25 score of each text, the texts themselves being all there is to compare with."""
    counts = [Counter(word for sentence in text for word in sentence) for text in texts]
    lengths = [count.total() for count in counts]
    mean = sum(lengths) / max(len(lengths), 1) or 1.0
    held_by = Counter(word for count in counts for word in count.keys() & set(asked))

    def parts(count: Counter[str], length: int) -> Iterator[float]:
        damping = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * length / mean)
        for word in asked:
            rarity = math.log(1 + (len(texts) - held_by[word] + 0.5) / (held_by[word] + 0.5))
            yield rarity * count[word] * (SATURATION + 1) / (count[word] + damping)

    return np.array([sum(parts(count, length)) for count, length in zip(counts, lengths, strict=True)])


def _scaled(scores: Scores) -> Scores:
    if not scores.size or scores.max() == scores.min():
        return np.zeros_like(scores)
    scaled: Scores = (scores - scores.min()) / (scores.max() - scores.min())
    return scaled
