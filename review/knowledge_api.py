"""`/api/v1/knowledge/`: articles and incidents that the assistant may look up."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api import ProjectViewSet
from projects.roles import Permission
from review.golden_filters import KnowledgeFilter
from review.models import KnowledgeDocument
from review.services import knowledge


class KnowledgeSerializer(serializers.ModelSerializer[KnowledgeDocument]):
    """A document."""

    class Meta:
        model = KnowledgeDocument
        fields = (
            "id", "kind", "reference", "title", "text", "url", "application", "severity", "started_at", "resolved_at",
            "created_by", "created_at", "updated_at",
        )  # fmt: skip


class DocumentDraft(serializers.Serializer[Any]):
    """What is said of a document."""

    kind = serializers.ChoiceField(KnowledgeDocument.Kind.choices, required=False)
    reference = serializers.CharField(max_length=120, required=False, allow_null=True, allow_blank=True)
    title = serializers.CharField(max_length=knowledge.TITLE_CHARACTERS)
    text = serializers.CharField(max_length=knowledge.TEXT_CHARACTERS, trim_whitespace=False)
    url = serializers.URLField(max_length=2048, required=False, allow_blank=True)
    application = serializers.CharField(max_length=120, required=False, allow_blank=True)
    severity = serializers.CharField(max_length=40, required=False, allow_blank=True)
    started_at = serializers.DateTimeField(required=False, allow_null=True)
    resolved_at = serializers.DateTimeField(required=False, allow_null=True)


class KnowledgeViewSet(ProjectViewSet):
    """Documents, the newest first."""

    serializer_class = KnowledgeSerializer
    filterset = KnowledgeFilter
    page_order = ("created_at", "id")
    page_kinds = (datetime, UUID)
    needs: ClassVar[dict[str, Permission]] = dict.fromkeys(("create", "partial_update", "destroy"), Permission.MANAGE)

    def get_queryset(self) -> QuerySet[KnowledgeDocument]:
        """Return the documents of the project."""
        if getattr(self, "swagger_fake_view", False):
            return KnowledgeDocument.objects.none()
        return KnowledgeDocument.objects.visible_to(self.request.user).filter(project=self.project).defer("search")

    @extend_schema(filters=True)
    def list(self, request: Request) -> Response:
        """List documents."""
        return self.list_page(self.get_queryset(), request)

    @extend_schema(request=DocumentDraft, responses={201: KnowledgeSerializer})
    def create(self, request: Request) -> Response:
        """Add a document."""
        given = DocumentDraft(data=request.data)
        given.is_valid(raise_exception=True)
        document = knowledge.add_document(self.project, actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(document).data, status=status.HTTP_201_CREATED)

    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one document."""
        return Response(self.get_serializer(self._document(pk)).data)

    @extend_schema(request=DocumentDraft)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a document; golden answers that rest on it wait for a person once its text is another."""
        given = DocumentDraft(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changed = knowledge.change_document(self._document(pk), actor=self.actor, **given.validated_data)
        return Response(self.get_serializer(changed).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a document for good."""
        knowledge.delete_document(self._document(pk), actor=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _document(self, pk: str) -> KnowledgeDocument:
        try:
            document: KnowledgeDocument | None = self.get_queryset().filter(pk=UUID(pk)).first()
        except ValueError:
            document = None
        if document is None:
            raise knowledge.not_found()
        document.project = self.project
        return document
