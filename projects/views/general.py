"""The general settings of a project, and the end of a sample one."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from projects import services, token_use
from projects.console import toast
from projects.forms import ProjectForm
from projects.models import Project
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from projects.settings_tabs import render_settings


@require_http_methods(["GET"])
@project_page(Permission.VIEW)
def general(request: ProjectRequest) -> HttpResponse:
    """Show the settings: a form for owners, facts for the others."""
    return _page(request, ProjectForm(instance=request.project))


@require_POST
@project_page(Permission.MANAGE_MEMBERS)
def change_general(request: ProjectRequest) -> HttpResponse:
    """Store the settings."""
    # A form writes into its instance even when it is not valid: it gets one of its own.
    form = ProjectForm(request.POST, instance=Project.objects.get(pk=request.project.pk))
    if not form.is_valid():
        return _page(request, form, status=422)
    services.change_project(request.project, actor=request.user, **form.cleaned_data)
    toast(request, "Saved.")
    return redirect("settings_general", slug=request.project.slug)


@require_POST
@project_page(Permission.MANAGE_MEMBERS)
def remove_sample(request: ProjectRequest) -> HttpResponse:
    """Delete the sample project."""
    services.remove_sample_project(request.project, actor=request.user)
    toast(request, "The sample project is gone.")
    return redirect("home")


def _page(request: ProjectRequest, form: ProjectForm, *, status: int = 200) -> HttpResponse:
    context = {
        "page_title": "General settings",
        "form": form,
        "manages": Permission.MANAGE_MEMBERS in request.permissions,
        "use": token_use.today(request.project),
    }
    return render_settings(request, "projects/settings/general.html", context, status=status)
