"""Where the published clients are installed: in environments of their own, exactly as their users have them."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "var" / "clients"


@dataclass(frozen=True, slots=True)
class Environment:
    """A folder with one published package in one version."""

    package: str
    version: str
    node: bool = False

    @property
    def name(self) -> str:
        """How the folder is called, and how tests name it."""
        return f"{self.package.split('/')[-1]}{'-js' if self.node else ''}-{self.version}"

    @property
    def folder(self) -> Path:
        """Where it is installed."""
        return FOLDER / self.name

    @property
    def program(self) -> Path:
        """What runs its scripts."""
        return self.folder / "bin" / "python"

    @property
    def contents(self) -> str:
        """What a finished folder says that it holds: another interpreter asks for another folder."""
        runtime = "node" if self.node else f"Python {sys.version}"
        return f"{self.package} {self.version} for {runtime}\n"

    @property
    def stamp(self) -> Path:
        """The file that is written last."""
        return self.folder / "stamp"

    @property
    def is_built(self) -> bool:
        """Tell whether all of it is there."""
        return self.stamp.is_file() and self.stamp.read_text(encoding="utf-8") == self.contents


ENVIRONMENTS: Sequence[Environment] = (
    Environment("agentsight", "0.0.44"),
    Environment("agentsight", "0.1.4"),
    Environment("workflowai", "0.6.10"),
    Environment("openai", "3.52.0"),
    Environment("@workflowai/workflowai", "1.6.8", node=True),
)


def python_of(name: str) -> Path:
    """Return the Python that has a client, named as `agentsight-0.0.44`. Skips the test where it is not built."""
    return _built(name).program


def node_folder_of(name: str) -> Path:
    """Return the folder in which node finds a client, as `workflowai-js-1.6.8`. Skips where it is not built."""
    return _built(name).folder


def _built(name: str) -> Environment:
    environment = next(each for each in ENVIRONMENTS if each.name == name)
    if environment.is_built:
        return environment
    message = f"{name} is not installed (make clients): NOT tried with this published client"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
