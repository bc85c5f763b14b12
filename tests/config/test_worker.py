"""The worker command: whatever is killed or hangs, waiting jobs get done."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task
from psycopg.conninfo import make_conninfo

from tests.config.processes import command, eventually, family, lives

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PARTS = 4  # of a cluster, beside its guard: two workers, then monitor and pusher
Worker = subprocess.Popen[str]


class Notebook:
    """Enqueues jobs that write to a file, and reads it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.expected: set[str] = set()

    def enqueue(self, count: int) -> None:
        for _ in range(count):
            line = f"job {len(self.expected)}"
            self.expected.add(line)
            async_task("tests.config.jobs.note", str(self.path), line)

    def lines(self) -> set[str]:
        return set(self.path.read_text().splitlines()) if self.path.exists() else set()

    def all_done(self) -> bool:
        return self.lines() == self.expected


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    return Notebook(tmp_path / "notes")


@pytest.fixture
def start_worker() -> Iterator[Callable[..., Worker]]:
    """Start the worker command on the database of this test."""
    database = make_conninfo(os.environ["DATABASE_URL"], dbname=connection.settings_dict["NAME"])
    with ExitStack() as stack:

        def start(*options: str) -> Worker:
            variables = {"DATABASE_URL": database, "SECRET_KEY": os.environ["SECRET_KEY"]}
            return stack.enter_context(command("worker", *options, **variables))

        yield start


def cluster(worker: Worker) -> tuple[psutil.Process, list[psutil.Process]]:
    """Wait for a complete cluster, and return its guard and its parts in the order they were started."""

    def parts() -> list[psutil.Process]:
        return family(worker.pid)[2:]

    assert eventually(lambda: len(parts()) == PARTS)
    return family(worker.pid)[1], sorted(parts(), key=lambda process: int(process.pid))


def test_work_goes_on_after_any_idle_part_of_the_cluster_is_killed(
    notebook: Notebook, start_worker: Callable[..., Worker]
) -> None:
    worker = start_worker()
    for part in range(PARTS):
        notebook.enqueue(2)
        assert eventually(lambda: notebook.all_done() and not OrmQ.objects.exists())

        _, parts = cluster(worker)
        parts[part].kill()
        notebook.enqueue(3)

        assert eventually(notebook.all_done), f"part {part}"


def test_work_goes_on_after_the_guard_is_killed_and_its_orphans_end(
    notebook: Notebook, start_worker: Callable[..., Worker]
) -> None:
    guard, parts = cluster(start_worker())
    guard.kill()
    notebook.enqueue(3)

    assert eventually(notebook.all_done)
    assert eventually(lambda: not any(lives(process) for process in parts))


def test_a_cluster_that_hangs_is_replaced(notebook: Notebook, start_worker: Callable[..., Worker]) -> None:
    worker = start_worker("--patience", "10")
    _, parts = cluster(worker)
    for process in parts:
        process.suspend()
    notebook.enqueue(3)

    assert eventually(notebook.all_done)


def test_stopping_puts_an_unfinished_job_back(notebook: Notebook, start_worker: Callable[..., Worker]) -> None:
    worker = start_worker("--grace", "1")
    async_task("tests.config.jobs.sleep", str(notebook.path), 60)
    assert eventually(lambda: "asleep" in notebook.lines())

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=60) == 0
    assert OrmQ.objects.get().lock <= timezone.now()
    assert "awake" not in notebook.lines()


def test_nothing_outlives_a_killed_worker_command(start_worker: Callable[..., Worker]) -> None:
    worker = start_worker()
    cluster(worker)
    everything = family(worker.pid)

    worker.kill()

    assert eventually(lambda: not any(lives(process) for process in everything))
