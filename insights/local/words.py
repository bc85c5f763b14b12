"""Folds text to comparable words, and finds the cues that point to a kind among them."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache

from insights.local.denials import denials
from insights.local.tables import read_table

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
# French joins "l'application", which is two words; English "can't" is one.
_ELISION = re.compile(r"\b([cdjlmnst]|qu|jusqu|lorsqu|puisqu)'(?=\w)")
_APOSTROPHES = str.maketrans("’‘`´ʼ", "'''''")
_LETTERS = re.compile(r"[^\W_]+")
START = "^"
DENIAL = "no_problem"
PRAISE = "praise"
# A text is asked for its words by one part of the analysis after another, and then never again.
READ_TEXTS = 2048
Place = tuple[int, int, str]  # the first word, the word after the last, and a name


def fold(text: str) -> str:
    """Return `text` in lower case, without accents, with one kind of apostrophe."""
    folded = text.lower().translate(_APOSTROPHES)
    if folded.isascii():
        return folded
    decomposed = unicodedata.normalize("NFKD", folded)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


@lru_cache(maxsize=READ_TEXTS)
def words_of(text: str) -> tuple[str, ...]:
    """Return the folded words of `text`, without apostrophes."""
    return tuple(word.replace("'", "") for word in _WORD.findall(_ELISION.sub(r"\1 ", fold(text))))


def spelling(text: str, *, keep_case: bool = False) -> dict[str, str]:
    """Return how `text` writes each of its folded words, accents and all, in lower case unless it is to be kept."""
    return {fold(word): word if keep_case else word.lower() for word in _LETTERS.findall(text)}


class Lexicon:
    """Names for words and phrases: the last word of a phrase may end in `*` for any ending."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        # Phrases are kept by their first two words, so that a common first word costs one look, not fifty.
        self._phrases: dict[tuple[str, ...], list[tuple[tuple[str, ...], str]]] = {}
        self._prefixes: dict[str, list[str]] = {}
        for phrase, name in entries:
            words = tuple(phrase.split())
            if len(words) == 1 and phrase.endswith("*"):
                self._prefixes.setdefault(phrase[:-1], []).append(name)
            else:
                closed = words[:1] if len(words) == 2 and phrase.endswith("*") else words[:2]
                self._phrases.setdefault(closed, []).append((words[len(closed) :], name))
        self._openings = frozenset(opening[0] for opening in self._phrases)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})
        self._by_prefix = lru_cache(maxsize=20_000)(self._names_by_prefix)

    @classmethod
    def of_all_languages(cls, table: Mapping[str, Mapping[str, Iterable[str]]]) -> "Lexicon":
        """Return the phrases of each name together: one of one language rarely means something else in another."""
        return cls(
            (phrase, name) for name, languages in table.items() for phrases in languages.values() for phrase in phrases
        )

    def find(self, words: Sequence[str]) -> list[Place]:
        """Return every match in `words` as (first word, word after the last, name)."""
        found: list[Place] = []
        for position, word in enumerate(words):
            for name in self._by_prefix(word):
                found.append((position, position + 1, name))
            if word not in self._openings:
                continue  # as most words: they begin no phrase
            for opening in {(word,), tuple(words[position : position + 2])}:
                for rest, name in self._phrases.get(opening, ()):
                    begin = position + len(opening)
                    if not rest or _matches(rest, words[begin : begin + len(rest)]):
                        found.append((position, begin + len(rest), name))
        return sorted(found)

    def _names_by_prefix(self, word: str) -> tuple[str, ...]:
        return tuple(name for length in self._lengths for name in self._prefixes.get(word[:length], ()))


def places_of(lexicon: Lexicon, opened: Sequence[str]) -> tuple[Place, ...]:
    """Return the matches in the words of one clause, START among them, and as DENIAL what is denied there."""
    return (*lexicon.find(opened), *((first, end, DENIAL) for first, end in denials(opened)))


def undenied(places: Sequence[Place]) -> frozenset[str]:
    """Return the names in `places_of` a clause that are not denied in one breath; DENIAL where anything is."""
    denied = [(first, end) for first, end, name in places if name == DENIAL]
    return frozenset(
        name
        for first, end, name in places
        if name == DENIAL or not any(start <= first and end <= stop for start, stop in denied)
    )


def _matches(rest: tuple[str, ...], words: Sequence[str]) -> bool:
    if len(rest) != len(words):
        return False
    if rest[-1].endswith("*"):
        return tuple(words[:-1]) == rest[:-1] and words[-1].startswith(rest[-1][:-1])
    return tuple(words) == rest


@cache
def cue_lexicon() -> Lexicon:
    """Return the cues of every language."""
    return Lexicon.of_all_languages(_cues())


@cache
def cue_names() -> tuple[str, ...]:
    """Return the cues in the order of the file."""
    return tuple(_cues())


@lru_cache(maxsize=READ_TEXTS)
def cue_places(words: tuple[str, ...]) -> tuple[Place, ...]:
    """Return the cues in the words of one clause with their places, the start of the clause counted as a word."""
    return places_of(cue_lexicon(), [START, *words])


@lru_cache(maxsize=READ_TEXTS)
def find_cues(words: tuple[str, ...]) -> frozenset[str]:
    """Return the cues that `words`, the words of one clause, contain; what is denied in one breath does not count."""
    return undenied(cue_places(words))


@cache
def _cues() -> dict[str, dict[str, list[str]]]:
    return read_table("cues")
