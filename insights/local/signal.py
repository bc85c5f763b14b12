"""Tells texts that say nothing usable: empty ones, and letters that are no words."""

import re
from functools import cache, lru_cache
from importlib.resources import files

from insights.analyst import SetAside
from insights.local.words import fold

_LETTERS = re.compile(r"[^\W\d_]+")
_KEYBOARD_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop", "qsdfghjklm")
_RUN_OF_KEYS = 4
# A share of unseen letter triples above this is no language that the triples were counted in.
_UNSEEN_SHARE = 0.5
ALPHABET = 27
# Enough to tell, however long the text.
_SAMPLE = 240
_WORDS_KEPT = 20_000


@lru_cache(maxsize=256)
def no_signal(text: str) -> SetAside | None:
    """Return why `text` cannot hold a statement, or None when it may."""
    sample = text[:_SAMPLE]
    if not any(character.isalnum() for character in sample):
        return SetAside.LOW_SIGNAL if sample.strip() else SetAside.EMPTY
    if not any(character.isalpha() for character in sample):
        return SetAside.LOW_SIGNAL
    return SetAside.GIBBERISH if _is_gibberish(sample) else None


def latin_words(text: str) -> list[str]:
    """Return the words of `text` that are written in Latin letters, in lower case and without accents."""
    return [word for word in _LETTERS.findall(fold(text)) if word.isascii()]


def letter_triples(word: str) -> list[int]:
    """Return the places of a Latin word's letter triples, its edges counted as letters."""
    codes = [0, *(ord(letter) - ord("a") + 1 for letter in word), 0]
    return [(a * ALPHABET + b) * ALPHABET + c for a, b, c in zip(codes, codes[1:], codes[2:], strict=False)]


def _is_gibberish(text: str) -> bool:
    latin = latin_words(text)
    letters = sum(map(len, latin))
    # Other scripts have no triples here, and two letters tell nothing.
    if letters < 3 or letters * 2 < sum(character.isalpha() for character in text):
        return False
    mashed = sum(len(word) for word in latin if _is_mashed(word))
    if mashed * 2 >= letters:
        return True
    if not text.isascii() and any(ord(character) > 127 and character.isalpha() for character in text):
        # Nobody mashes accented letters; the triples of many languages that use them were never counted.
        return False
    # A word has as many triples as letters, its edges counted.
    return sum(map(_unseen_triples, latin)) > _UNSEEN_SHARE * letters


@lru_cache(maxsize=_WORDS_KEPT)
def _unseen_triples(word: str) -> int:
    return sum(not _seen(place) for place in letter_triples(word))


@lru_cache(maxsize=_WORDS_KEPT)
def _is_mashed(word: str) -> bool:
    """Tell neighbouring keys and one key held down."""
    runs = [word[at : at + _RUN_OF_KEYS] for at in range(len(word) - _RUN_OF_KEYS + 1)]
    return any(len(set(run)) == 1 or any(run in row for row in _KEYBOARD_ROWS) for run in runs)


def _seen(place: int) -> bool:
    return bool(_seen_triples()[place >> 3] & (1 << (place & 7)))


@cache
def _seen_triples() -> bytes:
    """Return one bit a letter triple: whether the training texts have it."""
    return (files(__package__) / "weights" / "triples.bin").read_bytes()
