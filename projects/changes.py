"""What other apps do when a project's settings change; the registry that they fill in `AppConfig.ready`."""

from collections.abc import Callable

from projects.models import Project

_on_time_zone: list[Callable[[Project], None]] = []


def on_time_zone_changed(react: Callable[[Project], None]) -> None:
    """Call `react(project)` within the transaction that gave a project another time zone, which moves its days."""
    _on_time_zone.append(react)


def time_zone_changed(project: Project) -> None:
    """Let every app follow a project's time zone."""
    for react in _on_time_zone:
        react(project)
