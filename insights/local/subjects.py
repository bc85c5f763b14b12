"""Names the part of a product that a sentence is about."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise

from insights.local.brands import find_brands
from insights.local.language import function_words
from insights.local.words import START, Lexicon, cue_lexicon, spelling, words_of

_FALLBACK_LANGUAGE = "en"
# Concepts that often stand beside the one that matters: named only when nothing else is.
VAGUE = frozenset(
    "update speed loading account install connection editing settings interface multi_device friends buying"
    " tablet watch groups selection storage language ease_of_use".split(" ")
)
_SENTIMENT_CUES = frozenset({"praise", "disgust", "wish", "ask", "lack", "verdict", "smalltalk", "inability"})
_LONGEST_PHRASE = 3
_SHORTEST_WORD = 3
_NOUN_FIRST = frozenset({"fr", "es", "it", "pt"})
_ARTICLES = frozenset(
    "a an the my your our their le la les l un une des du mon ma mes el los las una unos mi mis il lo gli i o os"
    " as um uma meu minha de het een mijn".split(" ")
)
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
    if not phrases:
        return None
    written = spelling(text)
    return Subject(" ".join(written.get(word, word) for word in max(phrases, key=_weight).split()), None)


def phrases_in(text: str, language: str) -> list[str]:
    """Return the runs of words that may name something: they hold a noun, and no word of praise or blame."""
    words = words_of(text)
    names_nothing = function_words().get(language, frozenset()) | function_words()[_FALLBACK_LANGUAGE]
    blocked = {word for word in words if word in names_nothing or len(word) < _SHORTEST_WORD}
    blocked |= {word for brand in find_brands(text, language=language) for word in words_of(brand.name)}
    for first, end, cue in cue_lexicon().find([START, *words]):
        if cue in _SENTIMENT_CUES or end - first == 1:
            blocked.update(words[max(0, first - 1) : end - 1])
    nouns = {word for before, word in pairwise(["", *words]) if _is_noun(word, before, text, language)}
    return [" ".join(phrase) for run in _runs(words, blocked) if (phrase := _named(run, nouns, language))]


def _is_noun(word: str, before: str, text: str, language: str) -> bool:
    if language == "de":
        return word.capitalize() in text or word.upper() in text
    return word in _nouns() or before in _ARTICLES or language not in function_words()


def _runs(words: Sequence[str], blocked: set[str]) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for word in words:
        if word in blocked or _NUMBER.search(word):
            runs.append([])
        else:
            runs[-1].append(word)
    return [run for run in runs if run]


def _named(run: list[str], nouns: set[str], language: str) -> list[str]:
    """Return the part of a run that names: Germanic names end in their noun, Romance ones begin with it."""
    places = [place for place, word in enumerate(run) if word in nouns]
    if not places:
        return []
    if language in _NOUN_FIRST:
        return run[places[0] : places[0] + _LONGEST_PHRASE]
    return run[max(0, places[-1] + 1 - _LONGEST_PHRASE) : places[-1] + 1]


@cache
def _nouns() -> frozenset[str]:
    return frozenset((files(__package__) / "weights" / "nouns.txt").read_text("utf-8").split())


def _weight(phrase: str) -> tuple[int, int]:
    return min(len(phrase.split()), 2), len(phrase)
