"""Who reads imports: the app above registers itself, since only it can store feedback."""

from collections.abc import Callable
from uuid import UUID

_starters: list[Callable[[UUID], None]] = []


def register(start: Callable[[UUID], None]) -> None:
    """Let `start(file_import_id)` ask for the job that reads a queued import; called from `AppConfig.ready`."""
    _starters.append(start)


def start(file_import_id: UUID) -> None:
    """Ask for the job that reads a queued import; to be called after the commit that queues it."""
    for starter in _starters:
        starter(file_import_id)
