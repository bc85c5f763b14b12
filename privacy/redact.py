"""Takes out of a text what must not leave the building, and remembers where everything stood."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NewType

from privacy.patterns import Finding, find, find_known, joined

RedactedText = NewType("RedactedText", str)

# What a reader does not see but a model obeys: tags, zero-width signs, variation selectors, direction marks.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]+"
)


@dataclass(slots=True)
class Placeholders:
    """The names of what was taken out: one value keeps one name in all texts that share them."""

    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    used: Counter[str] = field(default_factory=Counter)

    def name(self, kind: str, value: str) -> str:
        """Return the placeholder of a value, such as `[email-1]`."""
        key = kind, value.casefold() if kind in ("email", "name") else re.sub(r"[\W_]", "", value.casefold())
        if key not in self.numbers:
            self.used[kind] += 1
            self.numbers[key] = self.used[kind]
        return f"[{kind}-{self.numbers[key]}]"


@dataclass(frozen=True, slots=True)
class Edit:
    """The stretch `start:end` of the original that stands at `place` of the redacted text as `words`."""

    start: int
    end: int
    place: int
    words: str


@dataclass(frozen=True, slots=True)
class Redaction:
    """A text as it may leave, with the way back to the places of the original."""

    text: RedactedText
    edits: tuple[Edit, ...]
    counts: Mapping[str, int]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the stretch of the original that `start:end` of the redacted text stands for.

        It covers the whole of what a placeholder replaced, if only a part of the placeholder is meant.
        """
        if end <= start:
            return (at := self._first(start)), at
        return self._first(start), self._last(end)

    def line(self, start: int, end: int) -> RedactedText:
        """Return a stretch of the redacted text as one line, which no line break in it can end."""
        return RedactedText(" ".join(self.text[start:end].split()))

    def _first(self, place: int) -> int:
        """Where the sign at `place` begins; what was dropped before it stays outside."""
        edit = self._edit(bisect_right(self.edits, place, key=_place) - 1)
        if edit is None:
            return place
        within = place - edit.place
        return edit.start if within < len(edit.words) else edit.end + within - len(edit.words)

    def _last(self, place: int) -> int:
        """Where the sign before `place` ends."""
        edit = self._edit(bisect_right(self.edits, place - 1, key=_place) - 1)
        if edit is None:
            return place
        within = place - edit.place
        return edit.end if within <= len(edit.words) else edit.end + within - len(edit.words)

    def _edit(self, number: int) -> Edit | None:
        return self.edits[number] if number >= 0 else None


def redact(text: str, *, known: Sequence[str] = (), placeholders: Placeholders | None = None) -> Redaction:
    """Replace e-mails, numbers, secrets and `known` names by placeholders, and drop what nobody sees.

    Texts redacted with the same `placeholders` name the same value alike.
    """
    names = placeholders or Placeholders()
    clean, dropped = _without_invisible(text)
    findings = joined([*find_known(clean, tuple(known)), *find(clean)])
    edits = tuple(_placed(_edits(clean, findings, dropped, names)))
    return Redaction(
        text=RedactedText(_rewritten(text, edits)),
        edits=edits,
        counts=Counter(finding.kind for finding in findings),
    )


def own_words(text: str) -> RedactedText:
    """Take words of the program itself: a literal, a number, an id that it made. Never anything from outside."""
    return RedactedText(text)


def join(separator: str, texts: Iterable[RedactedText]) -> RedactedText:
    """Put redacted texts together."""
    return RedactedText(separator.join(texts))


def _place(edit: Edit) -> int:
    return edit.place


def _without_invisible(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the text without invisible signs, and the stretches that they were."""
    dropped = [match.span() for match in _INVISIBLE.finditer(text)]
    return (_INVISIBLE.sub("", text) if dropped else text), dropped


def _edits(
    clean: str, findings: list[Finding], dropped: list[tuple[int, int]], names: Placeholders
) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, words) in the original's places: placeholders, and droppings outside of them."""
    waiting = iter([*dropped, (len(clean) + sum(end - start for start, end in dropped), -1)])
    drop = next(waiting)
    shift = 0
    for finding in findings:
        while drop[1] >= 0 and drop[0] - shift <= finding.start:
            yield *drop, ""
            shift += drop[1] - drop[0]
            drop = next(waiting)
        start = finding.start + shift
        while drop[1] >= 0 and drop[0] - shift < finding.end:
            shift += drop[1] - drop[0]
            drop = next(waiting)
        yield start, finding.end + shift, names.name(finding.kind, clean[finding.start : finding.end])
    while drop[1] >= 0:
        yield *drop, ""
        drop = next(waiting)


def _placed(edits: Iterator[tuple[int, int, str]]) -> Iterator[Edit]:
    longer = 0
    for start, end, words in edits:
        yield Edit(start, end, start + longer, words)
        longer += len(words) - (end - start)


def _rewritten(text: str, edits: tuple[Edit, ...]) -> str:
    pieces: list[str] = []
    done = 0
    for edit in edits:
        pieces += text[done : edit.start], edit.words
        done = edit.end
    return "".join([*pieces, text[done:]])
