"""Waking the analysis: one job however many requests ask, none where one is asked for already."""

from django_q.tasks import async_task

from feedback_ingest.models import FeedbackItem
from insights.models import AnalysisWake
from projects.models import Project


def wake(project_id: int) -> None:
    """Ask for the analysis of a project, unless it is asked for."""
    if AnalysisWake.objects.filter(project=project_id, wanted=False).update(wanted=True) or _is_first(project_id):
        async_task("insights.tasks.analyse", project_id)


def _is_first(project_id: int) -> bool:
    _, created = AnalysisWake.objects.get_or_create(project_id=project_id, defaults={"wanted": True})
    return created


def sweep() -> int:
    """Ask anew for every project in which items wait: repairs what was lost between a commit and the queue."""
    waiting = FeedbackItem.objects.filter(state=FeedbackItem.State.WAITING).values("project").distinct()
    projects = Project.objects.filter(pk__in=waiting).values_list("pk", flat=True)
    for project_id in projects:
        async_task("insights.tasks.analyse", project_id)
    return len(projects)
