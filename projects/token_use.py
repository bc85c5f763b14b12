"""What a project spends on models today, as the app that keeps the ledger of model calls says it."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from projects.models import Project


class TokenUse(Protocol):
    """Tokens that a project may use today and has used; `resets_at` is its next midnight."""

    @property
    def limit(self) -> int: ...
    @property
    def spent(self) -> int: ...
    @property
    def left(self) -> int: ...
    @property
    def resets_at(self) -> datetime: ...


_ledgers: list[Callable[[Project], TokenUse]] = []


def register(ledger: Callable[[Project], TokenUse]) -> None:
    """Ask `ledger(project)` for today's use; called from `AppConfig.ready`."""
    _ledgers.append(ledger)


def today(project: Project) -> TokenUse | None:
    """Return today's use, or None where nothing keeps a ledger."""
    return next((ledger(project) for ledger in _ledgers), None)
