"""`/api/v1/golden-examples/`: right answers, which of them a prompt gets, and their history."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from projects.api import ProjectViewSet
from projects.roles import Permission
from review.models import GoldenExample
from review.services import golden, retrieval


class GoldenSerializer(serializers.ModelSerializer[GoldenExample]):
    """A golden example."""

    feedback = serializers.UUIDField(source="feedback.uuid", default=None, read_only=True)

    class Meta:
        model = GoldenExample
        fields = (
            "id", "original_query", "golden_response", "original_response", "source_type", "approval_type", "split",
            "is_active", "attention", "version", "checks", "expires_at", "owner", "feedback", "provenance",
            "created_by", "created_at", "updated_at",
        )  # fmt: skip


class QuestionSerializer(serializers.Serializer[Any]):
    """A question, and how much a prompt has room for."""

    q = serializers.CharField(max_length=20_000)
    k = serializers.IntegerField(min_value=1, max_value=50, default=retrieval.MOST)
    floor = serializers.FloatField(min_value=-1, max_value=1, default=retrieval.FLOOR)
    budget = serializers.IntegerField(min_value=0, max_value=1_000_000, default=retrieval.TOKENS)


class GoldenViewSet(ProjectViewSet):
    """Golden examples, the newest first."""

    serializer_class = GoldenSerializer
    page_order = ("created_at", "id")
    page_kinds = (str, UUID)
    needs: ClassVar[dict[str, Permission]] = {}

    def get_queryset(self) -> QuerySet[GoldenExample]:
        """Return the examples of the project."""
        if getattr(self, "swagger_fake_view", False):
            return GoldenExample.objects.none()
        examples = GoldenExample.objects.visible_to(self.request.user).filter(project=self.project)
        return examples.select_related("feedback").defer("vector", "search", "feedback__search")

    def list(self, request: Request) -> Response:
        """List examples."""
        return self.list_page(self.get_queryset(), request)

    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one example."""
        return Response(self.get_serializer(self._example(pk)).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("q", OpenApiTypes.STR, required=True, description="The question."),
            OpenApiParameter("k", OpenApiTypes.INT, description="How many at most."),
            OpenApiParameter("floor", OpenApiTypes.FLOAT, description="The least similarity, a cosine."),
            OpenApiParameter("budget", OpenApiTypes.INT, description="How many tokens all of them may have."),
        ]
    )
    @action(detail=False, url_path="retrieve", pagination_class=None)
    def lookup(self, request: Request) -> Response:
        """Return the examples that a prompt about a question is to hold, never one that tests ask."""
        asked = QuestionSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        found = retrieval.examples_for(
            self.project, wanted["q"], k=wanted["k"], floor=wanted["floor"], token_budget=wanted["budget"]
        )
        return Response(
            {"results": self.get_serializer(found, many=True).data, "tokens": sum(map(retrieval.tokens_of, found))}
        )

    def _example(self, pk: str) -> GoldenExample:
        try:
            example: GoldenExample | None = self.get_queryset().filter(pk=UUID(pk)).first()
        except ValueError:
            example = None
        if example is None:
            raise golden.not_found()
        return example
