"""What other apps do, and lose, when a source is deleted."""

from collections.abc import Callable
from dataclasses import dataclass

from sources.models import Source


@dataclass(frozen=True, slots=True)
class Effect:
    """What an app does with a source's data, and how it says beforehand what that will remove.

    `preview` returns numbers by what they count, such as `{"items": 1204}`.
    """

    preview: Callable[[Source], dict[str, int]]
    hide: Callable[[Source], None]
    restore: Callable[[Source], None]
    purge: Callable[[Source], None]


_effects: list[Effect] = []


def register(effect: Effect) -> None:
    """Take part in the deletion of sources; called from `AppConfig.ready`."""
    _effects.append(effect)


def preview(source: Source) -> dict[str, int]:
    """Return what deleting the source would remove, in numbers."""
    numbers: dict[str, int] = {}
    for effect in _effects:
        numbers |= effect.preview(source)
    return numbers


def hidden(source: Source) -> None:
    """Hide everything that came from the source."""
    for effect in _effects:
        effect.hide(source)


def restored(source: Source) -> None:
    """Show everything that came from the source again."""
    for effect in _effects:
        effect.restore(source)


def purged(source: Source) -> None:
    """Remove everything that came from the source, the upper apps' part first."""
    for effect in reversed(_effects):
        effect.purge(source)
