"""`manage.py worker`: run background jobs until stopped."""

from __future__ import annotations

import tempfile
import time
from argparse import SUPPRESS, ArgumentParser
from pathlib import Path
from typing import Any

from django import db
from django.core.management.base import BaseCommand
from django_q.brokers import get_broker
from django_q.conf import Conf

from projects.management.cluster import ClusterFolder, run_cluster
from projects.management.processes import LOOK_EVERY, Child, Supervisor, manage, stop_requested

CHECK_EVERY = 5.0  # seconds between two looks at the queue


class Command(BaseCommand):
    """Keeps one cluster of job processes running and replaces it when it dies or hangs."""

    help = "Run background jobs until stopped. Start as many workers, on as many machines, as you like."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add how long to wait before acting."""
        parser.add_argument(
            "--grace", type=float, default=30, help="seconds that running jobs get to finish when stopping"
        )
        parser.add_argument(
            "--patience",
            type=float,
            default=(Conf.TIMEOUT or 270) + 30,
            help="restart the job processes when jobs wait and none has begun or ended for so many seconds",
        )
        parser.add_argument("--cluster", type=Path, help=SUPPRESS)

    def handle(self, *, grace: float, patience: float, cluster: Path | None, **_options: Any) -> None:
        """Watch over a cluster or, in the process started for that, be it."""
        if cluster is not None:
            run_cluster(ClusterFolder(cluster))
            return
        with tempfile.TemporaryDirectory() as folder, stop_requested() as stopping:
            watch = Watch(Path(folder), patience=patience, command=self)
            while not stopping():
                watch.look()
                time.sleep(LOOK_EVERY)
            watch.supervisor.stop(grace)


class Watch:
    """Sees to it that waiting jobs get done: a cluster that died, or that only sits there, is replaced."""

    def __init__(self, path: Path, *, patience: float, command: BaseCommand) -> None:
        self.folder = ClusterFolder(path)
        self.patience = patience
        self.command = command
        self.cluster = Child("job cluster", manage("worker", "--cluster", str(path)), after_death=self.hand_on)
        self.supervisor = Supervisor([self.cluster], report=self.report)
        self.next_check = 0.0

    def report(self, line: str) -> None:
        """Tell the operator."""
        self.command.stderr.write(line)

    def look(self) -> None:
        """Restart a dead cluster, kill a hanging one."""
        self.supervisor.look()
        if time.monotonic() < self.next_check:
            return
        self.next_check = time.monotonic() + CHECK_EVERY
        unmoved = min(self.cluster.age, self.folder.idle_for())
        if self.cluster.alive and unmoved > self.patience and self.jobs_wait():
            self.report(f"Jobs wait, but nothing has moved for {self.patience:.0f} s.")
            self.supervisor.bury(self.cluster)

    def jobs_wait(self) -> bool:
        """Say whether a job is due that nobody has taken; not known while the database cannot be reached."""
        try:
            return bool(get_broker().queue_size() > 0)
        except db.Error:
            db.connection.close()
            return False

    def hand_on(self) -> None:
        """Put back what a dead cluster left undone, if the database can be reached."""
        try:
            undone = self.folder.hand_on()
        except db.Error as error:
            db.connection.close()
            self.report(f"Jobs of the dead cluster wait until their lease ends: {error}")
        else:
            if undone:
                self.report(f"Put back {undone} unfinished jobs.")
