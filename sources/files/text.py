"""Feedback from pasted text: how to cut it into items, and the items."""

import re
from collections.abc import Iterator
from enum import StrEnum
from itertools import islice

from sources.files.identity import ContentIds, clean_text
from sources.files.limits import DEFAULT_LIMITS, FileRefused, Limits, too_large, too_many_rows
from sources.files.results import RowResult
from sources.files.transcripts import Transcript, parse_transcript, transcript_item
from sources.items import RawItem

BULLET = re.compile(r"(?:[-*•‣◦▪–—]|\d{1,4}[.)])\s+")
SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？", ")", '"', "”")


class Split(StrEnum):
    """How a text becomes items."""

    TRANSCRIPT = "transcript"
    BLANK_LINES = "blank_lines"
    LINES = "lines"
    WHOLE = "whole"


def guess_split(text: str) -> Split:
    """Choose the way that a person would most likely choose; the text itself settles it."""
    text = _prepare(text)
    return Split.TRANSCRIPT if parse_transcript(text) is not None else _guess_prose(text)


def _guess_prose(text: str) -> Split:
    lines = [line.strip() for line in text.splitlines()]
    filled = [line for line in lines if line]
    if len(_paragraphs(lines)) > 1:
        return Split.BLANK_LINES
    # Sentences or list points to a line are separate; lines cut anywhere are one wrapped paragraph.
    whole = sum(bool(BULLET.match(line)) or line.endswith(SENTENCE_ENDS) for line in filled)
    return Split.LINES if len(filled) > 1 and whole >= 0.6 * len(filled) else Split.WHOLE


def text_items(text: str, *, split: Split | None = None, limits: Limits = DEFAULT_LIMITS) -> Iterator[RowResult]:
    """Yield the items of a text, cut as `split` says or as `guess_split` finds best.

    A text that is no conversation is kept whole when it is to be read as one. Raises FileRefused at once
    for an empty text and one beyond the limits.
    """
    if len(text) > limits.file_bytes or len(text.encode("utf-8", "replace")) > limits.file_bytes:
        raise too_large(limits.file_bytes)
    text = _prepare(text)
    if not text:
        raise FileRefused("There is no text.", "empty")
    transcript = parse_transcript(text) if split in (None, Split.TRANSCRIPT) else None
    if transcript is not None:
        return iter([transcript_row(transcript, ContentIds(), limits)])
    bodies = _bodies(text, split or _guess_prose(text))
    if len(bodies) > limits.rows:
        raise too_many_rows(limits.rows)
    ids = ContentIds()
    return (body_row(number, body, ids, limits) for number, body in enumerate(bodies, start=1))


def preview_text(
    text: str, *, split: Split | None = None, limit: int = 20, limits: Limits = DEFAULT_LIMITS
) -> list[RowResult]:
    """Return what `text_items` would yield first. Raises FileRefused."""
    return list(islice(text_items(text, split=split, limits=limits), limit))


def body_row(number: int, body: str, ids: ContentIds, limits: Limits) -> RowResult:
    """Make one item of one piece of text."""
    if len(body) > limits.body_characters:
        return RowResult(number, None, (f"The text is longer than {limits.body_characters:,} characters.",))
    return RowResult(number, RawItem(unique_id=ids.next_id((body,)), body=body))


def transcript_row(transcript: Transcript, ids: ContentIds, limits: Limits) -> RowResult:
    """Make one item of a conversation."""
    if any(len(turn.text) > limits.body_characters for turn in transcript.turns):
        return RowResult(1, None, (f"A turn is longer than {limits.body_characters:,} characters.",))
    return RowResult(1, transcript_item(transcript, ids))


def _prepare(text: str) -> str:
    return clean_text(text).replace("\r\n", "\n").replace("\r", "\n").strip()


def _bodies(text: str, split: Split) -> list[str]:
    if split is Split.LINES:
        lines = (line.strip() for line in text.splitlines())
        return [without_bullet(line) for line in lines if line]
    if split is Split.BLANK_LINES:
        return _paragraphs(text.splitlines())
    return [text]


def without_bullet(line: str) -> str:
    """Drop the mark of a list point."""
    match = BULLET.match(line)
    return line[match.end() :] if match else line


def _paragraphs(lines: list[str]) -> list[str]:
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            paragraphs[-1].append(line.rstrip())
        elif paragraphs[-1]:
            paragraphs.append([])
    return ["\n".join(paragraph).strip() for paragraph in paragraphs if paragraph]
