"""The tabs of a project's settings; other apps add theirs in `AppConfig.ready`."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from projects.pages import ProjectRequest
from projects.roles import Permission


@dataclass(frozen=True, slots=True)
class SettingsTab:
    """A page of the settings: `url_name` takes the project's slug, `place` orders the tabs from left to right."""

    label: str
    url_name: str
    permission: Permission = Permission.VIEW
    place: int = 50


_tabs: list[SettingsTab] = []


def register(*tabs: SettingsTab) -> None:
    """Add tabs; the projects' own have the places 10 to 30 and 80 to 90."""
    _tabs.extend(tabs)


def render_settings(
    request: ProjectRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render a page of the settings, which extends `projects/settings/base.html`."""
    shown = [tab for tab in sorted(_tabs, key=_place) if tab.permission in request.permissions]
    urls = [reverse(tab.url_name, args=[request.project.slug]) for tab in shown]
    active = max((url for url in urls if request.path.startswith(url)), key=len, default="")
    tabs = [{"label": tab.label, "url": url, "active": url == active} for tab, url in zip(shown, urls, strict=True)]
    return render(request, template, {"settings_tabs": tabs, "project": request.project} | context, status=status)


def _place(tab: SettingsTab) -> int:
    return tab.place
