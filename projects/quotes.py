"""Cutting a customer's text into the words that are lit and those around them."""

from collections.abc import Iterable
from typing import Any


def lit_segments(body: str, spans: Iterable[Any]) -> list[tuple[str, bool]]:
    """Split `body` into (text, is lit) pieces that join to exactly `body`; overlapping spans become one."""
    pieces: list[tuple[str, bool]] = []
    position = 0
    for start, end in _merged(spans, len(body)):
        pieces.append((body[position:start], False))
        pieces.append((body[start:end], True))
        position = end
    pieces.append((body[position:], False))
    return [piece for piece in pieces if piece[0]]


def excerpt(body: str, start: int, end: int, around: int) -> tuple[str, str, str]:
    """Return what stands before, the exact words, and what follows; cuts are at a space, if there is one."""
    before, after = body[:start], body[end:]
    if len(before) > around:
        near = before[len(before) - around :]
        before = "… " + (near.partition(" ")[2] or near)
    if len(after) > around:
        near = after[:around]
        after = (near.rpartition(" ")[0] or near) + " …"
    return before, body[start:end], after


def _merged(spans: Iterable[Any], length: int) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(_bounds(span) for span in spans):
        start, end = max(0, start), min(end, length)
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _bounds(span: Any) -> tuple[int, int]:
    if isinstance(span, tuple):
        return span[0], span[1]
    return span.start, span.end
