"""The prompts, one file a version: a changed prompt is another file, so that a stored call can be understood."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is told to do, and the version that its calls are stored under."""

    version: str
    text: str


@cache
def prompt(version: str) -> Prompt:
    """Return a prompt by its version, such as `analyse.v1`."""
    text = files(__package__).joinpath(f"{version}.txt").read_text(encoding="utf-8")
    return Prompt(version, text.strip())
