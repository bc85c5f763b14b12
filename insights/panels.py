"""Panels that other apps show on an insight; they register in `AppConfig.ready`."""

from collections.abc import Callable

from django.utils.safestring import SafeString

from insights.models import Insight
from projects.pages import ProjectRequest

Panel = Callable[[ProjectRequest, Insight], SafeString | None]

_panels: list[Panel] = []


def register_panel(panel: Panel) -> None:
    """Add a panel, shown in the order of registration; it returns HTML that it has made safe, or None."""
    _panels.append(panel)


def rendered_panels(request: ProjectRequest, insight: Insight) -> list[SafeString]:
    """Return what the registered panels have to show on an insight."""
    return [html for panel in _panels if (html := panel(request, insight))]
