"""Supervision of child processes: start them, restart them when they die, stop them all in time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from projects.management import tether

LOOK_EVERY = 0.2  # seconds
LONGEST_PAUSE = 10.0  # seconds between two restarts
STEADY_AFTER = 5.0  # seconds a process lives before its earlier failures are forgotten

Report = Callable[[str], None]


@dataclass
class Child:
    """A command that is kept running, in a process group of its own that never outlives us."""

    name: str
    command: list[str]
    after_death: Callable[[], None] = lambda: None
    failures: int = 0
    started_at: float = 0.0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start the command; Ctrl-C in the terminal does not reach it."""
        leash = [sys.executable, "-P", tether.__file__, str(os.getpid())]
        self.process = subprocess.Popen([*leash, *self.command], start_new_session=True)  # noqa: S603
        self.started_at = time.monotonic()

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def age(self) -> float:
        """Seconds since the last start."""
        return time.monotonic() - self.started_at

    @property
    def pause(self) -> float:
        """Seconds to wait before the next start: none after one failure, then twice as long after each."""
        return 0.0 if self.failures <= 1 else min(2.0 ** (self.failures - 2), LONGEST_PAUSE)

    def terminate(self) -> None:
        """Ask the command to end."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """End the command and whatever it left in its group, at once."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None
        self.after_death()


class Supervisor:
    """Keeps children running until it is told to stop; give it one look at a time from a loop."""

    def __init__(self, children: list[Child], *, report: Report) -> None:
        self.children = children
        self.report = report
        self.due: dict[str, float] = {}

    def look(self) -> None:
        """Restart who died, the first time soon, after repeated failures with growing pauses."""
        for child in self.children:
            if child.alive:
                continue
            if child.process is not None:
                self.bury(child)
            if time.monotonic() >= self.due.get(child.name, 0.0):
                child.start()

    def bury(self, child: Child) -> None:
        """Clean up after a child that died or that must, and schedule its next start."""
        code = child.process.poll() if child.process is not None else None
        child.kill()
        child.failures = 1 if child.age > STEADY_AFTER else child.failures + 1
        self.due[child.name] = time.monotonic() + child.pause
        cause = "was killed" if code is None or code < 0 else f"ended with code {code}"
        self.report(f"The {child.name} {cause}; starting it again in {child.pause:.0f} s.")

    def stop(self, grace: float) -> None:
        """Ask all children to end, and kill who has not within `grace` seconds."""
        for child in self.children:
            child.terminate()
        deadline = time.monotonic() + grace
        while any(child.alive for child in self.children) and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY / 4)
        for child in self.children:
            child.kill()


@contextmanager
def stop_requested() -> Iterator[Callable[[], bool]]:
    """Turn SIGINT and SIGTERM into a question to ask; the second such signal acts as usual."""
    received = False
    before = {kind: signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)}

    def note(_kind: int, _frame: FrameType | None) -> None:
        nonlocal received
        received = True
        restore()

    def restore() -> None:
        for kind, handler in before.items():
            signal.signal(kind, handler)

    for kind in before:
        signal.signal(kind, note)
    try:
        yield lambda: received
    finally:
        restore()


def manage(*arguments: str) -> list[str]:
    """Return the command line of a management command of this product."""
    return [sys.executable, str(Path(__file__).parents[2] / "manage.py"), *arguments]
