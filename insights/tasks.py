"""Jobs of the insights app."""

from django_q.tasks import async_task

from insights import kept_counts, rebuilding, wake
from insights.llm import retention
from insights.locking import rebuilding_alone
from insights.pipeline import analyse_project
from projects.models import Project


def analyse(project_id: int, ticket: int) -> None:
    """Analyse a project for a while, where that is still asked for; ask again where something is left."""
    if not wake.take(project_id, ticket):
        return
    project = Project.objects.get(pk=project_id)
    if analyse_project(project):
        wake.wake(project_id)
    elif rebuilding.is_due(project):
        async_task("insights.tasks.rebuild", project_id)


def rebuild(project_id: int) -> None:
    """Group a project's statements anew, where that is still due and nobody does it already."""
    project = Project.objects.get(pk=project_id)
    with rebuilding_alone(project_id) as is_mine:
        if is_mine and rebuilding.is_due(project):
            rebuilding.rebuild_insights(project)


def sweep() -> None:
    """Wake what nobody woke."""
    wake.sweep()


def rebuild_all() -> None:
    """Group anew every project that has changed since it was last grouped; nightly."""
    for project in Project.objects.all():
        if rebuilding.has_changed(project):
            rebuilding.rebuild_insights(project)


def forget_payloads() -> None:
    """Forget what was sent to models, where that has been kept long enough."""
    retention.forget_payloads()


def forget_kept_counts() -> None:
    """Remove the numbers of ranges that are no longer asked for."""
    kept_counts.forget_old()
