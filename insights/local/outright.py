"""Finds what a clause says outright: a problem, a wish or praise, in whatever kind of text it stands."""

from functools import cache, lru_cache

from insights.local.tables import read_table
from insights.local.words import READ_TEXTS, START, Lexicon, places_of, undenied

ANY_NUMBER = "#"


@lru_cache(maxsize=READ_TEXTS)
def said_outright(words: tuple[str, ...]) -> frozenset[str]:
    """Return the heads whose phrases stand in `words`, the words of one clause, and are not denied there."""
    opened = [START, *(ANY_NUMBER if word.isdigit() else word for word in words)]
    return undenied(places_of(_lexicon(), opened))


@cache
def _lexicon() -> Lexicon:
    return Lexicon.of_all_languages(read_table("outright"))
