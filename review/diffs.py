"""The words in which two texts differ."""

import re
from difflib import SequenceMatcher
from typing import NamedTuple

# Longer texts are compared by lines: comparing words takes time that grows with the square of their number.
MOST_WORDS = 2_000


class Piece(NamedTuple):
    """A stretch of text: "same", "added" or "removed"."""

    change: str
    text: str


def word_diff(before: str, after: str) -> list[Piece]:
    """Return the pieces of both texts in reading order, what is removed before what replaces it."""
    old, new = _tokens(before), _tokens(after)
    if max(len(old), len(new)) > MOST_WORDS:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    pieces: list[Piece] = []
    for tag, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(old[start:end])))
            continue
        pieces.append(Piece("removed", "".join(old[start:end])))
        pieces.append(Piece("added", "".join(new[new_start:new_end])))
    return [piece for piece in pieces if piece.text]


def _tokens(text: str) -> list[str]:
    return re.findall(r"\w+|\s+|[^\w\s]", text)
