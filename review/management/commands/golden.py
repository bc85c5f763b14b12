"""Tests a system against the golden examples: asks it the questions of the evaluation split, and grades the answers.

Exit status: 0 when every answer passes, 1 when some answer fails, 2 when something could not be asked.
"""

import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.errors import DomainError
from projects.models import Project
from review.checks import reports
from review.checks.asking import Target, checked_target
from review.models import GoldenCheckResult, GoldenCheckRun, GoldenExample
from review.services import check_runs

FAILED, NOT_ASKED = 1, 2


class Command(BaseCommand):
    """`golden run`."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        run = commands.add_parser("run", help="ask a target every question of the evaluation split")
        run.add_argument(
            "--target", required=True, metavar="URL",
            help="base address of an OpenAI-compatible API, or an agent's address that ends with /run; "
            "questions are sent to it as they are",
        )  # fmt: skip
        run.add_argument("--project", help="id or slug of the project; may be left out where there is only one")
        run.add_argument("--split", default="evaluation", choices=GoldenExample.Split.values)
        run.add_argument("--model", default="default", help="the model that a chat API is asked for")
        run.add_argument("--field", default="question", help="the name of an agent's input that holds the question")
        run.add_argument("--key", default="", help="bearer key of the target; others on this machine can read it")
        run.add_argument("--key-env", metavar="NAME", help="the environment variable that holds the key")
        run.add_argument("--seconds", type=float, default=60.0, help="how long to wait for each answer")
        run.add_argument("--at-once", type=int, default=check_runs.AT_ONCE, help="how many to ask at a time, up to 16")
        run.add_argument("--junit", type=Path, metavar="FILE", help="write a JUnit report")
        run.add_argument("--markdown", type=Path, metavar="FILE", help="write a report for a pull request")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            target = checked_target(_target(options))
            run = check_runs.begin_run(_project(options["project"]), target, split=options["split"])
        except DomainError as error:
            raise CommandError(error.message, returncode=NOT_ASKED) from error
        results = [self._told(result) for result in check_runs.ask_all(run, target, at_once=max(1, options["at_once"]))]
        results.sort(key=lambda result: (result.example.created_at, result.example.pk))
        self.stdout.write(
            f"{run.passed} of {run.questions} passed, {run.failed} failed, {run.errors} without an answer."
        )
        _write(options["junit"], reports.junit(run, results))
        _write(options["markdown"], reports.markdown(run, results).encode())
        if status := _status(run):
            sys.exit(status)

    def _told(self, result: GoldenCheckResult) -> GoldenCheckResult:
        words = f"{result.get_outcome_display():9}  {reports.name_of(result)}"
        self.stdout.write("\n           ".join([words, *reports.problems_of(result)]))
        return result


def _target(options: dict[str, Any]) -> Target:
    key = options["key"]
    if name := options["key_env"]:
        key = os.environ.get(name, "")
        if not key:
            raise CommandError(f"The environment variable {name} is empty.", returncode=NOT_ASKED)
    return Target(
        options["target"], key=key, model=options["model"], field=options["field"], seconds=options["seconds"]
    )


def _project(named: str | None) -> Project:
    if not named:
        projects = list(Project.objects.all()[:2])
        if len(projects) != 1:
            raise CommandError("Say which project by --project.", returncode=NOT_ASKED)
        named = projects[0].slug
    found = Project.objects.filter(pk=named) if named.isdecimal() else Project.objects.filter(slug=named)
    project: Project | None = found.first()
    if project is None:
        raise CommandError(f"There is no project {named}.", returncode=NOT_ASKED)
    return project


def _write(path: Path | None, content: bytes) -> None:
    if path is None:
        return
    try:
        path.write_bytes(content)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.", returncode=NOT_ASKED) from error


def _status(run: GoldenCheckRun) -> int:
    if run.failed:
        return FAILED
    return NOT_ASKED if run.errors else 0
