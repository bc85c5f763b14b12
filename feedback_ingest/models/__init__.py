"""What the app stores: feedback, the people behind it, and tracked conversations."""

from feedback_ingest.models.conversations import Conversation, Message
from feedback_ingest.models.items import ConversationPart, FeedbackItem, IdempotencyKey, SpeakerRule
from feedback_ingest.models.people import Account, Alias, Person
from feedback_ingest.models.tracking import Action, ActionLog, Attachment, Button, Span, TokenUsage

__all__ = [
    "Account",
    "Action",
    "ActionLog",
    "Alias",
    "Attachment",
    "Button",
    "Conversation",
    "ConversationPart",
    "FeedbackItem",
    "IdempotencyKey",
    "Message",
    "Person",
    "Span",
    "SpeakerRule",
    "TokenUsage",
]
