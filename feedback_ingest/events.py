"""How the apps above hear of stored feedback."""

from collections.abc import Callable

_listeners: list[Callable[[int], None]] = []


def on_stored(listener: Callable[[int], None]) -> None:
    """Call `listener(project_id)` after a commit that leaves items waiting; registered in `AppConfig.ready`."""
    _listeners.append(listener)


def stored(project_id: int) -> None:
    """Tell the listeners that items of a project wait."""
    for listener in _listeners:
        listener(project_id)
