"""Pages around signing in, and the way to a person's first project."""

from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from projects import services
from projects.models import Project


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Go to the person's project; say what to do where there is none."""
    project = Project.objects.visible_to(request.user).order_by("is_sample", "name").first()
    if project is None:
        return render(request, "projects/no_project.html", {"page_title": "No project yet"})
    return redirect("project_home", slug=project.slug)


@login_required
def project_home(request: HttpRequest, slug: str) -> HttpResponse:
    """Open a project at its insights."""
    return redirect(f"/p/{slug}/insights/")


def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign a person in by a link: shown first, spent by its button, so that mail scanners do not spend it."""
    if request.method != "POST":
        return render(request, "projects/sign_in_link.html", {"page_title": "Sign in"})
    user = services.use_sign_in_link(token)
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return redirect("home")
