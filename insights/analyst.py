"""What an analyst is: the values that go in, the statements that come out, and the protocol between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Kind(StrEnum):
    """The eight kinds of insight; the order is the one in which ties are decided."""

    BUG = "bug"
    FEATURE_REQUEST = "feature_request"
    COMPLAINT = "complaint"
    PAIN_POINT = "pain_point"
    LOVED_FEATURE = "loved_feature"
    TAKEAWAY = "takeaway"
    BRAND = "brand"
    FEATURE_MENTIONED = "feature_mentioned"


# A customer's bug is another's complaint: what is wrong is one thing, however it is put.
FAMILIES = {
    Kind.BUG: "problem",
    Kind.COMPLAINT: "problem",
    Kind.PAIN_POINT: "problem",
    Kind.FEATURE_REQUEST: "request",
    Kind.LOVED_FEATURE: "praise",
    Kind.BRAND: "brand",
    Kind.FEATURE_MENTIONED: "feature",
    Kind.TAKEAWAY: "takeaway",
}


class SetAside(StrEnum):
    """Why a document gives no statement."""

    EMPTY = "empty"
    GIBBERISH = "gibberish"
    LOW_SIGNAL = "low_signal"


@dataclass(frozen=True, slots=True)
class Passage:
    """One customer text: the body of an item or one part of its conversation."""

    text: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """All customer passages of one feedback item, with what is known beside the text.

    `language` is the language expected (ISO 639-1) when the text is too short to tell; `rating` is in stars;
    `known` are names and ids of the people who speak, which no text that leaves may contain; `own_names` are
    those of the product that the feedback is on.
    """

    passages: tuple[Passage, ...]
    language: str | None = None
    rating: float | None = None
    source_kind: str = ""
    known: tuple[str, ...] = ()
    own_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing a customer said: `passage` is a `Passage.index`, `start:end` code points of its text.

    `text` is the short normalised wording, from which insights are named. `topic` is what the statement is
    about in a few words, where the analyst can tell; `vector` is the embedding of topic and text, float32 and of
    unit length, when the analyst has computed it.
    """

    passage: int
    start: int
    end: int
    kind: Kind
    text: str
    feature: str | None
    sentiment: int
    confidence: float
    topic: str = ""
    vector: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, order=True)
class Compared:
    """What a statement is compared with others by: its topic, which may be empty, and its words."""

    topic: str
    words: str


def compared(statement: Statement) -> Compared:
    """Return what a statement is compared by: a brand by its name alone, whatever is said of it."""
    if statement.kind is Kind.BRAND:
        return Compared("", (statement.feature or statement.text).lower())
    return Compared(statement.topic or statement.feature or "", statement.text)


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one document says; `set_aside` holds the reason when it says nothing usable."""

    language: str
    set_aside: SetAside | None
    sentiment: int
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a document has no analysis, in words for people.

    `blameless` says that another document would have fared no better: the attempt does not count against it,
    and is worth repeating after `retry_after` seconds.
    """

    reason: str
    message: str
    blameless: bool
    retry_after: float | None = None


class PartlyRead(Exception):
    """Some documents could not be read; `results` holds what became of each, in their order."""

    def __init__(self, results: Sequence[Analysis | Unread]) -> None:
        super().__init__("some documents could not be read")
        self.results = list(results)


class Analyst(Protocol):
    """Reads documents and returns one analysis for each, in their order. Raises PartlyRead where it cannot."""

    def analyse(self, documents: Sequence[Document]) -> list[Analysis]: ...


class TextEncoder(Protocol):
    """Embeds texts: one unit vector (float32) a text, in their order."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...
