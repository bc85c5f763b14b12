"""What other apps add to a project at its birth."""

from collections.abc import Callable

from projects.models import Project

_additions: list[Callable[[Project], dict[str, str]]] = []


def register_addition(addition: Callable[[Project], dict[str, str]]) -> None:
    """Call `addition(project)` for each project that is made by command; it returns ids worth printing."""
    _additions.append(addition)


def on_project_created(project: Project) -> dict[str, str]:
    """Let every app add its part; return what they made."""
    made: dict[str, str] = {}
    for addition in _additions:
        made |= addition(project)
    return made
