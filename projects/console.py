"""What every console page shares: the rail, the project switcher, a person's preferences, and toasts."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, get_urlconf, resolve
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from projects.models import Project, User
from projects.time_zones import time_zones

UNDO_TAG: Final = "undo="


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the console; it is in the rail as soon as its address exists."""

    label: str
    icon: str
    folder: str
    key: str


@dataclass(frozen=True, slots=True)
class Link:
    """A section as the rail shows it."""

    label: str
    icon: str
    url: str
    key: str
    active: bool


@dataclass(frozen=True, slots=True)
class SwitcherEntry:
    name: str
    slug: str
    url: str


@dataclass(frozen=True, slots=True)
class ThemeChoice:
    value: User.Theme
    label: str
    icon: str


SECTIONS: Final = (
    Section("Insights", "audio-lines", "insights", "g i"),
    Section("Feedback", "inbox", "feedback", "g f"),
    Section("Review", "clipboard-check", "review", "g r"),
    Section("Golden", "gem", "golden", "g o"),
    Section("Ask", "message-circle-question-mark", "ask", "g a"),
    Section("People", "users", "people", "g p"),
    Section("Sources", "plug", "sources", "g s"),
    Section("Settings", "settings", "settings", "g t"),
)
THEMES: Final = (
    ThemeChoice(User.Theme.SYSTEM, "System", "monitor"),
    ThemeChoice(User.Theme.LIGHT, "Light", "sun"),
    ThemeChoice(User.Theme.DARK, "Dark", "moon"),
)


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Give templates the rail, the project switcher and the chosen theme."""
    slug = project_slug(request.path)
    projects = SimpleLazyObject(lambda: _switcher_entries(request))
    return {
        "navigation": rail(slug, request.path) if slug else [],
        "projects": projects,
        "project": SimpleLazyObject(lambda: next((each for each in projects if each.slug == slug), None)),
        "theme": chosen_theme(request),
        "theme_choices": THEMES,
        "timezone_name": timezone.get_current_timezone_name(),
    }


def project_slug(path: str) -> str:
    """Return the project named by a console address, or nothing."""
    parts = path.split("/")
    return parts[2] if len(parts) > 3 and parts[1] == "p" else ""


def rail(slug: str, path: str) -> list[Link]:
    """Return the sections that exist, the one that `path` lies in marked as active."""
    links = []
    for section in SECTIONS:
        url = f"/p/{slug}/{section.folder}/"
        if _exists(section.folder, get_urlconf()):
            links.append(Link(section.label, section.icon, url, section.key, path.startswith(url)))
    return links


@lru_cache(maxsize=64)
def _exists(folder: str, urlconf: str | None) -> bool:
    try:
        resolve(f"/p/project/{folder}/", urlconf)
    except Resolver404:
        return False
    return True


def _switcher_entries(request: HttpRequest) -> list[SwitcherEntry]:
    if not request.user.is_authenticated:
        return []
    visible = Project.objects.visible_to(request.user).order_by("name").values_list("name", "slug")
    return [SwitcherEntry(name, slug, f"/p/{slug}/") for name, slug in visible]


def chosen_theme(request: HttpRequest) -> str:
    """Return the name of the theme that the person chose, or nothing to follow their system."""
    # A request that is refused before anybody is looked up, such as one for a foreign host, has no user.
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or user.theme == User.Theme.SYSTEM:
        return ""
    return f"earshot-{user.theme}"


@require_POST
def set_preferences(request: HttpRequest) -> HttpResponse:
    """Remember the theme or the time zone and go back; a value that is not known is ignored."""
    changes = {}
    if request.POST.get("theme") in User.Theme.values:
        changes["theme"] = request.POST["theme"]
    if request.POST.get("timezone") in time_zones():
        changes["time_zone"] = request.POST["timezone"]
    if changes and request.user.is_authenticated:
        User.objects.filter(pk=request.user.pk).update(**changes)
    back = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(back if safe else "/")


def toast(request: HttpRequest, text: str, *, undo_url: str = "", level: int = messages.SUCCESS) -> None:
    """Tell the person what was done, with an Undo button where there is a way back."""
    messages.add_message(request, level, text, extra_tags=f"{UNDO_TAG}{undo_url}" if undo_url else "")
