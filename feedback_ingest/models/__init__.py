"""What the app stores: feedback, the people behind it, and tracked conversations."""

from feedback_ingest.models.conversations import Conversation, Message
from feedback_ingest.models.items import ConversationPart, FeedbackItem, IdempotencyKey, SpeakerRule
from feedback_ingest.models.people import Account, Alias, Person

__all__ = [
    "Account",
    "Alias",
    "Conversation",
    "ConversationPart",
    "FeedbackItem",
    "IdempotencyKey",
    "Message",
    "Person",
    "SpeakerRule",
]
