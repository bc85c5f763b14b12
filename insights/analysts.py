"""Which analyst reads a project's feedback: a configured model, else the local one."""

from dataclasses import dataclass
from functools import cache

from insights.analyst import Analyst
from insights.embedding import encoder
from insights.llm import client
from insights.llm.analyst import OpenAIAnalyst
from insights.local.analyst import LocalAnalyst
from projects.models import Project

ITEMS_A_CALL = 20
ITEMS_AT_ONCE = 50  # of the local analyst: as many as one transaction stores well


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
    if client.configured():
        return ChosenAnalyst(OpenAIAnalyst(project), ITEMS_A_CALL)
    return ChosenAnalyst(_local(), ITEMS_AT_ONCE)
