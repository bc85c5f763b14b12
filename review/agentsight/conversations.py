"""Conversations: begun or found, listed, shown, changed, hidden."""

import json
from typing import Any

from django.db import connection
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from feedback_ingest.models import Conversation
from feedback_ingest.services.tracking import (
    change_conversation,
    delete_conversation,
    get_or_create_conversation,
)
from review.agentsight import representation, serializers
from review.agentsight.caller import TrackingView
from review.agentsight.fields import Number
from review.agentsight.filters import ConversationFilters
from review.agentsight.lookup import conversation_by_key, named_conversation
from review.agentsight.pages import narrowed, page
from review.agentsight.usage import conversation_usage

MOST_LISTED = 1_000
ABOUT_PEOPLE = ("customer_id", "customer_id__icontains", "customer_ip_address", "metadata", "metadata_key", "search")

KEYS = """
SELECT DISTINCT jsonb_object_keys(row.metadata) AS key FROM {table} AS row {join}
WHERE row.project_id = %(project)s AND (%(agent)s::bigint IS NULL OR {agent} = %(agent)s)
  AND row.metadata <> '{{}}'
ORDER BY key LIMIT %(most)s
"""
VALUES = """
SELECT DISTINCT metadata -> %(key)s AS value FROM feedback_ingest_conversation
WHERE project_id = %(project)s AND (%(agent)s::bigint IS NULL OR agent_id = %(agent)s) AND metadata ? %(key)s
ORDER BY value LIMIT %(most)s
"""
CONVERSATION_KEYS = KEYS.format(table="feedback_ingest_conversation", join="", agent="row.agent_id")
MESSAGE_KEYS = KEYS.format(
    table="feedback_ingest_message",
    join="JOIN feedback_ingest_conversation AS conversation ON conversation.id = row.conversation_id",
    agent="conversation.agent_id",
)


class Conversations(TrackingView):
    """`GET` and `POST /api/conversations/`."""

    def get(self, request: Request) -> Response:
        """List conversations, the newest first; with their transcripts unless `full=false`."""
        if any(request.query_params.get(name) for name in ABOUT_PEOPLE):
            self.caller.require_people()
        rows = narrowed(ConversationFilters, self.caller.conversations.order_by("-started_at", "-pk"), request)
        personal = self.caller.sees_people
        if not in_full(request):
            return page(
                rows,
                request,
                self,
                lambda found: [representation.conversation_summary(row, personal=personal) for row in found],
            )
        return page(
            representation.with_transcript(rows),
            request,
            self,
            lambda found: [representation.conversation_in_full(row, request, personal=personal) for row in found],
        )

    def post(self, request: Request) -> Response:
        """Begin a conversation, or find it by its client's id: it keeps its data, and is used once it was."""
        sent = serializers.ConversationSent(data=request.data)
        sent.is_valid(raise_exception=True)
        fields = serializers.given(sent.validated_data)
        conversation, created = get_or_create_conversation(
            self.caller.agent_named(agent_of(request)),
            fields.pop("conversation_id"),
            is_used=bool(sent.validated_data.get("is_used")),
            **fields,
        )
        return Response(
            representation.conversation_summary(conversation, personal=self.caller.sees_people),
            status=status.HTTP_201_CREATED if created else status.HTTP_200_OK,
        )


class OneConversation(TrackingView):
    """`GET` and `DELETE /api/conversations/{id}/`."""

    def get(self, request: Request, pk: str) -> Response:
        """Show a conversation, also a deleted one, with what it used; with its transcript unless `full=false`."""
        conversation = conversation_by_key(self.caller, pk)
        personal = self.caller.sees_people
        if not in_full(request):
            return Response(representation.conversation_summary(conversation, personal=personal))
        rows = representation.with_transcript(self.caller.conversations.filter(pk=conversation.pk))
        shown = representation.conversation_in_full(rows.get(), request, personal=personal)
        return Response(shown | {"token_usage": conversation_usage(conversation)})

    def delete(self, request: Request, pk: str) -> Response:
        """Hide a conversation."""
        conversation = delete_conversation(conversation_by_key(self.caller, pk), actor=self.caller.user)
        return Response(named(conversation) | {"is_deleted": True, "deleted_at": conversation.deleted_at})


