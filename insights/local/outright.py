"""Finds what a clause says outright: a problem, a wish or praise, in whatever kind of text it stands."""

import tomllib
from functools import cache, lru_cache
from importlib.resources import files

from insights.local.denials import denials
from insights.local.words import READ_TEXTS, START, Lexicon

ANY_NUMBER = "#"


@lru_cache(maxsize=READ_TEXTS)
def said_outright(words: tuple[str, ...]) -> frozenset[str]:
    """Return the heads whose phrases stand in `words`, the words of one clause, and are not denied there."""
    opened = [START, *(ANY_NUMBER if word.isdigit() else word for word in words)]
    denied = list(denials(opened))
    return frozenset(
        head
        for first, end, head in _lexicon().find(opened)
        if not any(start <= first and end <= stop for start, stop in denied)
    )


@cache
def _lexicon() -> Lexicon:
    table = tomllib.loads((files(__package__) / "outright.toml").read_text("utf-8"))
    return Lexicon(
        (phrase, head) for head, languages in table.items() for phrases in languages.values() for phrase in phrases
    )
