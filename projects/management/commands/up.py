"""`manage.py up`: the whole product on this machine in one foreground command."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections

from projects.management.processes import LOOK_EVERY, Child, Supervisor, manage, stop_requested

MIGRATION_LOCK = 0x656172  # any number; held so that two machines do not migrate at once
START_PATIENCE = 120.0  # seconds until the web server must answer
GRACE = 5.0  # seconds that requests and jobs get to finish


class Command(BaseCommand):
    """Prepares the database, then runs web server and job workers until Ctrl-C."""

    help = "Start everything on this machine: database, web server, background jobs. Ctrl-C stops it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add where to listen and what to load."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
        parser.add_argument("--port", type=port_number, default=8000)
        parser.add_argument("--no-sample", action="store_true", help="do not load the sample project")

    def handle(self, *, host: str, port: int, no_sample: bool, **_options: Any) -> None:
        """Prepare, start, then watch until told to stop."""
        refuse_taken_port(host, port)
        address = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"  # noqa: S104
        os.environ.setdefault("EARSHOT_URL", address)
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
        self.prepare_database()
        sign_in = None if no_sample else self.load_sample()
        connections.close_all()
        supervisor = Supervisor([web_server(host, port), job_workers()], report=self.say)
        with stop_requested() as stopping:
            try:
                self.start(supervisor, address, stopping)
                if not stopping():
                    self.welcome(address, sign_in)
                while not stopping():
                    supervisor.look()
                    time.sleep(LOOK_EVERY)
            finally:
                self.say("Stopping ...")
                supervisor.stop(GRACE)
        self.say("Stopped.")

    def say(self, line: str) -> None:
        """Print one line now, also where the output is a pipe."""
        self.stdout.write(line)
        self.stdout.flush()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Say what is being done and how long it took."""
        self.say(f"{what} ...")
        started = time.monotonic()
        yield
        self.say(f"{what}: done in {time.monotonic() - started:.1f} s")

    def prepare_database(self) -> None:
        """Bring tables, cache and schedules up to date; safe while other machines do the same."""
        with self.step("Preparing the database"), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
            try:
                call_command("migrate", interactive=False, verbosity=0)
                call_command("create_schedules", stdout=StringIO())
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])

    def load_sample(self) -> dict[str, str] | None:
        """Load the sample project on the first start, and return how to sign in to it."""
        answer = StringIO()
        with self.step("Looking after the sample project"):
            call_command("load_sample", first_start=True, stdout=answer, stderr=self.stdout)
        return json.loads(answer.getvalue()) if answer.getvalue() else None

    def start(self, supervisor: Supervisor, address: str, stopping: Callable[[], bool]) -> None:
        """Start the children and wait until the web server answers.

        Raises CommandError when it does not within START_PATIENCE.
        """
        deadline = time.monotonic() + START_PATIENCE
        with self.step("Starting web server and workers"):
            while not stopping():
                supervisor.look()
                if answers(f"{address}/healthz"):
                    return
                if time.monotonic() > deadline:
                    raise CommandError("The web server does not answer; its messages above say why.")
                time.sleep(LOOK_EVERY)

    def welcome(self, address: str, sign_in: dict[str, str] | None) -> None:
        """Print where the product is and how to get in."""
        lines = ["", f"Earshot is running at {address}"]
        if sign_in:
            one_time = urlsplit(sign_in["link"])._replace(scheme="", netloc="").geturl()
            lines += [f"Sign in as  {sign_in['email']}", f"Password    {sign_in['password']}"]
            lines += [f"Or open     {address}{one_time} (works once)"]
        self.say("\n".join([*lines, "Ctrl-C stops it.", ""]))


def port_number(text: str) -> int:
    """Return a port that can be named in an address. Raises ArgumentTypeError."""
    if text.isascii() and text.isdecimal() and 0 < int(text) < 65_536:
        return int(text)
    raise ArgumentTypeError(f"{text} is not a port: choose one from 1 to 65535")


def refuse_taken_port(host: str, port: int) -> None:
    """Raise CommandError when something else listens on the port already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            advice = f"Choose another port: make run PORT={port + 1}"
            raise CommandError(f"Cannot listen on {host}:{port} ({error.strerror}). {advice}") from error


def web_server(host: str, port: int) -> Child:
    """Return the web server, not yet started."""
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    settings = ["--config", "python:config.gunicorn_settings", "--log-level", "warning", "--bind", bind]
    return Child("web server", [sys.executable, "-m", "gunicorn", *settings])


def job_workers() -> Child:
    """Return the workers of background jobs, not yet started."""
    return Child("job workers", manage("worker", "--grace", str(GRACE - 1)))


def answers(url: str) -> bool:
    """Say whether `url` answers with a success."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
