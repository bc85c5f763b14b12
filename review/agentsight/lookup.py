"""Finding what a request names, among what its caller reaches."""

from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from feedback_ingest.models import Conversation, Message
from feedback_ingest.services.tracking import get_or_create_conversation
from projects.querysets import TenantQuerySet
from review.agentsight.caller import Caller, missing, number
from review.models import Feedback

M = TypeVar("M", bound=Model)


def conversation_by_key(caller: Caller, pk: str) -> Conversation:
    """Return the conversation of this number, also a deleted one. Raises DomainError where there is none."""
    return _one(caller.conversations.filter(pk=number(pk, "conversation")), "conversation")


def named_conversation(caller: Caller, sent: dict[str, Any]) -> Conversation:
    """Return the conversation that a request names. Raises DomainError where there is none, or it is deleted."""
    rows = caller.conversations.filter(deleted_at=None).order_by("-started_at", "-pk")
    return _one(_named(rows, sent), "conversation")


def tracked_conversation(caller: Caller, sent: dict[str, Any], agent: int | None) -> Conversation:
    """Return the conversation that something is tracked in; the client's own id begins one where there is none.

    Raises DomainError for a number that there is none of, and where a person has to name the assistant.
    """
    rows = _named(caller.conversations.order_by("-started_at", "-pk"), sent)
    if sent.get("conversation"):
        return _one(rows, "conversation")
    found: Conversation | None = rows.first()
    return found or get_or_create_conversation(caller.agent_named(agent), sent["conversation_id"])[0]


def named_message(caller: Caller, reference: int | UUID) -> Message:
    """Return the message of this number or UUID. Raises DomainError where there is none."""
    key = "uuid" if isinstance(reference, UUID) else "pk"
    return _one(caller.messages.filter(**{key: reference}), "message")


def feedback_by_key(caller: Caller, pk: str) -> Feedback:
    """Return the verdict of this number. Raises DomainError where there is none."""
    rows = caller.feedback.filter(pk=number(pk, "feedback")).defer("search")
    return _one(rows.select_related("project", "conversation", "message"), "feedback")


def _named(rows: TenantQuerySet[Conversation], sent: dict[str, Any]) -> TenantQuerySet[Conversation]:
    if key := sent.get("conversation"):
        return rows.filter(pk=key)
    return rows.filter(conversation_id=sent["conversation_id"])


def _one(rows: QuerySet[M], subject: str) -> M:
    row: M | None = rows.first()
    if row is None:
        raise missing(subject)
    return row
