"""Conversations written down as text: who said what, turn by turn."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from msgspec import UNSET

from sources.files.identity import ContentIds
from sources.items import RawItem, RawPart

# Who speaks stands at the start of a line; nothing beyond this is looked at.
HEAD_CHARACTERS = 100
PREAMBLE_LINES = 8
LONGEST_TITLE = 200

CLOCK = r"[\[(]?(?P<clock>\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?)[\])]?"
NAME = r"(?P<name>[^\W\d_][^:：\[\]()<>|{}\n\t]{0,39}(?:\([^()\d:：]{1,30}\)\s?)?)"
# A time stands apart from a name, or its first digit would be taken for part of the name.
APART = r"(?:(?<=\s)|(?=[\[(]))"
TURNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{CLOCK}\s?[-–]?\s?{NAME}[:：](?!\d)",
        rf"{NAME}{APART}{CLOCK}\s?[:：](?!\d)",
        rf"{NAME}[:：](?!//|\d\d)",
        rf"{NAME}{APART}{CLOCK}$",
        rf"{CLOCK}\s?[-–]?\s?{NAME}$",
    )
)

# Labels of forms and letters, which look like speakers and are none.
LABEL_WORDS = """
    note notes pro pros con cons subject re from to cc date time when where email e-mail mail phone name
    rating score title id url link comment comments feedback review summary example edit update ps p.s.
    version device os question answer category type status priority company steps expected actual result
    results http https vorteile nachteile betreff datum von an titel bewertung kommentar hinweis
    avantages inconvénients objet titre remarque ventajas desventajas asunto fecha nota título
"""
LABELS = frozenset(LABEL_WORDS.split())


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker said at a time; `clock` is the time as written, or empty."""

    speaker: str
    text: str
    clock: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation and what stood above its first turn."""

    title: str
    turns: tuple[Turn, ...]


def parse_transcript(text: str) -> Transcript | None:
    """Read `Name: text` turns, with or without times, or return None when the text is no conversation.

    A conversation has two or more speakers who take turns: at least one of them speaks again.
    """
    lines = text.splitlines()
    heads = [_head(line) for line in lines]
    spoken = [head for head in heads if head]
    if not _is_conversation(spoken):
        return None
    first = next(index for index, head in enumerate(heads) if head)
    preamble = [line.strip() for line in lines[:first] if line.strip()]
    if len(preamble) > PREAMBLE_LINES:
        return None
    turns = tuple(turn for turn in _turns(lines[first:], heads[first:]) if turn.text)
    return Transcript(" · ".join(preamble)[:LONGEST_TITLE], turns) if turns else None


def transcript_item(transcript: Transcript, ids: ContentIds) -> RawItem:
    """Make one item without a body, every turn a part by its speaker."""
    fields = (field for turn in transcript.turns for field in (turn.speaker, turn.text))
    unique_id = ids.next_id(fields)
    parts = [
        RawPart(
            unique_id=f"{unique_id}/{number}",
            body=turn.text,
            author=turn.speaker,
            metadata={"clock": turn.clock} if turn.clock else UNSET,
        )
        for number, turn in enumerate(transcript.turns, start=1)
    ]
    metadata = {"title": transcript.title} if transcript.title else UNSET
    return RawItem(unique_id=unique_id, conversation_parts=parts, metadata=metadata)


@dataclass(frozen=True, slots=True)
class _Head:
    speaker: str
    clock: str
    text: str


def _head(line: str) -> _Head | None:
    line = line.strip().lstrip("*#>-• ")
    start = line[:HEAD_CHARACTERS]
    if ":" not in start and "：" not in start:
        return None
    for pattern in TURNS:
        match = pattern.match(start)
        if match is None:
            continue
        speaker = match["name"].strip(" *_-–\u00a0")
        if _is_name(speaker):
            clock = match.groupdict().get("clock") or ""
            return _Head(speaker, clock, line[match.end() :].strip("* \t"))
    return None


def _is_name(text: str) -> bool:
    words = text.split()
    if not words or text.lower() in LABELS or text[-1] in ".!?;":
        return False
    if len(words) <= 2:
        return True
    return len(words) <= 5 and sum(not word[0].islower() for word in words) >= 2


def _is_conversation(heads: list[_Head]) -> bool:
    speakers = Counter(head.speaker for head in heads)
    timed = sum(bool(head.clock) for head in heads) * 2 > len(heads)
    if len(speakers) < 2 or len(heads) < (2 if timed else 3):
        return False
    if timed:
        return True
    again = sum(count > 1 for count in speakers.values())
    return again > 0 and len(heads) >= 1.5 * len(speakers)


def _turns(lines: list[str], heads: list[_Head | None]) -> Iterator[Turn]:
    current: _Head | None = None
    said: list[str] = []
    for line, head in zip(lines, heads, strict=True):
        if head is None:
            said.append(line.strip())
            continue
        if current is not None:
            yield Turn(current.speaker, "\n".join(said).strip(), current.clock)
        current, said = head, [head.text]
    if current is not None:
        yield Turn(current.speaker, "\n".join(said).strip(), current.clock)
