"""Where received items are now, as the pages show it: figures that sum, each with the way to its items."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from projects.models import Project
from sources.health import progress_of
from sources.models import Source, SourceCount
from sources.querysets import Accounting

PARTS: Final = (("used", "Used"), ("set_aside", "Set aside"), ("waiting", "Waiting"))
ATTEMPTS: Final = (
    ("received", "stored for the first time"),
    ("updated", "changed what was stored"),
    ("unchanged", "repeated what was stored"),
    ("rejected", "could not be taken"),
    ("suppressed", "refused, because their author was deleted"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of an accounting, with its word and the address of what it counts."""

    word: str
    count: int
    url: str = ""


def figures(project: Project, counts: Accounting | SourceCount, source: Source | None = None) -> Sequence[Figure]:
    """Return received, then the parts that sum to it."""
    parts = [
        Figure(word, getattr(counts, name), _address(project, source, name if getattr(counts, name) else None))
        for name, word in PARTS
    ]
    received = Figure("Received", counts.received, _address(project, source, "" if counts.received else None))
    return [received, *parts]


def steps(project: Project, source: Source) -> Sequence[Figure]:
    """Return how far the items of a source are on the way to insights: received, then the parts that sum to it."""
    return [
        Figure(step.label, step.count, _address(project, source, step.state if step.count else None))
        for step in progress_of(source)
    ]


def attempts(counts: SourceCount) -> Sequence[Figure]:
    """Return how often items were sent, and how that ended, without what never happened."""
    return [Figure(word, getattr(counts, name)) for name, word in ATTEMPTS if getattr(counts, name)]


def _address(project: Project, source: Source | None, state: str | None) -> str:
    """The address of the feedback list, narrowed to a source and a state; none (None) where nothing is in it."""
    if state is None:
        return ""
    chosen = {"source": source.pk if source else "", "state": state}
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"/p/{project.slug}/feedback/{'?' if query else ''}{query}"
