"""The way to a person's projects, making one, and how a person sees the console."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from projects import services
from projects.console import toast
from projects.forms import NewProjectForm, ProfileForm
from projects.models import Project, User


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Go to the person's project; say what to do where there is none."""
    project = Project.objects.visible_to(request.user).order_by("is_sample", "name").first()
    if project is None:
        return _creation_page(request, NewProjectForm(), "No project yet")
    return redirect("project_home", slug=project.slug)


@login_required
def project_home(request: HttpRequest, slug: str) -> HttpResponse:
    """Open a project at its insights."""
    return redirect(f"/p/{slug}/insights/")


@login_required
@require_http_methods(["GET", "POST"])
def create_project(request: HttpRequest) -> HttpResponse:
    """Make a project with the person as its owner, and open it where feedback can be connected."""
    form = NewProjectForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _creation_page(request, form, "New project", status=422 if form.errors else 200)
    project = services.open_project(form.cleaned_data["name"], actor=_person(request))
    toast(request, f"“{project.name}” is ready.")
    return redirect("project_home", slug=project.slug)


def _creation_page(request: HttpRequest, form: NewProjectForm, title: str, *, status: int = 200) -> HttpResponse:
    context = {"page_title": title, "form": form, "may_create": services.may_open_project(_person(request))}
    return render(request, "projects/new_project.html", context, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Show and change the person's name, time zone and theme."""
    person = _person(request)
    # A form writes into its instance even when it is not valid; the frame around it shows the stored person.
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=person.pk))
    if request.method == "POST" and form.is_valid():
        form.save()
        toast(request, "Saved.")
        return redirect("profile")
    context = {"page_title": "Profile", "form": form}
    return render(request, "projects/profile.html", context, status=422 if form.errors else 200)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  # login_required let nobody else in
    return request.user
