"""What reviewers go by, and how a project takes verdicts."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from projects.console import toast
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from review.forms import SettingsForm
from review.services.settings import GUIDELINES_CHARACTERS, change_guidelines, change_settings, settings_of
from review.views.query import frame


@require_GET
@project_page()
def review_guidelines(request: ProjectRequest) -> HttpResponse:
    """Show the guidelines: in the drawer, as a page, or in a field."""
    context = frame(request, "guidelines", "Guidelines") | {
        "settings": settings_of(request.project),
        "edit": "edit" in request.GET,
        "most": GUIDELINES_CHARACTERS,
    }
    partial = request.headers.get("HX-Request")
    return render(request, "review/_guidelines.html" if partial else "review/guidelines.html", context)


@require_http_methods(["POST"])
@project_page(Permission.MANAGE)
def review_guidelines_change(request: ProjectRequest) -> HttpResponse:
    """Replace the guidelines."""
    text = request.POST.get("guidelines", "").replace("\r\n", "\n").replace("\x00", "")
    change_guidelines(request.project, text.strip(), actor=request.user)
    toast(request, "Guidelines saved.")
    return redirect("review_guidelines", slug=request.project.slug)


@require_http_methods(["GET", "POST"])
@project_page(Permission.MANAGE)
def review_settings(request: ProjectRequest) -> HttpResponse:
    """Show and change how verdicts are taken."""
    stored = settings_of(request.project)
    form = SettingsForm(request.POST or None, instance=stored)
    if request.method == "POST" and form.is_valid():
        change_settings(request.project, actor=request.user, **form.cleaned_data)
        toast(request, "Saved.")
        return redirect("review_settings", slug=request.project.slug)
    context = frame(request, "settings", "Review settings") | {"form": form}
    return render(request, "review/settings.html", context, status=422 if form.errors else 200)
