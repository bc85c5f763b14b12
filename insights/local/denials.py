"""Finds the troubles that an English text denies: "never had a single problem", "without any lag"."""

from collections.abc import Iterator, Sequence

_NEGATIONS = frozenset(
    """
    no not never without zero hardly rarely nor nothing
    havent hasnt hadnt didnt dont doesnt isnt wasnt arent werent couldnt
    """.split()
)
_FIRM = frozenset("no never without zero havent hasnt hadnt".split())
# What may stand between a negation and the trouble that it denies.
_BETWEEN = frozenset(
    """
    a an the any one single more ever yet been be being get gets getting got give gives gave given giving had have
    having has seen experienced encountered noticed find found come across longer too very really that even once real
    major big serious little slightest least usual technical annoying random or with of for me us it had in
    """.split()
)
_FARTHEST = 6
_TROUBLES = frozenset(
    """
    problem problems issue issues trouble troubles bug bugs glitch glitches glitchy hiccup hiccups complaint complaints
    complain crash crashes crashed crashing freeze freezes freezing froze lag lags laggy lagging error errors delay
    delays buffering stutter stutters stall stalls stalled hassle hassles fuss failure failures fail fails failed
    negative wrong bad expensive slow hard difficult complicated confusing lost lose loses losing drain drains
    disappointed disappoint disappoints regret regrets
    """.split()
)
# "Never any buffering issues" denies both.
_CROSSED = _BETWEEN | _TROUBLES


def denials(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield where folded words deny a trouble, as (the negation, the word after the trouble)."""
    for place, word in enumerate(words):
        if word in _TROUBLES:
            start = _negation(words, place - 1, _NEGATIONS)
            if start is None:
                # "No sync issues", but not "will not sync, errors".
                start = _negation(words, place - 2, _FIRM)
            if start is not None:
                yield start, place + 1


def _negation(words: Sequence[str], start: int, negations: frozenset[str]) -> int | None:
    """Return the place of the negation that reaches as far as `start`, if one does."""
    for place in range(start, max(-1, start - _FARTHEST), -1):
        if words[place] in negations:
            return place
        if words[place] not in _CROSSED:
            return None
    return None
