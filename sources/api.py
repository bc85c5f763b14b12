"""`/api/v1/sources/`: sources with their accounting."""

from datetime import datetime
from typing import Any, ClassVar, cast
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import DomainError
from projects.api import ProjectViewSet
from projects.models import User
from projects.roles import Permission
from sources import effects, services
from sources.connection_api import NEEDS, ConnectionActions
from sources.models import Source
from sources.querysets import SourceQuerySet

# What can be made by a request: connected applications need a person, verdicts come with the review.
MAKEABLE = (Source.Kind.WEBHOOK, Source.Kind.FILE, Source.Kind.TEXT)


class SourceFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Filters of the list of sources; deleted ones are listed only where they are asked for."""

    kind = django_filters.ChoiceFilter(choices=Source.Kind.choices)
    status = django_filters.ChoiceFilter(choices=Source.Status.choices)

    class Meta:
        model = Source
        fields: list[str] = []


class SourceSerializer(serializers.ModelSerializer[Source]):
    """A source as it is answered; `source_id`, by which items are sent to it, is null unless it is a webhook."""

    source_id = serializers.SerializerMethodField()
    type = serializers.CharField(help_text="The application, else the kind.")
    received = serializers.IntegerField(source="count.received", help_text="used + set_aside + waiting")
    used = serializers.IntegerField(source="count.used")
    set_aside = serializers.IntegerField(source="count.set_aside")
    waiting = serializers.IntegerField(source="count.waiting")
    attempts = serializers.IntegerField(
        source="count.attempts", help_text="received + updated + unchanged + rejected + suppressed"
    )
    updated = serializers.IntegerField(source="count.updated")
    unchanged = serializers.IntegerField(source="count.unchanged")
    rejected = serializers.IntegerField(source="count.rejected")
    suppressed = serializers.IntegerField(source="count.suppressed")
    removed = serializers.IntegerField(source="count.removed", help_text="Received once, deleted at the source since.")
    last_received_at = serializers.DateTimeField(source="count.last_received_at", allow_null=True)

    class Meta:
        model = Source
        fields = (
            "id", "source_id", "kind", "type", "name", "purpose", "status", "status_reason", "received", "used",
            "set_aside", "waiting", "attempts", "updated", "unchanged", "rejected", "suppressed", "removed",
            "created_at", "last_received_at", "deleted_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_source_id(self, source: Source) -> str | None:
        """Return what the ingest API calls the source."""
        return str(source.pk) if source.kind == Source.Kind.WEBHOOK else None


class AddSource(serializers.Serializer[Any]):
    """What a new source needs."""

    kind = serializers.ChoiceField([(kind.value, kind.label) for kind in MAKEABLE], default=Source.Kind.WEBHOOK)
    name = serializers.CharField(max_length=120)
    purpose = serializers.CharField(max_length=400, required=False, allow_blank=True, default="")


class ChangeSource(serializers.Serializer[Any]):
    """What of a source can be changed."""

    name = serializers.CharField(max_length=120, required=False)
    purpose = serializers.CharField(max_length=400, required=False, allow_blank=True)


class SourceViewSet(ConnectionActions, ProjectViewSet):
    """Sources, the newest first."""

    serializer_class = SourceSerializer
    filterset = SourceFilter
    page_order = ("created_at", "id")
    page_kinds = (datetime, UUID)
    needs: ClassVar[dict[str, Permission]] = {
        "create": Permission.MANAGE_SOURCES,
        "partial_update": Permission.MANAGE_SOURCES,
        "destroy": Permission.MANAGE_SOURCES,
        "pause": Permission.MANAGE_SOURCES,
        "resume": Permission.MANAGE_SOURCES,
        "restore": Permission.MANAGE_SOURCES,
        **NEEDS,
    }

    def get_queryset(self) -> SourceQuerySet:
        """Return the sources of the project, with what is deleted and can still be restored."""
        if getattr(self, "swagger_fake_view", False):
            return Source.objects.none()
        sources: SourceQuerySet = Source.objects.visible_to(self.request.user)
        return sources.filter(project=self.project).with_counts().select_related("project")

    @property
    def _actor(self) -> User:
        return cast(User, self.request.user)

    def _source(self, pk: str) -> Source:
        try:
            number = UUID(pk)
        except ValueError:
            number = None
        source: Source | None = self.get_queryset().filter(pk=number).first() if number else None
        if source is None:
            raise DomainError("No such source.", code="not_found", status=404)
        return source

    def _show(self, pk: str, status: int = 200) -> Response:
        return Response(self.get_serializer(self._source(pk)).data, status=status)

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Apply the query's filters; only `status=deleted` lists what was deleted."""
        wants_deleted = self.request.query_params.get("status") == Source.Status.DELETED
        sources = self.get_queryset()
        return super().narrow(sources.recently_deleted() if wants_deleted else sources.listed())

    def list(self, request: Request) -> Response:
        """List sources with their accounting."""
        return self.list_page(self.get_queryset(), request)

    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one source; also a deleted one, while it can be restored."""
        return self._show(pk)

    @extend_schema(request=AddSource, responses={201: SourceSerializer})
    def create(self, request: Request) -> Response:
        """Add a source."""
        given = AddSource(data=request.data)
        given.is_valid(raise_exception=True)
        fields = given.validated_data
        kind = Source.Kind(fields["kind"])
        source = services.add_source(self.project, kind, fields["name"], purpose=fields["purpose"], actor=self._actor)
        return self._show(str(source.pk), status=201)

    @extend_schema(request=ChangeSource, responses=SourceSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Rename a source or say what it is for."""
        given = ChangeSource(data=request.data)
        given.is_valid(raise_exception=True)
        services.change_source(self._source(pk), actor=self._actor, **given.validated_data)
        return self._show(pk)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Hide a source and all that came from it; `restore` undoes that for 30 days."""
        services.delete_source(self._source(pk), actor=self._actor)
        return Response(status=204)

    @extend_schema(responses={200: {"type": "object", "additionalProperties": {"type": "integer"}}})
    @action(detail=True)
    def effects(self, request: Request, pk: str) -> Response:
        """Return what deleting the source would remove, in numbers."""
        return Response(effects.preview(self._source(pk)))

    @extend_schema(request=None, responses=SourceSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Refuse new feedback until the source is resumed."""
        services.pause_source(self._source(pk), actor=self._actor)
        return self._show(pk)

    @extend_schema(request=None, responses=SourceSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Take feedback again."""
        services.resume_source(self._source(pk), actor=self._actor)
        return self._show(pk)

    @extend_schema(request=None, responses=SourceSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """Take a deletion back. Answers 409 after 30 days."""
        services.restore_source(self._source(pk), actor=self._actor)
        return self._show(pk)
