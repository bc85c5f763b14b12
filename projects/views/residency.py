"""The page that says where a project's data is and goes."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from projects.pages import ProjectRequest, project_page
from projects.residency import Reach, Way, places
from projects.roles import Permission
from projects.settings_tabs import render_settings


@require_GET
@project_page(Permission.VIEW)
def residency(request: ProjectRequest) -> HttpResponse:
    """Show every place with this project's data, as it is configured now."""
    found = places(request.project)
    beyond = [place for place in found if place.reach != Reach.MACHINE]
    context = {
        "page_title": "Where data goes",
        "kept": [place for place in found if place.way == Way.KEPT],
        "sent": [place for place in found if place.way == Way.SENT],
        "read": [place for place in found if place.way == Way.READ],
        "stays": not beyond,
        "sends_outside": sum(place.way != Way.READ and place.reach == Reach.OUTSIDE for place in found),
        "manages": Permission.MANAGE_MEMBERS in request.permissions,
    }
    return render_settings(request, "projects/settings/residency.html", context)
