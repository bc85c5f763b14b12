"""Names the part of a product that a sentence is about."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise

from insights.local.brands import find_brands
from insights.local.language import function_words
from insights.local.tables import read_table
from insights.local.words import Lexicon, cue_places, spelling, words_of

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
_ARTICLES = {
    "en": "a an the my your our their this these his her",
    "fr": "le la les l un une des du mon ma mes ce cette ces notre nos",
    "es": "el la los las un una unos unas mi mis este esta estos estas",
    "it": "il lo la gli le i un uno una l mio mia",
    "pt": "o a os as um uma meu minha",
    "nl": "de het een mijn",
}
# What stands before these is a verb, whatever else it may be: "it blanks the screen".
_OBJECTS = frozenset("a an the my your our their these his me us it them him".split())
_NUMBER = re.compile(r"\d")
_CAPITAL_NOUNS = "de"
_GERMAN_ADJECTIVES = ("e", "en", "er", "es", "em")
_GERMAN_NOUNS = ("ung", "ungen", "heit", "keit", "tion", "tionen", "schaft", "plan", "karte", "liste", "modus")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a sentence is about: a concept that is known in several languages, or the words themselves."""

    label: str
    concept: str | None


@cache
def _concepts() -> dict[str, dict[str, list[str]]]:
    return read_table("concepts")


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


def concept_places(words: Sequence[str], language: str = _FALLBACK_LANGUAGE) -> list[tuple[int, int, str]]:
    """Return the concepts that folded words name, as (first word, word after the last, concept)."""
    return _lexicon(language).find(words)


@lru_cache(maxsize=4096)
def concepts_in(text: str, language: str) -> tuple[str, ...]:
    """Return the concepts that `text` names: the precise before the vague, then the longer, then the first."""
    words = words_of(text)
    found = [match for match in concept_places(words, language) if not _is_model(words, match[1])]
    ranked = sorted(found, key=lambda match: (match[2] in VAGUE, match[0] - match[1], match[0]))
    return tuple(dict.fromkeys(name for _, _, name in ranked))


def _is_model(words: Sequence[str], after: int) -> bool:
    """Tell whether what ends before `after` is a device with its number: "Note 4"."""
    return after < len(words) and bool(_NUMBER.match(words[after]))


def subject_of(text: str, *, language: str) -> Subject | None:
    """Return what a sentence is about, or None when it names nothing."""
    concepts = concepts_in(text, language)
    if concepts:
        return Subject(concept_label(concepts[0], language), concepts[0])
    phrases = phrases_in(text, language)
    if not phrases:
        return None
    return Subject(written(max(phrases, key=_weight), text, language), None)


def written(phrase: str, text: str, language: str) -> str:
    """Return a phrase of folded words as `text` spells it: German nouns keep their capitals."""
    spelled = spelling(text, keep_case=language == _CAPITAL_NOUNS)
    return " ".join(spelled.get(word, word) for word in phrase.split())


@lru_cache(maxsize=4096)
def phrases_in(text: str, language: str) -> tuple[str, ...]:
    """Return the noun phrases that may name something: none holds a word of praise or blame."""
    words = words_of(text)
    names_nothing = function_words().get(language, frozenset()) | function_words()[_FALLBACK_LANGUAGE]
    blocked = {word for word in words if word in names_nothing or len(word) < _SHORTEST_WORD}
    blocked |= {word for brand in find_brands(text, language=language) for word in words_of(brand.name)}
    if language == _FALLBACK_LANGUAGE:
        blocked |= {word for word, after in pairwise(words) if after in _OBJECTS}
    for first, end, cue in cue_places(words):
        if cue in _SENTIMENT_CUES or end - first == 1:
            blocked.update(words[max(0, first - 1) : end - 1])
    parts = _Parts.of(text, words, language)
    return tuple(" ".join(phrase) for run in _runs(words, blocked) if (phrase := parts.named(run)))


@dataclass(frozen=True, slots=True)
class _Parts:
    """Which words of a text can head a noun phrase, and which can stand before or after its head."""

    language: str
    nouns: frozenset[str]
    modifiers: frozenset[str]

    @classmethod
    def of(cls, text: str, words: Sequence[str], language: str) -> "_Parts":
        if language == _CAPITAL_NOUNS:
            capitals = frozenset(words_of(" ".join(word for word in text.split() if word[:1].isupper())))
            opening = frozenset(words[:1]) - _named_again(text)
            adjectives = frozenset(word for word in words if word.endswith(_GERMAN_ADJECTIVES))
            return cls(language, capitals - opening, adjectives - capitals)
        known = _known_nouns()
        articles = _ARTICLES.get(language, "").split()
        nouns = {word for before, word in pairwise(["", *words]) if word in known or before in articles}
        if language == _FALLBACK_LANGUAGE:
            # A word that is known, and not as a noun, is none, whatever stands before it.
            return cls(language, frozenset(nouns - _no_nouns()), _modifiers())
        if language not in function_words():
            nouns = set(words)
        return cls(language, frozenset(nouns), frozenset(words))

    def named(self, run: Sequence[str]) -> Sequence[str]:
        """Return the part of a run that names: Germanic names end in their noun, Romance ones begin with it."""
        places = [place for place, word in enumerate(run) if word in self.nouns]
        if not places:
            return []
        if self.language in _NOUN_FIRST:
            return run[places[0] : places[0] + _LONGEST_PHRASE]
        first = last = places[-1]
        while (
            first
            and last - first + 1 < _LONGEST_PHRASE
            and (run[first - 1] in self.nouns or run[first - 1] in self.modifiers)
        ):
            first -= 1
        return run[first : last + 1]


def _named_again(text: str) -> frozenset[str]:
    """Return the opening word where capitals cannot tell, as after an article, or where it ends as nouns do."""
    opening = words_of(text)[:1]
    return frozenset(word for word in opening if word.endswith(_GERMAN_NOUNS))


def _runs(words: Sequence[str], blocked: set[str]) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for word in words:
        if word in blocked or _NUMBER.search(word):
            runs.append([])
        else:
            runs[-1].append(word)
    return [run for run in runs if run]


@cache
def _known_nouns() -> frozenset[str]:
    return _weights("nouns.txt")


@cache
def _modifiers() -> frozenset[str]:
    return _weights("modifiers.txt")


@cache
def _no_nouns() -> frozenset[str]:
    return _modifiers() - _known_nouns()


def _weights(name: str) -> frozenset[str]:
    return frozenset((files(__package__) / "weights" / name).read_text("utf-8").split())


def _weight(phrase: str) -> tuple[int, int]:
    return min(len(phrase.split()), 2), len(phrase)
