"""The customer half of the sample project: about 400 pieces of feedback from six places."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from feedback_ingest.sample.files import dated, read_lines
from sources.items import RawItem

PROJECT_NAME: Final = "Vanfold (sample)"

INTERNAL_DOMAINS: Final = ("vanfold.example",)
"""E-mail domains of Vanfold's own people, whose words are never evidence."""


@dataclass(frozen=True, slots=True)
class SampleSource:
    """A place that sample feedback comes from; `key` names its data file, `kind` what it holds."""

    key: str
    name: str
    kind: str
    description: str


SOURCES: Final = (
    SampleSource(
        "support_tickets",
        "Support tickets",
        "tickets",
        "Questions and problems that customers sent to support, with the answers.",
    ),
    SampleSource(
        "app_reviews",
        "App reviews",
        "reviews",
        "Ratings of one to five stars with a comment, from two app stores.",
    ),
    SampleSource(
        "calls",
        "Customer calls",
        "calls",
        "Transcripts of sales and customer-success calls, one part for each turn.",
    ),
    SampleSource(
        "nps",
        "NPS comments",
        "nps",
        "What people wrote beside a score of 0 to 10 (`nps_score` in the metadata).",
    ),
    SampleSource(
        "community",
        "Community forum",
        "community",
        "Posts and replies by customers who talk to each other.",
    ),
    SampleSource(
        "survey",
        "Half-year survey",
        "survey",
        "Answers to: what should we change first, and what should we keep?",
    ),
)


def sample_sources() -> list[SampleSource]:
    """Return the places that the sample feedback comes from, in the order to show them."""
    return list(SOURCES)


def sample_items(source: SampleSource, now: datetime) -> list[RawItem]:
    """Return the feedback of one source, oldest first, as if the last of it had just arrived at `now`.

    Raises ValueError when `now` has no time zone.
    """
    lines = [dated(_with_account(line), now) for line in read_lines(source.key)]
    # The conversion drops what a RawItem has no field for, so the labels of the files cannot get in.
    return msgspec.convert(lines, type=list[RawItem])


def _with_account(line: dict[str, Any]) -> dict[str, Any]:
    if "account" not in line:
        return line
    return {**line, "metadata": {**line["metadata"], "account": line["account"]}}
