"""What `/api/v1/sources/{id}/` says of connections, and does to them; secrets go in and never come out."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import DomainError
from projects.models import User
from projects.pagination import page_of
from projects.roles import Permission
from sources import connecting, credentials
from sources.health import Health, health_of, progress_of
from sources.models import Source, SyncRun

NEEDS: Final = {
    "sync": Permission.MANAGE_SOURCES,
    "read_again": Permission.MANAGE_SOURCES,
    "connection_change": Permission.MANAGE_SOURCES,
}


class RunSerializer(serializers.ModelSerializer[SyncRun]):
    """One reading of a connection."""

    class Meta:
        model = SyncRun
        fields = (
            "id", "started_at", "ended_at", "outcome", "progress", "requests", "pages", "items", "deleted",
            "unreadable", "error",
        )  # fmt: skip
        read_only_fields = fields


class ConnectionSerializer(serializers.Serializer[Health]):
    """How a connection is set, and how it is doing. `secrets` lists the names of those that are stored."""

    settings = serializers.JSONField(source="connection.settings")
    secrets = serializers.SerializerMethodField()
    every = serializers.IntegerField(source="connection.every", help_text="Minutes between two runs.")
    last_success_at = serializers.DateTimeField(source="connection.succeeded_at", allow_null=True)
    overdue_since = serializers.DateTimeField(source="connection.stale_since", allow_null=True)
    last_error = serializers.CharField()
    next_run_at = serializers.DateTimeField(source="next_run", allow_null=True)
    is_reading = serializers.BooleanField()
    items_a_day = serializers.FloatField()
    progress = serializers.SerializerMethodField()

    def get_secrets(self, health: Health) -> list[str]:
        """Return the names alone; none where they cannot be read any more."""
        try:
            return sorted(credentials.unseal(health.connection.secrets))
        except DomainError:
            return []

    def get_progress(self, health: Health) -> list[dict[str, str | int]]:
        """Return what was received and where it is now: all counts but the first sum to the first."""
        return [{"label": step.label, "count": step.count} for step in progress_of(health.connection.source)]


class ChangeConnection(serializers.Serializer[Any]):
    """What of a connection can be changed; what is left out stays."""

    settings = serializers.DictField(required=False)
    secrets = serializers.DictField(child=serializers.CharField(max_length=10_000), required=False, write_only=True)
    every = serializers.IntegerField(
        required=False, min_value=connecting.SHORTEST, max_value=connecting.LONGEST, help_text="Minutes."
    )


class ReadAgain(serializers.Serializer[Any]):
    """From which day on everything is read once more."""

    since = serializers.DateField()


class ConnectionActions:
    """The actions on a source that is a connection; for the view set of sources."""

    _source: Callable[[str], Source]
    actor: User
    page_kinds: ClassVar[tuple[type, ...]]

    def _connected(self, pk: str) -> Source:
        source = self._source(pk)
        if source.status == Source.Status.DELETED or not hasattr(source, "connection"):
            raise DomainError("This source is not a connected application.", code="not_connected", status=404)
        return source

    def _show_connection(self, pk: str) -> Response:
        return Response(ConnectionSerializer(health_of(self._connected(pk))).data)

    @extend_schema(responses=ConnectionSerializer)
    @action(detail=True, methods=["get"])
    def connection(self, request: Request, pk: str) -> Response:
        """Return how the source is connected, and how that is doing."""
        return self._show_connection(pk)

    @extend_schema(request=ChangeConnection, responses=ConnectionSerializer)
    @connection.mapping.patch
    def connection_change(self, request: Request, pk: str) -> Response:
        """Change settings, secrets or the interval, and read the application again soon."""
        given = ChangeConnection(data=request.data)
        given.is_valid(raise_exception=True)
        source, fields = self._connected(pk), given.validated_data
        if "settings" in fields:
            fields["settings"] = source.connection.settings | fields["settings"]
        connecting.change_connection(source, actor=self.actor, **fields)
        return self._show_connection(pk)

    @extend_schema(request=None, responses={202: ConnectionSerializer})
    @action(detail=True, methods=["post"])
    def sync(self, request: Request, pk: str) -> Response:
        """Have the application read with the next round, within a minute."""
        connecting.read_now(self._connected(pk), actor=self.actor)
        answer = self._show_connection(pk)
        answer.status_code = 202
        return answer

    @extend_schema(request=ReadAgain, responses={202: ConnectionSerializer})
    @action(detail=True, methods=["post"], url_path="read-again")
    def read_again(self, request: Request, pk: str) -> Response:
        """Read everything again that was said since a day."""
        given = ReadAgain(data=request.data)
        given.is_valid(raise_exception=True)
        connecting.read_again(self._connected(pk), given.validated_data["since"], actor=self.actor)
        answer = self._show_connection(pk)
        answer.status_code = 202
        return answer

    @extend_schema(
        responses=RunSerializer(many=True),
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
    )
    @action(detail=True)
    def runs(self, request: Request, pk: str) -> Response:
        """List the readings of the connection, the newest first."""
        runs = SyncRun.objects.filter(source=self._connected(pk))
        page, following = page_of(runs, request, order=("started_at", "id"), kinds=(datetime, int))
        return Response({"results": RunSerializer(page, many=True).data, "next": following, "total": runs.count()})
