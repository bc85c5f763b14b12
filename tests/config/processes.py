"""Real processes of the product, started and looked at by tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
# What the test session itself runs on must not leak into a product that is to stand on its own.
OURS = {"DATABASE_URL", "SECRET_KEY", "EARSHOT_TEST_DB", "EARSHOT_ALLOW_LOOPBACK", "DJANGO_SETTINGS_MODULE"}


def environment(**variables: str) -> dict[str, str]:
    """Return an environment without this test session's own settings."""
    return {name: value for name, value in os.environ.items() if name not in OURS} | variables


@contextmanager
def command(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run `manage.py` with its output in a pipe; whatever is left of it at the end is killed.

    All but the keeper of its database, which then stops the database.
    """
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            for left in family(process.pid):
                if lives(left) and not is_keeper(left):
                    left.kill()


def family(pid: int) -> list[psutil.Process]:
    """Return the process and all that descend from it, as far as they live."""
    try:
        eldest = psutil.Process(pid)
        return [eldest, *eldest.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def is_keeper(process: psutil.Process) -> bool:
    """Say whether this process looks after an embedded database."""
    return any(word.endswith("embedded_postgres.py") for word in process.cmdline())


def lives(process: psutil.Process) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def eventually(condition: Callable[[], object], *, seconds: float = 60) -> bool:
    """Say whether the condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """Return the output up to the line with these words; fails when the process ends before."""
    assert process.stdout is not None
    output = ""
    line: str
    for line in process.stdout:
        output += line
        if words in line:
            return output
    raise AssertionError(f"{words!r} is not in:\n{output}")


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
