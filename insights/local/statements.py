"""Cuts passages into windows and clauses, and words a clause as a statement."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from insights.analyst import Passage
from insights.local.sentences import Sentence, split_clauses, split_sentences

# About as long as the reviews that the model learned from: what is said in one is judged together.
WINDOW_LENGTH = 900
STATEMENT_LENGTH = 200
# A feedback item is at most some pages; this bounds what one absurd item can cost.
MAX_SENTENCES = 400

_LEADING = re.compile(
    r"^(?:(?:but|and|also|so|or|however|although|though|yet|unfortunately|plus|then|well|mais|et|cependant|malheureusement"
    r"|aber|und|leider|allerdings|pero|y|sin embargo|ma|però|e|mas|maar|en|helaas)\b[\s,]+|[\s,;:.!?'\"()\-–—…]+)+",
    re.IGNORECASE,
)
_TRAILING = " \t\n.,;:!?…-–—\"'("


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of a passage that can stand as evidence, and the same in one clean line."""

    passage: int
    start: int
    end: int
    text: str
    is_question: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """Neighbouring sentences of one passage that are judged together."""

    text: str
    clauses: tuple[Clause, ...]


def windows_of(passage: Passage) -> Iterator[Window]:
    """Yield the windows of a passage, in order."""
    waiting: list[Sentence] = []
    for sentence in split_sentences(passage.text)[:MAX_SENTENCES]:
        if waiting and sentence.end - waiting[0].start > WINDOW_LENGTH:
            yield _window(passage, waiting)
            waiting = []
        waiting.append(sentence)
    if waiting:
        yield _window(passage, waiting)


def _window(passage: Passage, sentences: list[Sentence]) -> Window:
    clauses = [_clause(passage, part) for sentence in sentences for part in split_clauses(passage.text, sentence)]
    text = clauses[0].text if len(clauses) == 1 else passage.text[sentences[0].start : sentences[-1].end]
    return Window(text, tuple(clauses))


def _clause(passage: Passage, part: Sentence) -> Clause:
    words = passage.text[part.start : part.end]
    return Clause(passage.index, part.start, part.end, worded(words), is_question=words.endswith("?"))


def worded(clause: str) -> str:
    """Return a clause as one line, without the words that only link it to the one before."""
    line = " ".join(clause.split())
    core = _LEADING.sub("", line).rstrip(_TRAILING) or line
    if len(core) <= STATEMENT_LENGTH:
        return core
    return core[:STATEMENT_LENGTH].rsplit(" ", 1)[0]
