"""Who reads imports and takes examples: the apps above register themselves, since only they can store them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from projects.models import Project, User
from projects.roles import Permission
from sources.exports import Example

Outcome = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class ExampleReceiver:
    """Where the examples of an upload go.

    `take` stores them, in an open transaction, and returns what became of each; it raises DomainError for who
    lacks `permission`. `address` is the page that lists them.
    """

    permission: Permission
    take: Callable[[Project, User, Sequence[Example]], list[Outcome]]
    address: Callable[[Project], str]


_starters: list[Callable[[UUID], None]] = []
_receivers: list[ExampleReceiver] = []


def register(start: Callable[[UUID], None]) -> None:
    """Let `start(file_import_id)` ask for the job that reads a queued import; called from `AppConfig.ready`."""
    _starters.append(start)


def start(file_import_id: UUID) -> None:
    """Ask for the job that reads a queued import; to be called after the commit that queues it."""
    for starter in _starters:
        starter(file_import_id)


def register_receiver(receiver: ExampleReceiver) -> None:
    """Let an app above take the examples of uploads; called from `AppConfig.ready`."""
    _receivers.append(receiver)


def receiver() -> ExampleReceiver | None:
    """Return who takes examples, if there is somebody."""
    return _receivers[-1] if _receivers else None
