"""What came in last from a source: the app that keeps feedback says it, the source's page shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sources.models import Source


@dataclass(frozen=True, slots=True)
class Arrival:
    """One stored item: the beginning of its words, and what became of it (`reason` where it was set aside)."""

    unique_id: str
    words: str
    created_at: datetime
    received_at: datetime
    state: str
    reason: str


_providers: list[Callable[[Source, int], list[Arrival]]] = []


def register(provider: Callable[[Source, int], list[Arrival]]) -> None:
    """Let `provider(source, limit)` name a source's newest items; called from `AppConfig.ready`."""
    _providers.append(provider)


def newest(source: Source, limit: int = 10) -> list[Arrival]:
    """Return the newest items of a source, newest first."""
    return [arrival for provider in _providers for arrival in provider(source, limit)]
