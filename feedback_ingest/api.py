"""`/api/v1/items/`: reading feedback, and moving it between the inbox, set aside and the dead."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Prefetch, QuerySet, Sum
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_ingest.filters import ItemFilter
from feedback_ingest.models import ConversationPart, FeedbackItem
from feedback_ingest.services import items as services
from projects.api import ProjectViewSet
from projects.roles import Permission
from sources.models import SourceCount

PERSONAL = ("author", "email", "user_id", "metadata")  # metadata may name people too


class MaskedSerializer(serializers.ModelSerializer[Any]):
    """Leaves out who somebody is where the reader may not see people."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Mask names, e-mails and user ids."""
        data: dict[str, Any] = super().to_representation(instance)
        if not self.context.get("sees_people"):
            data |= {name: None for name in PERSONAL if name in data}
            if "author" in data and instance.person_id:
                data["author"] = f"Person {instance.person_id}"
        return data


class PartSerializer(MaskedSerializer):
    """One turn of a conversation."""

    class Meta:
        model = ConversationPart
        fields = ("id", "unique_id", "body", "author", "email", "user_id", "role", "person", "url", "created_at")


class ItemSerializer(MaskedSerializer):
    """One piece of feedback with its conversation."""

    conversation_parts = PartSerializer(source="parts", many=True, read_only=True)

    class Meta:
        model = FeedbackItem
        fields = (
            "id", "unique_id", "source", "body", "author", "email", "user_id", "person", "created_at", "received_at",
            "url", "rating", "metadata", "language", "sentiment", "inbox", "state", "set_aside_reason", "attempts",
            "last_error", "conversation_parts",
        )  # fmt: skip


class InboxSerializer(serializers.Serializer[Any]):
    """Where an item is put."""

    inbox = serializers.ChoiceField(FeedbackItem.Inbox.choices)


class ItemViewSet(ProjectViewSet):
    """Feedback items, the newest first."""

    serializer_class = ItemSerializer
    filterset = ItemFilter
    page_order = ("created_at", "id")
    needs: ClassVar[dict[str, Permission]] = {
        "inbox": Permission.EDIT_INSIGHTS,
        "set_aside": Permission.EDIT_INSIGHTS,
        "restore": Permission.EDIT_INSIGHTS,
        "retry": Permission.MANAGE_SOURCES,
    }

    def get_queryset(self) -> QuerySet[FeedbackItem]:
        """Return the items of the project, without those of deleted sources."""
        if getattr(self, "swagger_fake_view", False):
            return FeedbackItem.objects.none()
        parts = Prefetch("parts", ConversationPart.objects.order_by("created_at", "pk"))
        items = FeedbackItem.objects.visible_to(self.request.user).filter(project=self.project)
        return items.listed().prefetch_related(parts).defer("search")

    def list(self, request: Request) -> Response:
        """List feedback."""
        return self.list_page(self.get_queryset(), request)

    def retrieve(self, request: Request, pk: str) -> Response:
        """Return one item."""
        return Response(self.get_serializer(self._item(pk)).data)

    def _item(self, pk: str) -> FeedbackItem:
        number = int(pk) if pk.isdecimal() and len(pk) < 19 else 0
        item: FeedbackItem = get_object_or_404(self.get_queryset(), pk=number)
        return item

    def total(self, rows: QuerySet[Any]) -> dict[str, Any]:
        """Read the total from the sources' counters where only source and state are chosen."""
        chosen = {name for name, value in self.request.query_params.items() if value} - {"limit", "cursor", "project"}
        if not chosen <= {"source", "state"}:
            return super().total(rows)
        counts = SourceCount.objects.filter(source__project=self.project).exclude(source__status="deleted")
        if source := self.request.query_params.get("source"):
            counts = counts.filter(source=UUID(source))
        sums = counts.aggregate(used=Sum("used"), set_aside=Sum("set_aside"), waiting=Sum("waiting"))
        state = self.request.query_params.get("state")
        return {"total": sum(value or 0 for name, value in sums.items() if state in (None, "", name))}

    @extend_schema(request=InboxSerializer)
    @action(detail=True, methods=["post"])
    def inbox(self, request: Request, pk: str) -> Response:
        """Put an item among the unread, read or archived."""
        given = InboxSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        item = services.move_in_inbox([self._item(pk)], given.validated_data["inbox"], actor=self.actor)[0]
        return Response(self.get_serializer(item).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def set_aside(self, request: Request, pk: str) -> Response:
        """Set an item aside: its mentions go, and it is kept."""
        services.set_aside([self._item(pk)], actor=self.actor)
        return Response(self.get_serializer(self._item(pk)).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """Bring an item back that was set aside: it is analysed again and not set aside again."""
        services.restore([self._item(pk)], actor=self.actor)
        return Response(self.get_serializer(self._item(pk)).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Analyse an item again whose analysis failed."""
        services.retry([self._item(pk)], actor=self.actor)
        return Response(self.get_serializer(self._item(pk)).data)
