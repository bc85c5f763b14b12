"""Analyse what waits, in the foreground."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feedback_ingest.models import FeedbackItem
from insights import rebuilding
from insights.pipeline import analyse_project
from projects.models import Project


class Command(BaseCommand):
    """Drain the analysis backlog, with a progress line."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", type=int, help="id of the project; all of them when left out")
        parser.add_argument("--wait", action="store_true", help="wait for items that other workers hold")

    def handle(self, *args: Any, **options: Any) -> None:
        projects = Project.objects.all()
        if options["project"]:
            projects = projects.filter(pk=options["project"])
            if not projects:
                raise CommandError(f"No project has the id {options['project']}.")
        for project in projects:
            self._drain(project, wait=options["wait"])

    def _drain(self, project: Project, *, wait: bool) -> None:
        waiting = FeedbackItem.objects.filter(project=project, state=FeedbackItem.State.WAITING)
        total, done = waiting.count(), 0

        def progress(ended: int) -> None:
            nonlocal done
            done += ended
            self.stderr.write(f"\r{project.slug}: {done} of {max(total, done)} read", ending="")

        analyse_project(project, seconds=None, progress=progress)
        if total:
            self.stderr.write("")
        if wait:
            self._wait(project)
        if rebuilding.is_due(project):
            rebuilding.rebuild_insights(project)

    def _wait(self, project: Project) -> None:
        waiting = FeedbackItem.objects.filter(project=project, state=FeedbackItem.State.WAITING)
        while waiting.exists():
            time.sleep(0.5)
            analyse_project(project, seconds=None)
