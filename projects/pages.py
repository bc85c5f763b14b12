"""What console pages are built on: the project in the address, and what its visitor may do there."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase

from config.errors import DomainError
from projects.access import permissions
from projects.models import Project, User
from projects.roles import Permission

P = ParamSpec("P")


class ProjectRequest(HttpRequest):
    """A request of a signed-in person about one project."""

    user: User
    project: Project
    permissions: frozenset[Permission]
    sees_people: bool


def project_page(
    permission: Permission = Permission.VIEW,
) -> Callable[[Callable[Concatenate[ProjectRequest, P], HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Serve a page below `/p/<slug>/` to who holds `permission` in that project.

    Somebody not signed in is sent to the sign-in page; a project that is not visible is a 404, a missing
    permission a 403. The view gets `request.project` and `request.permissions`, not the slug.
    """

    def decorate(view: Callable[Concatenate[ProjectRequest, P], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @login_required
        @wraps(view)
        def page(request: Any, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            project = Project.objects.filter(slug=slug).first()
            held = permissions(request.user, project) if project else frozenset()
            if project is None or Permission.VIEW not in held:
                raise Http404("No such project.")
            if permission not in held:
                raise DomainError(
                    "Your role in this project does not allow this. Ask an owner.", code="permission_denied", status=403
                )
            # A subclass that only adds attributes: views get them typed.
            request.project, request.permissions = project, held
            request.sees_people = Permission.VIEW_PERSONAL_DATA in held
            return view(request, *args, **kwargs)

        return page

    return decorate
