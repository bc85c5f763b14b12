"""Trying the product on the sample project."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from feedback_ingest.sample.loading import load_sample
from projects.models import Project
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission


@require_POST
@project_page(Permission.MANAGE_SOURCES)
def try_sample(request: ProjectRequest) -> HttpResponse:
    """Open the person's sample project, made first where there is none."""
    samples = Project.objects.visible_to(request.user).filter(is_sample=True)
    sample = samples.first() or load_sample(request.user)
    return redirect("insight_list", slug=sample.slug)
