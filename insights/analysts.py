"""Which analyst reads a project's feedback: a configured model, else the local one."""

from dataclasses import dataclass
from functools import cache

from insights.analyst import Analyst
from insights.embedding import encoder
from insights.local.analyst import LocalAnalyst
from projects.models import Project


@dataclass(frozen=True, slots=True)
class ChosenAnalyst:
    """An analyst and how many items it is given at once."""

    analyst: Analyst
    batch_size: int


@cache
def _local() -> LocalAnalyst:
    return LocalAnalyst(encoder())


def analyst_for(project: Project) -> ChosenAnalyst:
    """Return the analyst of a project."""
    return ChosenAnalyst(_local(), batch_size=50)
