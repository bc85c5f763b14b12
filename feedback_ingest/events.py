"""How the apps above hear of what becomes of feedback."""

from collections.abc import Callable, Sequence

_stored: list[Callable[[int], None]] = []
_set_aside: list[Callable[[int, Sequence[int]], None]] = []
_parts_removed: list[Callable[[int, Sequence[int]], None]] = []


def on_stored(listener: Callable[[int], None]) -> None:
    """Call `listener(project_id)` after a commit that leaves items waiting; registered in `AppConfig.ready`."""
    _stored.append(listener)


def on_set_aside(listener: Callable[[int, Sequence[int]], None]) -> None:
    """Call `listener(project_id, item_ids)` inside the transaction in which items are set aside or removed."""
    _set_aside.append(listener)


def on_parts_removed(listener: Callable[[int, Sequence[int]], None]) -> None:
    """Call `listener(project_id, part_ids)` inside the transaction that removes parts, while they are still there."""
    _parts_removed.append(listener)


def stored(project_id: int) -> None:
    """Tell the listeners that items of a project wait."""
    for listener in _stored:
        listener(project_id)


def set_aside(project_id: int, item_ids: Sequence[int]) -> None:
    """Tell the listeners that items no longer count."""
    for listener in _set_aside:
        listener(project_id, item_ids)


def parts_removed(project_id: int, part_ids: Sequence[int]) -> None:
    """Tell the listeners that parts are about to go."""
    for listener in _parts_removed:
        listener(project_id, part_ids)
