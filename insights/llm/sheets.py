"""What a model is given to read: redacted sentences under numbers that lead back to the exact words."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from insights.analyst import Document
from insights.local.language import detect_language
from insights.local.sentences import split_sentences
from privacy.redact import Placeholders, RedactedText, join, own_words, redact

# A longer document is read in several pieces.
LINES = 60
SHEETS_A_CALL = 20
CHARACTERS_A_CALL = 24_000
_ID_SIGNS = "abcdefghijkmnpqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sentence stands: code points `start:end` of the passage with this index."""

    passage: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A piece of a document as a model reads it; sheets with the same words are equal."""

    lines: tuple[RedactedText, ...]
    rating: float | None


@dataclass(frozen=True, slots=True)
class Cut:
    """A document in sheets, with the places of their lines."""

    sheets: tuple[Sheet, ...]
    places: tuple[tuple[Place, ...], ...]
    language: str


def cut(document: Document) -> Cut:
    """Redact a document, number its sentences and deal them out in sheets."""
    names = Placeholders()
    lines: list[RedactedText] = []
    places: list[Place] = []
    for passage in document.passages:
        redaction = redact(passage.text, known=document.known, placeholders=names)
        for sentence in split_sentences(redaction.text):
            lines.append(redaction.line(sentence.start, sentence.end))
            places.append(Place(passage.index, *redaction.original(sentence.start, sentence.end)))
    starts = range(0, len(lines), LINES)
    return Cut(
        sheets=tuple(Sheet(tuple(lines[start : start + LINES]), document.rating) for start in starts),
        places=tuple(tuple(places[start : start + LINES]) for start in starts),
        language=detect_language(" ".join(lines), expected=document.language),
    )


def batches(sheets: Sequence[Sheet]) -> Iterator[list[Sheet]]:
    """Deal sheets out to calls, each within limits of number and length; none is alone but by its own size."""
    batch: list[Sheet] = []
    length = 0
    for sheet in sheets:
        size = sum(map(len, sheet.lines))
        if batch and (len(batch) == SHEETS_A_CALL or length + size > CHARACTERS_A_CALL):
            yield batch
            batch, length = [], 0
        batch.append(sheet)
        length += size
    if batch:
        yield batch


def with_ids(sheets: Sequence[Sheet]) -> dict[str, Sheet]:
    """Give each sheet an id that nobody who wrote feedback can know."""
    named: dict[str, Sheet] = {}
    for sheet in sheets:
        while (name := "".join(secrets.choice(_ID_SIGNS) for _ in range(3))) in named:
            pass
        named[name] = sheet
    return named


def written(sheets: dict[str, Sheet]) -> RedactedText:
    """Write the sheets for the model. A line is either a heading or begins with a number of ours."""
    lines: list[RedactedText] = []
    for name, sheet in sheets.items():
        rating = "" if sheet.rating is None else f" {sheet.rating:g} stars"
        lines.append(own_words(f"<<{name}>>{rating}"))
        lines += [join(" ", [own_words(str(n)), line]) for n, line in enumerate(sheet.lines, start=1)]
    return join("\n", lines)
