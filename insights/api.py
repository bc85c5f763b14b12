"""`/api/v1/insights/`, `mentions/`, `corrections/`: what was found, its evidence, and its correction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import DomainError
from insights import corrections
from insights.evidence import quote_of
from insights.listing import ORDERINGS, Counts, Filters, Listed, count_insight, list_insights
from insights.models import Correction, Insight, Mention
from insights.ranges import Range
from insights.trends import weekly_people
from projects.api import ProjectViewSet
from projects.members import member
from projects.pagination import decode, encode, limit_of, page_of
from projects.roles import Permission

# The answer of an act that can be undone.
CORRECTION = {"type": "object", "properties": {"correction": {"type": "integer"}}, "required": ["correction"]}
CORRECTIONS = {
    "type": "object",
    "properties": {"corrections": {"type": "array", "items": {"type": "integer"}}},
    "required": ["corrections"],
}
WEEKS = {
    "type": "object",
    "properties": {
        "weeks": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"week": {"type": "string", "format": "date"}, "people": {"type": "integer"}},
            },
        }
    },
    "required": ["weeks"],
}
LIST_PARAMETERS = [
    OpenApiParameter(name, OpenApiTypes.STR, many=True) for name in ("kind", "area", "status", "source", "source_type")
] + [OpenApiParameter(name, OpenApiTypes.STR) for name in ("from", "to", "q", "sentiment", "language", "ordering")]


class InsightSerializer(serializers.ModelSerializer[Insight]):
    """An insight; the numbers are those of the range asked for."""

    people = serializers.SerializerMethodField()
    accounts = serializers.SerializerMethodField()
    mentions = serializers.SerializerMethodField()
    change = serializers.SerializerMethodField()

    class Meta:
        model = Insight
        fields = (
            "id", "kind", "title", "summary", "area", "status", "owner", "language", "locked", "people", "accounts",
            "mentions", "change", "first_seen", "last_seen",
        )  # fmt: skip

    def _counts(self, insight: Insight) -> Counts:
        counts: dict[UUID, Counts] = self.context["counts"]
        return counts[insight.pk]

    def get_people(self, insight: Insight) -> int:
        """How many people."""
        return self._counts(insight).people

    def get_accounts(self, insight: Insight) -> int:
        """How many accounts."""
        return self._counts(insight).accounts

    def get_mentions(self, insight: Insight) -> int:
        """How many mentions."""
        return self._counts(insight).mentions

    def get_change(self, insight: Insight) -> int:
        """People against the range of equal length before."""
        return self._counts(insight).change


class InsightChanges(serializers.Serializer[Any]):
    """What a person may change of an insight."""

    title = serializers.CharField(max_length=120, required=False)
    kind = serializers.ChoiceField(Insight.Kind.choices, required=False)
    area = serializers.CharField(max_length=80, required=False, allow_blank=True)
    status = serializers.ChoiceField(Insight.Status.choices, required=False)
    owner = serializers.IntegerField(min_value=1, max_value=2**62, required=False, allow_null=True)
    locked = serializers.BooleanField(required=False)


class IdsSerializer(serializers.Serializer[Any]):
    """Other insights."""

    insights = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=100)


class IdSerializer(serializers.Serializer[Any]):
    """Another insight."""

    insight = serializers.UUIDField()


class SplitInsight(serializers.Serializer[Any]):
    """Mentions that become an insight of their own."""

    title = serializers.CharField(max_length=120)
    mentions = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=2**62), min_length=1)


class MentionSerializer(serializers.ModelSerializer[Mention]):
    """A mention with the exact words of the customer."""

    quote = serializers.SerializerMethodField()

    class Meta:
        model = Mention
        fields = (
            "id", "insight", "item", "part", "start", "end", "quote", "kind", "feature", "person", "account", "source",
            "sentiment", "language", "confidence", "unsure", "created_at",
        )  # fmt: skip

    def get_quote(self, mention: Mention) -> str:
        """The characters `start` to `end` of the body."""
        return quote_of(mention)


class CorrectionSerializer(serializers.ModelSerializer[Correction]):
    """One act on the taxonomy."""

    class Meta:
        model = Correction
        fields = ("id", "act", "insight", "other", "mention", "before", "after", "actor", "created_at", "undone_at")


def filters_of(request: Request) -> Filters:
    """Read the filters of a list. Raises DomainError for values that cannot be."""
    query = request.query_params
    sentiment = query.get("sentiment", "")
    if sentiment not in ("", "-1", "0", "1"):
        raise DomainError("sentiment must be -1, 0 or 1.", code="bad_sentiment")
    return Filters(
        kinds=_choices(request, "kind", Insight.Kind.values),
        statuses=_choices(request, "status", Insight.Status.values),
        areas=[area.replace("\x00", "") for area in query.getlist("area")],
        q=query.get("q", "")[:200].replace("\x00", ""),
        sources=[_uuid(value) for value in query.getlist("source") if value],
        source_types=[value for value in query.getlist("source_type") if value],
        sentiment=int(sentiment) if sentiment else None,
        language=query.get("language", "")[:8].replace("\x00", ""),
    )


def _choices(request: Request, name: str, allowed: list[str]) -> list[str]:
    values = [value for value in request.query_params.getlist(name) if value]
    if not set(values) <= set(allowed):
        raise DomainError(f"{name} must be one of {', '.join(allowed)}.", code=f"bad_{name}")
    return values


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise DomainError("source must be the id of a source.", code="bad_source") from None


class InsightViewSet(ProjectViewSet):
    """Insights with the numbers of a time range."""

    serializer_class = InsightSerializer
    needs: ClassVar[dict[str, Permission]] = {
        "partial_update": Permission.EDIT_INSIGHTS,
        "destroy": Permission.EDIT_INSIGHTS,
        "merge": Permission.EDIT_INSIGHTS,
        "split": Permission.EDIT_INSIGHTS,
        "different": Permission.EDIT_INSIGHTS,
    }

    def get_queryset(self) -> QuerySet[Insight]:
        """Return the live insights of the project."""
        if getattr(self, "swagger_fake_view", False):
            return Insight.objects.none()
        insights = Insight.objects.visible_to(self.request.user).filter(project=self.project)
        return insights.live().defer("centroid", "search")

    def _range(self, request: Request) -> Range:
        return Range.of(self.project, request.query_params.get("from"), request.query_params.get("to"))

    def _insight(self, pk: str) -> Insight:
        try:
            number = corrections.current(UUID(pk), self.project.pk)
        except ValueError:
            raise DomainError("Not found.", code="not_found", status=404) from None
        insight: Insight = get_object_or_404(self.get_queryset().select_related("project"), pk=number)
        return insight

    def _show(self, insights: list[Insight], counts: dict[UUID, Any]) -> Any:
        return InsightSerializer(insights, many=True, context={"counts": counts}).data

    def _show_one(self, insight: Insight, request: Request) -> Response:
        counts = {insight.pk: count_insight(insight, self._range(request), filters_of(request))}
        return Response(self._show([insight], counts)[0])

    @extend_schema(parameters=LIST_PARAMETERS)
    def list(self, request: Request) -> Response:
        """List the insights that were spoken of in the range, most people first."""
        ordering = request.query_params.get("ordering") or "-people"
        if ordering not in ORDERINGS:
            raise DomainError(f"ordering must be one of {', '.join(ORDERINGS)}.", code="bad_ordering")
        cursor = request.query_params.get("cursor")
        place = decode(cursor, (float, UUID)) if cursor else None
        page = list_insights(
            self.project,
            self._range(request),
            filters_of(request),
            ordering=ordering,
            limit=limit_of(request),
            after=(place[0], place[1]) if place else None,
        )
        rows: list[Listed] = page.rows
        results = self._show([row.insight for row in rows], {row.insight.pk: row.counts for row in rows})
        following = encode([page.next[0], str(page.next[1])]) if page.next else None
        return Response({"results": results, "next": following, "total": page.total})

    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one insight; the id of one that was merged away leads to what it is part of now."""
        return self._show_one(self._insight(pk), request)

    @extend_schema(request=InsightChanges)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change title, kind, area, status, owner (a member's id) or lock; what a person set stays in re-analysis."""
        given = InsightChanges(data=request.data)
        given.is_valid(raise_exception=True)
        changes = given.validated_data
        insight = self._insight(pk)
        with transaction.atomic():
            if "owner" in changes:
                corrections.assign_insight(insight, member(self.project, changes.pop("owner")), actor=self.actor)
            if "locked" in changes:
                corrections.lock_insight(insight, locked=changes.pop("locked"), actor=self.actor)
            corrections.change_insight(insight, actor=self.actor, **changes)
        return self._show_one(self._insight(pk), request)

    @extend_schema(responses={200: CORRECTION})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete an insight; the answer names the correction by which it can be undone."""
        made = corrections.delete_insight(self._insight(pk), actor=self.actor)
        return Response({"correction": made.pk})

    @extend_schema(responses=MentionSerializer(many=True))
    @action(detail=True)
    def mentions(self, request: Request, pk: str) -> Response:
        """List the verified evidence of an insight, the newest first."""
        rows = Mention.objects.live().filter(insight=self._insight(pk))
        rows = rows.said_in(self._range(request)).narrowed(filters_of(request))
        total = rows.count()
        page, following = page_of(
            rows.select_related("item", "part"), request, order=("created_at", "id"), kinds=(datetime, int)
        )
        verified = [mention for mention in page if quote_of(mention)]
        return Response({"results": MentionSerializer(verified, many=True).data, "next": following, "total": total})

    @extend_schema(responses={200: WEEKS})
    @action(detail=True)
    def trend(self, request: Request, pk: str) -> Response:
        """Return the people of each week of the range."""
        weeks = weekly_people(self._insight(pk), self._range(request))
        return Response({"weeks": [{"week": week, "people": people} for week, people in weeks]})

    @extend_schema(request=IdsSerializer)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: str) -> Response:
        """Merge other insights into this one."""
        others = self._others(request)
        corrections.merge_insights(self._insight(pk), others, actor=self.actor)
        return self._show_one(self._insight(pk), request)

    @extend_schema(request=SplitInsight)
    @action(detail=True, methods=["post"])
    def split(self, request: Request, pk: str) -> Response:
        """Make an insight of some of this one's mentions."""
        given = SplitInsight(data=request.data)
        given.is_valid(raise_exception=True)
        insight = self._insight(pk)
        chosen = list(insight.mentions.filter(pk__in=given.validated_data["mentions"]))
        if len(chosen) != len(set(given.validated_data["mentions"])):
            raise DomainError("Choose mentions of this insight.", code="bad_split")
        made = corrections.split_insight(insight, chosen, given.validated_data["title"], actor=self.actor)
        return self._show_one(made.insight, request)

    @extend_schema(request=IdsSerializer, responses={200: CORRECTIONS})
    @action(detail=True, methods=["post"])
    def different(self, request: Request, pk: str) -> Response:
        """Say that others are not the same as this one."""
        made = [
            corrections.mark_different(self._insight(pk), other, actor=self.actor) for other in self._others(request)
        ]
        return Response({"corrections": [correction.pk for correction in made]})

    def _others(self, request: Request) -> Sequence[Insight]:
        given = IdsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = set(given.validated_data["insights"])
        others = [*self.get_queryset().select_related("project").filter(pk__in=wanted)]
        if len(others) != len(wanted):
            raise DomainError("Not found.", code="not_found", status=404)
        return others


class MentionViewSet(ProjectViewSet):
    """Single mentions."""

    serializer_class = MentionSerializer
    needs: ClassVar[dict[str, Permission]] = {
        "destroy": Permission.EDIT_INSIGHTS,
        "move": Permission.EDIT_INSIGHTS,
        "confirm": Permission.EDIT_INSIGHTS,
    }

    def get_queryset(self) -> QuerySet[Mention]:
        """Return the live mentions of the project."""
        if getattr(self, "swagger_fake_view", False):
            return Mention.objects.none()
        mentions = Mention.objects.visible_to(self.request.user).filter(project=self.project)
        return mentions.live().select_related("item", "part", "insight", "project")

    def _mention(self, pk: str) -> Mention:
        number = int(pk) if pk.isdecimal() and len(pk) < 19 else 0
        mention: Mention = get_object_or_404(self.get_queryset(), pk=number)
        return mention

    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one mention."""
        return Response(self.get_serializer(self._mention(pk)).data)

    @extend_schema(responses={200: CORRECTION})
    def destroy(self, request: Request, pk: str) -> Response:
        """Take a mention out of its insight for good; the answer names the correction that undoes it."""
        made = corrections.delete_mention(self._mention(pk), actor=self.actor)
        return Response({"correction": made.pk})

    @extend_schema(request=IdSerializer, responses={200: CORRECTION})
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> Response:
        """Move a mention to another insight."""
        given = IdSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        insights = Insight.objects.live().filter(project=self.project)
        to = get_object_or_404(insights, pk=given.validated_data["insight"])
        made = corrections.move_mention(self._mention(pk), to, actor=self.actor)
        return Response({"correction": made.pk})

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Say that a doubtful mention is where it belongs."""
        corrections.confirm_mention(self._mention(pk), actor=self.actor)
        return Response(self.get_serializer(self._mention(pk)).data)


class CorrectionViewSet(ProjectViewSet):
    """The ledger of corrections, the newest first."""

    serializer_class = CorrectionSerializer
    needs: ClassVar[dict[str, Permission]] = {"undo": Permission.EDIT_INSIGHTS}

    def get_queryset(self) -> QuerySet[Correction]:
        """Return the project's corrections."""
        if getattr(self, "swagger_fake_view", False):
            return Correction.objects.none()
        rows = Correction.objects.visible_to(self.request.user).filter(project=self.project)
        return rows.select_related("insight", "other", "mention", "project")

    def list(self, request: Request) -> Response:
        """List corrections."""
        return self.list_page(self.get_queryset(), request)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        """Take a correction back."""
        number = int(pk) if pk.isdecimal() and len(pk) < 19 else 0
        correction = get_object_or_404(self.get_queryset(), pk=number)
        corrections.undo(correction, actor=self.actor)
        correction.refresh_from_db()
        return Response(self.get_serializer(correction).data, status=status.HTTP_200_OK)
