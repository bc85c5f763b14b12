"""Connected applications as places that a project's feedback is read from."""

from collections.abc import Iterator

from django.urls import reverse

from projects.models import Project
from projects.residency import Place, Way, host_of
from sources.connectors import ConnectorError
from sources.connectors.configured import connector_of
from sources.connectors.engine import complete_settings
from sources.connectors.filling import fill
from sources.models import Connection, Source

UNKNOWN = "unknown host"


def connected_places(project: Project) -> Iterator[Place]:
    """Yield every application that this project reads, with the host that is asked."""
    connections = Connection.objects.filter(source__project=project).exclude(source__status=Source.Status.DELETED)
    for connection in connections.select_related("source").order_by("source__name"):
        source = connection.source
        yield Place(
            source.name,
            Way.READ,
            "Asked for feedback with the credentials you gave. No feedback is sent there.",
            _host(source.application, connection.settings),
            url=reverse("source", args=[project.slug, source.pk]),
        )


def _host(kind: str, given: dict[str, object]) -> str:
    """Return the host of a connection, or that it is not known, where its settings do not tell."""
    try:
        connector = connector_of(kind, given)
        values = complete_settings(connector.settings, given, required=False)
        return host_of(str(fill(connector.base_url, {"settings": values}))) or UNKNOWN
    except ConnectorError:
        return UNKNOWN
