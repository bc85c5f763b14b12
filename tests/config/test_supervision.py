"""Supervision of child processes, with the smallest children there are."""

from __future__ import annotations

from pathlib import Path

import psutil  # type: ignore[import-untyped]

from projects.management.processes import Child, Supervisor
from tests.config.processes import eventually, lives


def test_pauses_grow_with_repeated_failures_up_to_ten_seconds() -> None:
    assert [Child("x", [], failures=count).pause for count in range(8)] == [0, 0, 1, 2, 4, 8, 10, 10]


def test_a_child_that_dies_is_cleaned_up_after_and_started_again() -> None:
    reports: list[str] = []
    deaths: list[int] = []
    child = Child("sleeper", ["sleep", "60"], after_death=lambda: deaths.append(1))
    supervisor = Supervisor([child], report=reports.append)
    supervisor.look()
    assert child.process is not None
    first = psutil.Process(child.process.pid)

    first.kill()

    def restarted() -> bool:
        supervisor.look()
        return child.process is not None and child.process.pid != first.pid

    try:
        assert eventually(restarted)
        assert deaths == [1]
        assert reports == ["The sleeper was killed; starting it again in 0 s."]
    finally:
        supervisor.stop(grace=5)
    assert not child.alive


def test_stopping_kills_what_ignores_the_request_and_all_it_started(tmp_path: Path) -> None:
    started = tmp_path / "pid"
    script = f"trap '' TERM; sleep 60 & echo $! > {started}.draft; mv {started}.draft {started}; wait; wait"
    child = Child("stubborn", ["sh", "-c", script])
    supervisor = Supervisor([child], report=print)
    supervisor.look()
    assert eventually(started.exists)
    grandchild = psutil.Process(int(started.read_text()))

    supervisor.stop(grace=0.3)

    assert not child.alive
    assert eventually(lambda: not lives(grandchild))