class Delete(OneConversation):
    """`DELETE /api/conversations/{id}/delete/`."""

    http_method_names = ["delete", "options"]


class Lookup(TrackingView):
    """`GET /api/conversations/lookup/`."""

    def get(self, request: Request) -> Response:
        """Return the number of a conversation by its client's id."""
        sent = serializers.About(data={"conversation_id": request.query_params.get("conversation_id")})
        sent.is_valid(raise_exception=True)
        return Response(named(named_conversation(self.caller, sent.validated_data)))


class Change(TrackingView):
    """What the views have in common that change a conversation."""

    def change(self, sent: Serializer[Any], pk: str) -> Response:
        """Change what was sent; answer with the ids and what it is now. Raises ValidationError."""
        sent.is_valid(raise_exception=True)
        changes = dict(sent.validated_data)
        conversation = change_conversation(conversation_by_key(self.caller, pk), actor=self.caller.user, **changes)
        return Response(named(conversation) | changes)


class Rename(Change):
    """`PATCH /api/conversations/{id}/rename/`."""

    def patch(self, request: Request, pk: str) -> Response:
        """Give a conversation another name."""
        return self.change(serializers.Rename(data=request.data), pk)


class Mark(Change):
    """`POST /api/conversations/{id}/mark/`."""

    def post(self, request: Request, pk: str) -> Response:
        """Mark a conversation, or take the mark away."""
        return self.change(serializers.Mark(data=request.data), pk)


class Update(Change):
    """`PATCH /api/conversations/{id}/update/`."""

    def patch(self, request: Request, pk: str) -> Response:
        """Change several fields of a conversation; metadata is replaced."""
        return self.change(serializers.ConversationChange(data=request.data), pk)


class Attachments(TrackingView):
    """`GET /api/conversations/{id}/attachments/`."""

    def get(self, request: Request, pk: str) -> Response:
        """List a conversation's files with links to them."""
        conversation = conversation_by_key(self.caller, pk)
        messages = conversation.messages.filter(attachments__isnull=False).distinct()
        found = list(representation.with_parts(messages))
        return Response(representation.conversation_attachments(conversation, found, request))


class MetadataKeys(TrackingView):
    """`GET /api/conversations/metadata-keys/`, and the same of messages."""

    query = CONVERSATION_KEYS

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let nobody in who may not see people: metadata names them."""
        super().initial(request, *args, **kwargs)
        self.caller.require_people()

    def get(self, request: Request) -> Response:
        """List the keys that metadata ever had, up to a thousand."""
        return Response(self.listed({}))

    def listed(self, parameters: dict[str, Any]) -> list[Any]:
        """Return the first column of the query about what the caller reaches."""
        agent = self.caller.agent.pk if self.caller.agent else None
        scope = {"project": self.caller.project.pk, "agent": agent, "most": MOST_LISTED}
        with connection.cursor() as cursor:
            cursor.execute(self.query, scope | parameters)
            return [row[0] for row in cursor.fetchall()]


class MetadataValues(MetadataKeys):
    """`GET /api/conversations/metadata-values/`."""

    query = VALUES

    def get(self, request: Request) -> Response:
        """List the values that one key of metadata ever had, up to a thousand."""
        key = request.query_params.get("key", "").replace("\x00", "")
        if not key:
            raise ValidationError({"key": ["This field is required."]})
        return Response([json.loads(value) for value in self.listed({"key": key})])


def named(conversation: Conversation) -> dict[str, Any]:
    """Return both ids of a conversation."""
    return {"id": conversation.pk, "conversation_id": conversation.conversation_id}


def in_full(request: Request) -> bool:
    """Tell whether transcripts are wanted."""
    return request.query_params.get("full", "true").lower() not in ("false", "0")


def agent_of(request: Request) -> int | None:
    """Return the assistant that a person names by `?agent=`. Raises ValidationError for what is no number."""
    return Number().run_validation(request.query_params.get("agent")) if "agent" in request.query_params else None
