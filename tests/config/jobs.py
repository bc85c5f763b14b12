"""Jobs for tests of the workers: each leaves a line in a file."""

import time
from pathlib import Path


def note(path: str, line: str) -> None:
    """Write down that this job ran."""
    with Path(path).open("a") as file:
        file.write(f"{line}\n")


def sleep(path: str, seconds: float) -> None:
    """Say that it begins, then take its time."""
    note(path, "asleep")
    time.sleep(seconds)
    note(path, "awake")
