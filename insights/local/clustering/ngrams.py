"""Vectors for what the sentence encoder does not know: other languages by their letters, and names."""

import unicodedata
import zlib
from collections import Counter
from collections.abc import Sequence
from math import log1p

import numpy as np

from insights.local.clustering.neighbours import Floats, unit

DIMENSIONS = 1024
LENGTHS = (3, 4)
NAME_DIMENSIONS = 256


def char_ngram_vectors(texts: Sequence[str]) -> Floats:
    """Return a vector of length one a text, float32 (n, 1024), from hashed runs of letters within words.

    Depends on the text alone, not on others. Case and accents do not count. A text without a letter or
    digit has the vector of zeros.
    """
    vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
    for vector, text in zip(vectors, texts, strict=True):
        for gram, count in _grams(text).items():
            digest = zlib.crc32(gram.encode())
            vector[digest % DIMENSIONS] += (1 if digest >> 31 else -1) * log1p(count)
    return unit(vectors)


def _grams(text: str) -> Counter[str]:
    """Count the runs in each word with its borders; scripts without spaces are one long word."""
    found: Counter[str] = Counter()
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(letter if letter.isalnum() else " " for letter in plain if not unicodedata.combining(letter))
    for word in kept.split():
        bordered = f" {word} "
        for length in LENGTHS:
            found.update(bordered[at : at + length] for at in range(max(1, len(bordered) - length + 1)))
    return found


def name_vector(name: str) -> Floats:
    """Return a vector of length one, float32 (256,), that is the same for the same name and nearly square to others."""
    chance = np.random.default_rng(zlib.crc32(name.encode()))
    return unit(chance.standard_normal(NAME_DIMENSIONS))
