"""Waking the analysis: one job however many requests ask, none where one is asked for already."""

from django.db import connection
from django_q.tasks import async_task

from feedback_ingest.models import FeedbackItem
from insights.models import AnalysisWake
from projects.models import Project

# One statement, for it is part of every request that brings feedback; it writes, and waits for the disk, only where
# nobody has asked.
ASK = """
INSERT INTO insights_analysiswake AS wake (project_id, wanted, ticket, revision, mentions_at_rebuild)
SELECT %(project)s, true, 1, 0, 0
WHERE NOT EXISTS (SELECT FROM insights_analysiswake WHERE project_id = %(project)s AND wanted)
ON CONFLICT (project_id) DO UPDATE SET wanted = true, ticket = wake.ticket + 1 WHERE NOT wake.wanted
RETURNING ticket
"""


def wake(project_id: int) -> None:
    """Ask for the analysis of a project, unless it is asked for."""
    with connection.cursor() as cursor:
        cursor.execute(ASK, {"project": project_id})
        asked = cursor.fetchone()
    if asked:
        async_task("insights.tasks.analyse", project_id, asked[0])


def take(project_id: int, ticket: int) -> bool:
    """Take a wish for the analysis; tell whether it is still open. Of several jobs for one wish, one goes on."""
    wish = AnalysisWake.objects.filter(project=project_id, ticket=ticket, wanted=True)
    return bool(wish.update(wanted=False))


def sweep() -> int:
    """Ask anew for every project in which items wait: repairs what was lost between a commit and the queue.

    Where a wish is open its job may only be late, so that the new one shares its ticket.
    """
    waiting = FeedbackItem.objects.filter(state=FeedbackItem.State.WAITING).values("project").distinct()
    wishes = AnalysisWake.objects.filter(project__in=waiting)
    open_wishes = dict(wishes.filter(wanted=True).values_list("project", "ticket"))
    projects = Project.objects.filter(pk__in=waiting).values_list("pk", flat=True)
    for project_id in projects:
        if project_id in open_wishes:
            async_task("insights.tasks.analyse", project_id, open_wishes[project_id])
        else:
            wake(project_id)
    return len(projects)
