"""The list of sources."""

from django.http import HttpResponse
from django.shortcuts import render

from projects.models import Project
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from sources.querysets import UNDO_PERIOD
from sources.views.accounting import figures
from sources.views.lookups import may_manage, sources_of


@project_page(Permission.VIEW)
def source_list(request: ProjectRequest) -> HttpResponse:
    """Show every source with its accounting, and below it what can still be restored."""
    sources = sources_of(request).listed()
    deleted = sources_of(request).recently_deleted().order_by("-deleted_at")
    context = {
        "page_title": "Sources",
        "sources": sources.order_by("name", "created_at"),
        "figures": figures(request.project, sources.accounting()),
        "deleted": [(source, source.deleted_at + UNDO_PERIOD) for source in deleted if source.deleted_at],
        "manages": may_manage(request),
        "sample": _sample(request),
    }
    return render(request, "sources/list.html", context)


def _sample(request: ProjectRequest) -> Project | None:
    """A sample project to try first, unless this is one."""
    if request.project.is_sample:
        return None
    sample: Project | None = Project.objects.visible_to(request.user).filter(is_sample=True).first()
    return sample
