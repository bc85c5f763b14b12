"""`/api/v1/search/`: the passages of customers that say most about a question."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import DomainError
from feedback_ingest.filters import ItemFilter
from feedback_ingest.models import FeedbackItem
from feedback_ingest.querysets import ItemQuerySet
from insights.search import MOST_ASKED, MOST_FOUND, Found, read_question, search_feedback
from projects.api import ProjectViewSet
from projects.pagination import limit_of


class SearchFilter(ItemFilter):
    """What is searched: feedback of a source, a time, a language and so on; the question is no filter."""


SearchFilter.base_filters.pop("q")


class FoundSerializer(serializers.Serializer[Found]):
    """A passage: code points `start` to `end` of the item's or the part's body, and what it is evidence for."""

    item = serializers.IntegerField(source="passage.item.pk")
    part = serializers.IntegerField(source="passage.part.pk", allow_null=True, default=None)
    start = serializers.IntegerField(source="passage.start")
    end = serializers.IntegerField(source="passage.end")
    quote = serializers.CharField(source="passage.quote")
    source = serializers.UUIDField(source="passage.item.source_id")  # type: ignore[assignment]
    person = serializers.IntegerField(source="passage.text.person_id", allow_null=True)
    created_at = serializers.DateTimeField(source="passage.text.created_at")
    score = serializers.FloatField()
    insights = serializers.SerializerMethodField()

    def get_insights(self, found: Found) -> list[str]:
        """The ids of the insights."""
        return [str(insight.pk) for insight in found.insights]


class SearchViewSet(ProjectViewSet):
    """Feedback by what it says, in the words of the question or in others."""

    serializer_class = FoundSerializer
    filterset = SearchFilter

    def get_queryset(self) -> QuerySet[FeedbackItem]:
        """Return the items of the project, without those of deleted sources."""
        items = FeedbackItem.objects.visible_to(self.request.user).filter(project=self.project)
        return items.listed()

    @extend_schema(
        parameters=[
            OpenApiParameter("q", OpenApiTypes.STR, required=True, description="What is looked for."),
            OpenApiParameter("limit", OpenApiTypes.INT, description=f"How many, at most {MOST_FOUND}."),
        ],
        responses={200: FoundSerializer(many=True)},
    )
    def list(self, request: Request) -> Response:
        """Return what was found, the best first; there is one page."""
        question = read_question(request.query_params.get("q", ""))
        if not question or len(question) > MOST_ASKED:
            raise DomainError(f"Ask something in q, in up to {MOST_ASKED} characters.", code="bad_question")
        items = cast(ItemQuerySet, self.narrow(self.get_queryset()))
        found = search_feedback(self.project, items, question, limit=limit_of(request))
        results: list[dict[str, Any]] = self.get_serializer(found, many=True).data
        return Response({"results": results, "next": None, "total": len(results)})
