"""What requests of the tracking surface hold."""

import math
from typing import Any

from rest_framework import serializers

from feedback_ingest.models import Message
from feedback_ingest.services.spans import SentConversation, SentSpan, storable
from review.agentsight.fields import (
    Comment,
    Environment,
    Json,
    Line,
    MessageReference,
    Metadata,
    Moment,
    Number,
    Sentiment,
    Slug,
    Text,
)
from review.models import Feedback
from review.services.feedback import Verdict

NEEDS_A_CONVERSATION = "Either conversation or conversation_id is required."
KINDS = ("conversation", "message", "agent", "product")


class About(serializers.Serializer[Any]):
    """Names a conversation, by its number or by its client's own id."""

    conversation = Number()
    conversation_id = Line()

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Require one of the two."""
        if not sent.get("conversation") and not sent.get("conversation_id") and not sent.get("message"):
            raise serializers.ValidationError({"conversation": [NEEDS_A_CONVERSATION]})
        return sent


class ConversationSent(serializers.Serializer[Any]):
    """A conversation that begins, or goes on."""

    conversation_id = serializers.CharField(max_length=255)
    timestamp = Moment(source="started_at")
    customer_id = Line()
    customer_ip_address = serializers.IPAddressField(required=False, allow_null=True)
    device = Line()
    source = Line(source="origin")  # type: ignore[assignment]  # fields are taken out of the class
    language = Line()
    name = Line()
    environment = Environment(required=False, allow_null=True)
    metadata = Metadata()
    is_used = serializers.BooleanField(required=False, allow_null=True)


class ConversationChange(serializers.Serializer[Any]):
    """Fields of a conversation that are to be changed; metadata is replaced."""

    name = serializers.CharField(max_length=255, required=False)
    is_marked = serializers.BooleanField(required=False)
    customer_id = Line()
    device = Line()
    language = Line()
    metadata = Metadata(allow_null=False)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Require something to change."""
        if not sent:
            raise serializers.ValidationError({"detail": "At least one field must be provided for update."})
        return sent


class Rename(serializers.Serializer[Any]):
    """A conversation's other name."""

    name = serializers.CharField(max_length=255)


class Mark(serializers.Serializer[Any]):
    """Whether a conversation is marked."""

    is_marked = serializers.BooleanField()


class MessageSent(About):
    """Something said."""

    timestamp = Moment()
    content = serializers.CharField(trim_whitespace=False)
    sender = serializers.ChoiceField(Message.Sender.choices)
    metadata = Metadata()


class MessageChange(serializers.Serializer[Any]):
    """What can be changed of a message: what the client's application attached to it."""

    metadata = Metadata(required=True, allow_null=False)


class ActionSent(About):
    """Something done."""

    timestamp = Moment()
    action_name = serializers.CharField(max_length=255)
    started_at = Moment()
    ended_at = Moment()
    duration_ms = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=2**53)
    tools_used = Json(required=False, allow_null=True)
    response = Text()
    error_msg = Text()
    metadata = Metadata()


class ButtonSent(About):
    """A click."""

    timestamp = Moment()
    button_event = serializers.CharField(max_length=255)
    label = serializers.CharField(max_length=255)  # type: ignore[assignment]
    value = serializers.CharField()
    metadata = Metadata()


class FileSent(serializers.Serializer[Any]):
    """A file in base64."""

    filename = serializers.CharField()
    mime_type = serializers.CharField()
    data = serializers.CharField(trim_whitespace=False, allow_blank=True)  # type: ignore[assignment]


class AttachmentsSent(About):
    """Files of a message, of one that is there or of one of their own."""

    timestamp = Moment()
    sender = serializers.ChoiceField(Message.Sender.choices, default=Message.Sender.END_USER)
    metadata = Metadata()
    message = MessageReference()


class FilesSent(AttachmentsSent):
    """The same with the files in base64."""

    attachments = FileSent(many=True, allow_empty=False)


class ConversationVerdict(About):
    """A verdict on a conversation."""

    sentiment = Sentiment()
    comment = Comment()
    metadata = Metadata()


