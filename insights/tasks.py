"""Jobs of the insights app."""

from django_q.tasks import async_task

from insights import wake
from insights.models import AnalysisWake
from insights.pipeline import analyse_project
from projects.models import Project


def analyse(project_id: int) -> None:
    """Analyse a project for a while; ask again where something is left."""
    AnalysisWake.objects.filter(project=project_id).update(wanted=False)
    if analyse_project(Project.objects.get(pk=project_id)):
        async_task("insights.tasks.analyse", project_id)


def sweep() -> None:
    """Wake what nobody woke."""
    wake.sweep()
