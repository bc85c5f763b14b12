"""What the apps above make of an item's words; they register in `AppConfig.ready`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feedback_ingest.models import FeedbackItem


@dataclass(frozen=True, slots=True)
class Highlight:
    """Words that stand for something: code points `start` to `end` of the item's body, or of one of its parts."""

    part: int | None
    start: int
    end: int
    kind: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Reader:
    """An app's view of items: the verified words of one, and how many subjects each of several speaks of."""

    highlights: Callable[[FeedbackItem], Sequence[Highlight]]
    tallies: Callable[[Sequence[int]], dict[int, int]]


_readers: list[Reader] = []


def register(reader: Reader) -> None:
    """Add a reader; its highlights are shown in the order of registration."""
    _readers.append(reader)


def highlights_of(item: FeedbackItem) -> list[Highlight]:
    """Return what all readers found in an item."""
    return [each for reader in _readers for each in reader.highlights(item)]


def tallies_of(ids: Sequence[int]) -> dict[int, int]:
    """Return how many subjects each item speaks of; those that speak of none may be left out."""
    totals = dict.fromkeys(ids, 0)
    for reader in _readers:
        for pk, number in reader.tallies(ids).items():
            totals[pk] += number
    return totals