class VerdictSent(serializers.Serializer[Any]):
    """A verdict on a conversation, a message or an assistant."""

    kind = serializers.ChoiceField(KINDS)
    sentiment = Sentiment()
    comment = Comment()
    metadata = Metadata()
    topic = Slug()
    reason = Slug()
    conversation = Number()
    conversation_id = Line()
    message = MessageReference()
    agent = Number()
    environment = Environment(required=False, allow_null=True)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Refuse what does not belong to the kind, and require what it is about."""
        kind = sent["kind"]
        if kind != Feedback.Kind.MESSAGE:
            refuse_slugs(sent)
        if kind != Feedback.Kind.AGENT and sent.get("environment"):
            raise serializers.ValidationError({"environment": ["Only feedback of kind agent has an environment."]})
        if kind == Feedback.Kind.MESSAGE and not sent.get("message"):
            raise serializers.ValidationError({"message": ["This field is required."]})
        if kind == Feedback.Kind.CONVERSATION and not (sent.get("conversation") or sent.get("conversation_id")):
            raise serializers.ValidationError({"conversation": [NEEDS_A_CONVERSATION]})
        return sent


class VerdictChange(serializers.Serializer[Any]):
    """What can be changed of a verdict."""

    sentiment = Sentiment(required=False)
    comment = Comment()
    topic = Slug()
    reason = Slug()


class ActionDefinition(serializers.Serializer[Any]):
    """An action that an assistant has."""

    name = serializers.CharField(max_length=255)
    display_name = Line()
    description = Text(max_length=5_000)


class SpanSent(serializers.Serializer[Any]):
    """A finished span; attributes and events of any kind are taken."""

    span_id = serializers.RegexField(r"\A[0-9a-fA-F]{16}\Z")
    trace_id = serializers.RegexField(r"\A[0-9a-fA-F]{32}\Z")
    parent_span_id = serializers.RegexField(r"\A[0-9a-fA-F]{16}\Z", required=False, allow_null=True)
    kind = serializers.CharField(max_length=64, default="unknown")
    name = serializers.CharField(default="", allow_blank=True)
    started_at = Moment()
    ended_at = Moment()
    duration_ms = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=2**53)
    status = serializers.CharField(max_length=16, default="unset", allow_blank=True)
    attributes = serializers.DictField(default=dict)
    events = serializers.ListField(default=list)

    def to_internal_value(self, data: Any) -> SentSpan:
        """Return the span with everything that it came with."""
        sent = super().to_internal_value(data)
        duration = sent.get("duration_ms")
        return SentSpan(
            span_id=sent["span_id"].lower(),
            trace_id=sent["trace_id"].lower(),
            parent_span_id=sent.get("parent_span_id"),
            kind=sent["kind"],
            name=sent["name"][:255],
            status=sent["status"],
            started_at=sent.get("started_at"),
            ended_at=sent.get("ended_at"),
            duration_ms=duration if duration is not None and math.isfinite(duration) else None,
            attributes=sent["attributes"],
            events=sent["events"],
            whole=data,
        )


class BlockSent(ConversationSent):
    """The spans of one conversation, with what its client says of it now."""

    spans = SpanSent(many=True, default=list)

    def to_internal_value(self, data: Any) -> SentConversation:
        """Return the block, its texts such as can be stored."""
        sent = super().to_internal_value(storable(data))
        return SentConversation(sent.pop("conversation_id"), spans=sent.pop("spans"), fields=given(sent))


def given(sent: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a conversation that a client had something to say of."""
    return {name: value for name, value in sent.items() if value is not None and name != "is_used"}


def refuse_slugs(sent: dict[str, Any]) -> None:
    """Raise ValidationError for the slugs that only feedback on a message has."""
    wrong = {name: ["Only feedback of kind message has one."] for name in ("topic", "reason") if sent.get(name)}
    if wrong:
        raise serializers.ValidationError(wrong)


def verdict(sent: dict[str, Any]) -> Verdict:
    """Return what was said; what is left out stays unsaid."""
    return Verdict(
        sent["sentiment"],
        reason=sent.get("reason"),
        topic=sent.get("topic"),
        comment=sent.get("comment"),
        metadata=sent.get("metadata"),
    )
