"""Waking the analysis: one job however many requests ask, none where one is asked for already."""

from django.db import connection
from django_q.tasks import async_task

from feedback_ingest.models import FeedbackItem
from projects.models import Project

# One statement, for it is part of every request that brings feedback; it writes, and waits for the disk, only where
# nobody has asked.
ASK = """
INSERT INTO insights_analysiswake AS wake (project_id, wanted, revision, mentions_at_rebuild)
SELECT %(project)s, true, 0, 0
WHERE NOT EXISTS (SELECT FROM insights_analysiswake WHERE project_id = %(project)s AND wanted)
ON CONFLICT (project_id) DO UPDATE SET wanted = true WHERE NOT wake.wanted
"""


def wake(project_id: int) -> None:
    """Ask for the analysis of a project, unless it is asked for."""
    with connection.cursor() as cursor:
        cursor.execute(ASK, {"project": project_id})
        is_first = cursor.rowcount == 1
    if is_first:
        async_task("insights.tasks.analyse", project_id)


def sweep() -> int:
    """Ask anew for every project in which items wait: repairs what was lost between a commit and the queue."""
    waiting = FeedbackItem.objects.filter(state=FeedbackItem.State.WAITING).values("project").distinct()
    projects = Project.objects.filter(pk__in=waiting).values_list("pk", flat=True)
    for project_id in projects:
        async_task("insights.tasks.analyse", project_id)
    return len(projects)
