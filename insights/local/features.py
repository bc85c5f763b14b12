"""Turns a text into the sparse numbers that the linear model weighs: hashed words, hashed letters, and cues."""

from dataclasses import dataclass
from itertools import combinations
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from insights.local.words import cue_names, find_cues, words_of

WORD_BITS = 16
LETTER_BITS = 17
LONGEST_RUN = 5
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
# Longer texts are cut into windows before they come here; this only bounds the work on absurd words.
_MAX_CHARACTERS = 4000

_CUES = {name: index for index, name in enumerate(cue_names())}
_PAIRS = {pair: index for index, pair in enumerate(combinations(_CUES, 2))}
LETTERS_AT = 1 << WORD_BITS
CUES_AT = LETTERS_AT + (1 << LETTER_BITS)
PAIRS_AT = CUES_AT + len(_CUES)
SIZE = PAIRS_AT + len(_PAIRS)
_CUE_WEIGHT = 0.5
_PAIR_WEIGHT = 0.2


@dataclass(frozen=True, slots=True)
class Features:
    """A sparse vector: values at ascending places below `SIZE`; each block has a length of its own."""

    places: NDArray[np.int64]
    values: NDArray[np.float32]


def features_of(text: str) -> Features:
    """Return the features of one clause, sentence or window."""
    words = words_of(text[:_MAX_CHARACTERS])
    blocks = [_block(_word_hashes(words), 0), _block(_letter_hashes(words), LETTERS_AT), _cue_block(words)]
    return Features(np.concatenate([places for places, _ in blocks]), np.concatenate([values for _, values in blocks]))


def _block(hashes: NDArray[np.int64], offset: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    places, counts = _counted(hashes)
    values = (1 + np.log(counts)).astype(np.float32)
    norm = float(np.linalg.norm(values)) or 1.0
    return places + offset, values / np.float32(norm)


def _counted(hashes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct hashes in rising order and how many there are of each, sooner than np.unique."""
    ordered = np.sort(hashes)
    changes = np.ones(len(ordered) + 1, np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=changes[1:-1])
    firsts = changes.nonzero()[0]
    return ordered[firsts[:-1]], firsts[1:] - firsts[:-1]


def _word_hashes(words: tuple[str, ...]) -> NDArray[np.int64]:
    singles = np.array([crc32(word.encode()) for word in words], np.uint64)
    pairs = (singles[:-1] * _MULTIPLIER + singles[1:]) * _MULTIPLIER
    return _top_bits(np.concatenate([singles * _MULTIPLIER, pairs]), WORD_BITS)


def _letter_hashes(words: tuple[str, ...]) -> NDArray[np.int64]:
    """Hash the runs of letters that do not cross from one word into the next; a blank marks a word's edge."""
    letters = np.frombuffer(f" {' '.join(words)} ".encode("utf-32-le"), np.uint32).astype(np.uint64)
    blanks = letters == 32
    inner_blanks = np.cumsum(blanks)
    state = letters * _MULTIPLIER
    found = []
    for size in range(2, min(LONGEST_RUN, len(letters)) + 1):
        state = (state[: len(letters) - size + 1] + letters[size - 1 :]) * _MULTIPLIER
        # A run may begin or end with a blank, but hold none inside.
        inside = inner_blanks[size - 2 : len(letters) - 1] - inner_blanks[: len(letters) - size + 1]
        found.append(state[inside == 0] + np.uint64(size))
    return _top_bits(np.concatenate(found) * _MULTIPLIER, LETTER_BITS)


def _top_bits(hashes: NDArray[np.uint64], bits: int) -> NDArray[np.int64]:
    return (hashes >> np.uint64(64 - bits)).astype(np.int64)


def _cue_block(words: tuple[str, ...]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    present = sorted(find_cues(words), key=_CUES.__getitem__)
    places = [CUES_AT + _CUES[cue] for cue in present]
    places += [PAIRS_AT + _PAIRS[pair] for pair in combinations(present, 2)]
    values = [_CUE_WEIGHT] * len(present) + [_PAIR_WEIGHT] * (len(places) - len(present))
    return np.array(places, np.int64), np.array(values, np.float32)
