"""How verdicts and golden examples read on the wire."""

from typing import Any

from review.models import Feedback, FeedbackSettings, GoldenExample
from review.services.settings import SWITCHES


def own_feedback(feedback: Feedback) -> dict[str, Any]:
    """Return a verdict as its author sees it."""
    return {
        "id": feedback.uuid,
        "message_id": _answer_id(feedback),
        "user_id": _user_id(feedback),
        "feedback_type": feedback.sentiment,
        "reason": feedback.words,
        "status": feedback.status,
        "reviewed_by": _id(feedback.reviewed_by_id),
        "reviewed_at": feedback.reviewed_at,
        "created_at": feedback.created_at,
    }


def feedback_with_context(feedback: Feedback, *, personal: bool) -> dict[str, Any]:
    """Return a verdict as a reviewer sees it; without `personal` its author is masked.

    The rows have to come from `with_context()`, or each costs several queries.
    """
    example: GoldenExample | None = getattr(feedback, "golden_example", None)
    author, email = _user_id(feedback), feedback.user_email
    return {
        "id": feedback.uuid,
        "message_id": _answer_id(feedback),
        "user_id": author if personal or feedback.user_id else masked(author),
        "user_email": email if personal else masked(email),
        "feedback_type": feedback.sentiment,
        "reason": feedback.words,
        "status": feedback.status,
        "reviewed_by": _id(feedback.reviewed_by_id),
        "reviewer_email": feedback.reviewed_by.email if feedback.reviewed_by else None,
        "reviewed_at": feedback.reviewed_at,
        "created_at": feedback.created_at,
        "original_query": feedback.original_query or "",
        "original_response": feedback.original_response or "",
        "chat_id": _chat_id(feedback),
        "has_golden_example": example is not None,
        "golden_example_id": example.pk if example else None,
        "golden_response": example.golden_response if example else None,
    }


def settings_response(settings: FeedbackSettings) -> dict[str, bool]:
    """Return the four switches."""
    return {name: getattr(settings, name) for name in SWITCHES}


def golden_example(example: GoldenExample) -> dict[str, Any]:
    """Return an example; the id of its point in the vector index is its own."""
    return {
        "id": example.pk,
        "feedback_id": example.feedback.uuid if example.feedback else None,
        "source_type": example.source_type,
        "approval_type": example.approval_type,
        "original_query": example.original_query,
        "original_response": example.original_response,
        "golden_response": example.golden_response,
        "qdrant_point_id": example.pk if example.vector_model else None,
        "created_by": _id(example.created_by_id),
        "creator_email": example.created_by.email if example.created_by else None,
        "is_active": example.is_active,
        "created_at": example.created_at,
        "updated_at": example.updated_at,
    }


def masked(text: str | None) -> str | None:
    """Leave the first letter, and of an e-mail the domain."""
    if not text:
        return text
    _, at, domain = text.rpartition("@")
    return f"{text[0]}***{at}{domain if at else ''}"


def _answer_id(feedback: Feedback) -> Any:
    return feedback.message.uuid if feedback.message else feedback.run_id


def _user_id(feedback: Feedback) -> str | None:
    return _id(feedback.user_id) or feedback.external_user_id or None


def _chat_id(feedback: Feedback) -> str | None:
    if feedback.conversation:
        return feedback.conversation.conversation_id
    return feedback.run.conversation_id if feedback.run else None


def _id(key: int | None) -> str | None:
    return str(key) if key is not None else None
