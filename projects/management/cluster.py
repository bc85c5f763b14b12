"""A django-q2 cluster that gives up when a killed process may have broken its queues, and hands its work on.

A process killed while it waits for a queue takes the queue's lock with it, and the rest of the cluster waits
for that lock for ever. So the cluster ends itself, and the worker command, which watches it, starts another.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import uuid
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from django.utils import timezone
from django_q.brokers import Broker, get_broker
from django_q.brokers.orm import ORM
from django_q.cluster import Sentinel
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signals import post_execute_in_worker, pre_execute

from projects.management import tether

BROKEN = 75  # exit code: try again
NICENESS = 10  # who waits for a page goes before what nobody waits for
AUTOGROUP = Path("/proc/self/autogroup")  # by which Linux weighs whole sessions, beside their processes


class ClusterFolder:
    """What a cluster leaves for its watchdog: when it last moved, and which tasks it has taken."""

    def __init__(self, path: Path) -> None:
        self.pulse = path / "pulse"
        self.taken = path / "taken"
        self.reset()

    def reset(self) -> None:
        """Begin the life of another cluster."""
        self.pulse.touch()
        self.taken.write_text("")

    def beat(self, **_signal: Any) -> None:
        """Note that a task has begun or ended."""
        self.pulse.touch()

    def take(self, identifiers: list[int]) -> None:
        """Note which tasks now wait in the memory of this cluster."""
        with self.taken.open("a") as file:
            file.writelines(f"{identifier}\n" for identifier in identifiers)

    def idle_for(self) -> float:
        """Return the seconds since a task last began or ended."""
        return time.time() - self.pulse.stat().st_mtime

    def hand_on(self) -> int:
        """Let others do at once what a dead cluster had taken and not finished; return how many tasks.

        Without this they would wait until their lease in the queue runs out.
        """
        taken = [int(line) for line in self.taken.read_text().split()]
        undone: int = OrmQ.objects.filter(pk__in=taken).update(lock=timezone.now())
        self.reset()
        return undone


class NotingBroker(ORM):  # type: ignore[misc]
    """The queue in the database, noting what it hands to this cluster."""

    def __init__(self, folder: ClusterFolder, list_key: str | None = None) -> None:
        super().__init__(list_key)
        self.folder = folder

    def dequeue(self) -> list[tuple[int, str]] | None:
        """Take some tasks from the queue."""
        tasks: list[tuple[int, str]] | None = super().dequeue()
        if tasks:
            self.folder.take([identifier for identifier, _ in tasks])
        return tasks


class StopFlag:
    """The part of an event that the sentinel needs, safe to set in a signal handler."""

    def __init__(self) -> None:
        self.raised = False

    def set(self, *_signal: Any) -> None:
        """Raise the flag."""
        self.raised = True

    def is_set(self) -> bool:
        """Say whether the flag is up."""
        return self.raised

    def wait(self, seconds: float) -> bool:
        """Return whether the flag is up after `seconds`."""
        time.sleep(seconds)
        return self.raised


class BrittleSentinel(Sentinel):  # type: ignore[misc]
    """A sentinel that replaces who ended or timed out, but ends everything when a queue may be broken."""

    def reincarnate(self, process: BaseProcess) -> None:
        """Replace `process`, or exit with code BROKEN where it was killed beside a queue."""
        if process.exitcode is not None and process.exitcode < 0 and self.waits_on_queue(process):
            os._exit(BROKEN)
        super().reincarnate(process)

    def waits_on_queue(self, process: BaseProcess) -> bool:
        """Say whether the process may hold a queue's lock: any but a worker in the middle of a task."""
        return process in (self.monitor, self.pusher) or process.timer.value < 0  # type: ignore[attr-defined]


def run_cluster(folder: ClusterFolder) -> None:
    """Run a cluster in this process until SIGTERM; a task that runs then is finished first."""
    for moved in (pre_execute, post_execute_in_worker):
        moved.connect(folder.beat, weak=False)
    _let_others_go_first()
    os.register_at_fork(after_in_child=_become_part_of_cluster)
    stop, started = StopFlag(), StopFlag()
    sentinel = BrittleSentinel(stop, started, uuid.uuid4(), _broker(folder), start=False)
    signal.signal(signal.SIGTERM, stop.set)
    sentinel.start()


def _broker(folder: ClusterFolder) -> Broker:
    return NotingBroker(folder) if Conf.ORM else get_broker()


def _let_others_go_first() -> None:
    os.nice(NICENESS)
    with suppress(OSError):
        AUTOGROUP.write_text(str(NICENESS))


def _become_part_of_cluster() -> None:
    """Undo in a forked process what only the sentinel does with SIGTERM, and end when the sentinel ends."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        tether.die_with_parent(os.getppid())
