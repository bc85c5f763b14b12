"""Tells the language of a text, with an expectation for texts too short to tell."""

from functools import cache

from insights.local.tables import read_table
from insights.local.words import words_of

UNDETERMINED = "und"
# The languages whose words the local analyst knows; others are left to the letters alone.
KNOWN = ("en", "fr", "de", "es", "it", "pt", "nl")
_OTHERS = (
    "sv",
    "da",
    "no",
    "fi",
    "pl",
    "cs",
    "ro",
    "hu",
    "tr",
    "el",
    "ru",
    "uk",
    "ar",
    "he",
    "hi",
    "ja",
    "ko",
    "zh",
    "th",
    "vi",
    "id",
)
_WORD_BONUS = 4.0
_EXPECTED_BONUS = 6.0
_ENGLISH_BONUS = 2.0
# More than this tells nothing more about the language and costs time.
_SAMPLE = 1000


@cache
def function_words() -> dict[str, frozenset[str]]:
    """Return the words that name nothing, by language."""
    return {language: frozenset(words.split()) for language, words in read_table("function_words").items()}


def detect_language(text: str, *, expected: str | None = None) -> str:
    """Return the ISO 639-1 code of the language of `text`, or `und` when it has no letters to tell by.

    `expected` decides when the text is too short to speak for itself.
    """
    sample = text[:_SAMPLE]
    if not any(character.isalpha() for character in sample):
        return expected or UNDETERMINED
    scores = _letter_scores(sample)
    words = words_of(sample)
    for language in KNOWN:
        scores[language] += _WORD_BONUS * sum(map(function_words()[language].__contains__, words))
    # Both bonuses are constants, which a longer text outweighs.
    scores["en"] += _ENGLISH_BONUS
    if expected in scores:
        scores[expected] += _EXPECTED_BONUS
    return max(scores, key=scores.__getitem__)


def _letter_scores(text: str) -> dict[str, float]:
    # Importing the model takes a moment, which a process that only serves pages need not spend.
    from py3langid import rank

    scores = dict(rank(text))
    floor = min(scores.values())
    return {language: float(scores.get(language, floor)) for language in (*KNOWN, *_OTHERS)}
