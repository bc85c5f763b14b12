"""Checks that the words which a user selected stand in the answer, where the user's client says."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from config.errors import DomainError
from review.rendering import texts_in

MOST_SPANS = 20


@dataclass(frozen=True, slots=True)
class Span:
    """Words that a user selected: code points `start` to `end` of the answer, which read `text`."""

    start: int
    end: int
    text: str
    reason: str = ""


def verified_spans(answer: str, spans: Sequence[Span]) -> list[Span]:
    """Return the spans in the order of the answer, each place once.

    Raises DomainError where the answer does not read so at one of them, and for more than `MOST_SPANS`.
    """
    if len(spans) > MOST_SPANS:
        raise DomainError(f"At most {MOST_SPANS} places can be marked.", code="too_many_spans")
    if not all(_stands_in(answer, span) for span in spans):
        raise DomainError("The selected words are not in the answer.", code="span_mismatch")
    places = {(span.start, span.end): span for span in spans}
    return [places[place] for place in sorted(places)]


def verified_in_output(answer: str, output: Any, spans: Sequence[Span]) -> list[Span]:
    """Return the spans as they stand in `answer`, also when they were counted in one of the output's own texts.

    A page that gets `{"reply": "Two hours."}` shows its user the reply, not the JSON that is stored as the
    answer. Raises DomainError as `verified_spans`.
    """
    for text in texts_in(output) if spans and isinstance(output, dict | list) else ():
        for ascii_only in (False, True):
            at = answer.find(json.dumps(text, ensure_ascii=ascii_only))
            if at >= 0 and all(_stands_in(text, span) for span in spans):
                moved = [_moved(span, text, answer, at + 1, ascii_only=ascii_only) for span in spans]
                return verified_spans(answer, moved)
    return verified_spans(answer, spans)


def _stands_in(text: str, span: Span) -> bool:
    return 0 <= span.start < span.end <= len(text) and text[span.start : span.end] == span.text


def _moved(span: Span, text: str, answer: str, at: int, *, ascii_only: bool) -> Span:
    """Return the place in the answer of a span of `text`, which stands at `at`, escaped as JSON has it."""
    start, end = (
        at + len(json.dumps(text[:place], ensure_ascii=ascii_only)) - len('""') for place in (span.start, span.end)
    )
    return Span(start, end, answer[start:end], span.reason)
