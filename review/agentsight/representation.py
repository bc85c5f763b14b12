"""How conversations, messages, verdicts and files read on the wire."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.signing import TimestampSigner
from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from rest_framework.request import Request

from feedback_ingest.models import Action, ActionLog, Attachment, Button, Conversation, Message
from review.models import Feedback

SIGNER = TimestampSigner(salt="agentsight.attachment")
LINK_SECONDS = 3600
MESSAGES = "told_messages"
VERDICTS = "told_feedback"


def with_transcript(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Fetch with conversations what they are shown with, in a fixed number of queries."""
    verdicts: QuerySet[Feedback] = Feedback.objects.current().order_by("pk")
    verdicts = verdicts.defer("search", "original_query", "original_response")
    rows = rows.prefetch_related(Prefetch("messages", with_parts(Message.objects.all()), to_attr=MESSAGES))
    return rows.prefetch_related(Prefetch("feedback", verdicts, to_attr=VERDICTS))


def with_parts(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Fetch with messages, in their order, what was done, clicked and sent in them."""
    parts: QuerySet[Message] = messages.select_related("button").order_by("sent_at", "pk")
    parts = parts.prefetch_related(Prefetch("attachments", Attachment.objects.order_by("pk")))
    return parts.prefetch_related(Prefetch("action_logs", ActionLog.objects.order_by("pk")))


def conversation_summary(conversation: Conversation, *, personal: bool) -> dict[str, Any]:
    """Return a conversation without its transcript; without `personal` who it was with is masked."""
    return {
        "id": conversation.pk,
        "conversation_id": conversation.conversation_id,
        "agent": conversation.agent_id,
        "name": conversation.name,
        "customer_id": conversation.customer_id if personal else None,
        "customer_ip_address": conversation.customer_ip_address if personal else None,
        "device": conversation.device,
        "source": conversation.origin,
        "language": conversation.language,
        "environment": conversation.environment,
        "is_marked": conversation.is_marked,
        "is_deleted": conversation.deleted_at is not None,
        "is_used": conversation.is_used,
        "started_at": conversation.started_at,
        "ended_at": conversation.ended_at,
        "deleted_at": conversation.deleted_at,
        "metadata": conversation.metadata if personal else {},
        # Nothing here looks addresses up.
        "geo_location": None,
    }


def conversation_in_full(conversation: Conversation, request: Request, *, personal: bool) -> dict[str, Any]:
    """Return a conversation of `with_transcript` with its messages and verdicts."""
    verdicts: list[Feedback] = getattr(conversation, VERDICTS)
    votes_given = votes(verdicts)
    messages: list[Message] = getattr(conversation, MESSAGES)
    return conversation_summary(conversation, personal=personal) | {
        "messages": [
            message_row(message, votes_given.get(message.pk), request, personal=personal) for message in messages
        ],
        "feedbacks": [_brief_verdict(verdict, personal=personal) for verdict in verdicts],
        "tickets": [],
    }


def votes(verdicts: Iterable[Feedback]) -> dict[int | None, Feedback]:
    """Return the one vote of each message, by its key; the customer's comes before that of the platform."""
    given = [verdict for verdict in verdicts if verdict.channel == Feedback.Channel.AGENTSIGHT]
    given.sort(key=lambda verdict: verdict.origin == Feedback.Origin.CUSTOMER)
    return {verdict.message_id: verdict for verdict in given if verdict.kind == Feedback.Kind.MESSAGE}


def message_row(message: Message, vote: Feedback | None, request: Request, *, personal: bool) -> dict[str, Any]:
    """Return a message with what was done, clicked and sent in it, and its verdict."""
    button: Button | None = getattr(message, "button", None)
    return {
        "id": message.pk,
        "message_id": message.uuid,
        "timestamp": message.sent_at,
        "sender": message.sender,
        "content": message.content,
        "action_name": message.action_name,
        "metadata": message.metadata if personal else {},
        "attachments": [attachment_row(attachment, request) for attachment in message.attachments.all()],
        "action_logs": [action_log_row(log, personal=personal) for log in message.action_logs.all()],
        "button": button and button_row(button),
        "feedback": vote and _brief_verdict(vote, personal=personal),
    }


def attachment_row(attachment: Attachment, request: Request) -> dict[str, Any]:
    """Return a file with a link to it, which is good for an hour."""
    main = attachment.mime_type.partition("/")[0]
    token = SIGNER.sign_object([attachment.project_id, attachment.pk])
    address = reverse("agentsight-attachment-file", kwargs={"pk": attachment.pk})
    return {
        "id": attachment.pk,
        "type": main if main in ("image", "audio", "video") else "document",
        "filename": attachment.filename,
        "mime_type": attachment.mime_type,
        "size_bytes": attachment.size_bytes,
        "file_url": request.build_absolute_uri(f"{address}?token={token}"),
    }


def action_log_row(log: ActionLog, *, personal: bool = True) -> dict[str, Any]:
    """Return one time that an action was carried out."""
    return {
        "id": log.pk,
        "started_at": log.started_at,
        "ended_at": log.ended_at,
        "duration_ms": log.duration_ms,
        "tools_used": log.tools_used,
        "response": log.response,
        "error_message": log.error_message,
        "metadata": log.metadata if personal else {},
    }


def button_row(button: Button) -> dict[str, Any]:
    """Return a click."""
    return {"id": button.pk, "button_event": button.event, "label": button.label, "value": button.value}


def tracked(message: Message, conversation: Conversation) -> dict[str, Any]:
    """Return what every answer to something tracked begins with: the ids of its line in the transcript."""
    return {
        "id": message.pk,
        "message": message.pk,
        "message_id": message.uuid,
        "conversation": conversation.pk,
        "conversation_id": conversation.conversation_id,
        "timestamp": message.sent_at,
    }


def conversation_attachments(
    conversation: Conversation, messages: Sequence[Message], request: Request
) -> dict[str, Any]:
    """Return the files of a conversation, message by message."""
    with_files = [message for message in messages if message.attachments.all()]
    return {
        "conversation": conversation.pk,
        "conversation_id": conversation.conversation_id,
        "total_attachments": sum(len(message.attachments.all()) for message in with_files),
        "messages": [
            {
                "id": message.pk,
                "message_id": message.uuid,
                "sender": message.sender,
                "timestamp": message.sent_at,
                "attachments": [attachment_row(attachment, request) for attachment in message.attachments.all()],
            }
            for message in with_files
        ],
    }


def verdict_row(verdict: Feedback, *, personal: bool) -> dict[str, Any]:
    """Return a verdict; it has to come with its conversation and message."""
    return _brief_verdict(verdict, personal=personal) | {
        "agent": verdict.tracked_agent_id,
        "conversation": verdict.conversation_id,
        "conversation_id": verdict.conversation.conversation_id if verdict.conversation else None,
        "environment": verdict.environment,
        "category": None,
        "user": verdict.user_id if personal else None,
        "updated_at": verdict.updated_at,
    }


def action_row(action: Action) -> dict[str, Any]:
    """Return what an assistant can do."""
    return {
        "id": action.pk,
        "agent": action.agent_id,
        "name": action.name,
        "display_name": action.display_name,
        "description": action.description,
        "created_at": action.created_at,
        "updated_at": action.updated_at,
    }


def _brief_verdict(verdict: Feedback, *, personal: bool) -> dict[str, Any]:
    return {
        "id": verdict.pk,
        "kind": verdict.kind,
        "message": verdict.message_id,
        "sentiment": verdict.sentiment,
        "source": verdict.origin,
        "comment": verdict.comment,
        "topic": verdict.topic,
        "reason": verdict.reason,
        "metadata": verdict.metadata if personal else {},
        "created_at": verdict.created_at,
    }
