"""Names the part of a product that a sentence is about."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from insights.local.language import function_words
from insights.local.words import START, Lexicon, cue_lexicon, words_of

_FALLBACK_LANGUAGE = "en"
# Concepts that often stand beside the one that matters: named only when nothing else is.
VAGUE = frozenset(
    "update speed loading account install connection editing settings interface multi_device friends buying"
    " tablet watch groups selection storage language ease_of_use".split(" ")
)
_SENTIMENT_CUES = frozenset({"praise", "disgust", "wish", "ask", "lack", "verdict", "smalltalk", "inability"})
_LONGEST_PHRASE = 3
_SHORTEST_WORD = 3
_NUMBER = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a sentence is about: a concept that is known in several languages, or the words themselves."""

    label: str
    concept: str | None


@cache
def _concepts() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((files(__package__) / "concepts.toml").read_text("utf-8"))


@cache
def _lexicon(language: str) -> Lexicon:
    languages = dict.fromkeys((language, _FALLBACK_LANGUAGE))
    return Lexicon(
        (phrase, concept)
        for concept, names in _concepts().items()
        for known in languages
        for phrase in names.get(known, ())[1:]
    )


def concept_label(concept: str, language: str) -> str:
    """Return the name of a concept for titles, in English where the language has none."""
    names = _concepts()[concept]
    return names.get(language, names[_FALLBACK_LANGUAGE])[0]


@lru_cache(maxsize=4096)
def concepts_in(text: str, language: str) -> tuple[str, ...]:
    """Return the concepts that `text` names: the precise before the vague, then the longer, then the first."""
    found = _lexicon(language).find(words_of(text))
    ranked = sorted(found, key=lambda match: (match[2] in VAGUE, match[0] - match[1], match[0]))
    return tuple(dict.fromkeys(name for _, _, name in ranked))


def subject_of(text: str, *, language: str) -> Subject | None:
    """Return what a sentence is about, or None when it names nothing."""
    concepts = concepts_in(text, language)
    if concepts:
        return Subject(concept_label(concepts[0], language), concepts[0])
    phrases = phrases_in(text, language)
    return Subject(max(phrases, key=_weight), None) if phrases else None


def phrases_in(text: str, language: str) -> list[str]:
    """Return the runs of words that may name something: no function words, no words of praise or blame."""
    words = words_of(text)
    names_nothing = function_words().get(language, frozenset()) | function_words()[_FALLBACK_LANGUAGE]
    blocked = {word for word in words if word in names_nothing or len(word) < _SHORTEST_WORD}
    for first, end, cue in cue_lexicon().find([START, *words]):
        if cue in _SENTIMENT_CUES or end - first == 1:
            blocked.update(words[max(0, first - 1) : end - 1])
    return [" ".join(run) for run in _runs(words, blocked)]


def _runs(words: Sequence[str], blocked: set[str]) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for word in words:
        if word in blocked or _NUMBER.search(word):
            runs.append([])
        else:
            runs[-1].append(word)
    return [run[:_LONGEST_PHRASE] for run in runs if run]


def _weight(phrase: str) -> tuple[int, int]:
    return min(len(phrase.split()), 2), len(phrase)
