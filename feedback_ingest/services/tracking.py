"""How conversations are tracked: what is said and done in them is stored once, however often it is sent."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from config.errors import DomainError
from feedback_ingest.models import Action, ActionLog, Button, Conversation, Message, TokenUsage
from projects import audit
from projects.models import TrackedAgent, User

CHANGEABLE = ("name", "is_marked", "customer_id", "device", "language", "metadata")
USAGE_ACTION = "token_usage"


@dataclass(frozen=True, slots=True)
class Said:
    """A message as a client tells of it; without `at` it was said now."""

    sender: str
    content: str
    metadata: dict[str, Any] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """An action as a client tells of it; `duration_ms` in milliseconds."""

    name: str
    metadata: dict[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_ms: int | None = None
    tools_used: Any = None
    response: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class Clicked:
    """A click as a client tells of it."""

    event: str
    label: str
    value: str
    metadata: dict[str, Any] = field(default_factory=dict)
    at: datetime | None = None


def get_or_create_conversation(
    agent: TrackedAgent, conversation_id: str, *, is_used: bool = False, **fields: Any
) -> tuple[Conversation, bool]:
    """Return an assistant's conversation, and whether it was begun now; one that exists keeps its data.

    Only `is_used` is taken over, and never taken back.
    """
    conversation, created = Conversation.objects.select_related("project", "agent").get_or_create(
        project=agent.project, agent=agent, conversation_id=conversation_id, defaults=fields | {"is_used": is_used}
    )
    if is_used and not conversation.is_used:
        conversation.is_used = True
        conversation.save(update_fields=["is_used"])
    return conversation, created


def change_conversation(conversation: Conversation, *, actor: User | None, **changes: Any) -> Conversation:
    """Change what is named of `CHANGEABLE`; metadata is replaced. `actor` is None where a program asks for it."""
    if unknown := changes.keys() - set(CHANGEABLE):
        raise TypeError(f"not to be changed: {', '.join(sorted(unknown))}")
    for name, value in changes.items():
        setattr(conversation, name, value)
    with transaction.atomic():
        conversation.save(update_fields=list(changes))
        _note("conversation.changed", conversation, actor, fields=sorted(changes))
    return conversation


def delete_conversation(conversation: Conversation, *, actor: User | None) -> Conversation:
    """Hide a conversation from lists; one that is hidden already stays as it is."""
    with transaction.atomic():
        hidden = Conversation.objects.filter(pk=conversation.pk, deleted_at=None).update(deleted_at=timezone.now())
        if hidden:
            _note("conversation.deleted", conversation, actor)
    conversation.refresh_from_db(fields=["deleted_at"])
    return conversation


@transaction.atomic
def track_message(conversation: Conversation, said: Said) -> tuple[Message, bool]:
    """Store a message; the same one sent again is returned. Tell whether it was stored now."""
    return _message(conversation, said)


def create_message(conversation: Conversation, said: Said) -> Message:
    """Store a message, whether or not there is one like it. Needs an open transaction."""
    engage(conversation)
    return _create(conversation, said, None)


def track_action(conversation: Conversation, done: Done) -> tuple[ActionLog, bool]:
    """Store an action that was carried out, with its line in the transcript; the same one again is returned.

    Token counts that clients send as an action are counted as usage too.
    """
    # Before the conversation is locked: who stores a batch meets definitions and conversations in this order.
    action = named_action(conversation.agent, done.name)
    with transaction.atomic():
        return _action_log(conversation, action, done)


def _action_log(conversation: Conversation, action: Action, done: Done) -> tuple[ActionLog, bool]:
    said = Said(Message.Sender.AGENT, f"Action {done.name} performed", at=done.at)
    message, is_first = _message(conversation, said, action_name=done.name)
    if not is_first:
        return message.action_logs.select_related("message").get(), False
    log = ActionLog.objects.create(
        project=conversation.project,
        action=action,
        message=message,
        started_at=done.started_at,
        ended_at=done.ended_at,
        duration_ms=done.duration_ms,
        tools_used=done.tools_used,
        response=done.response,
        error_message=done.error_message,
        metadata=done.metadata,
    )
    if done.name == USAGE_ACTION:
        _count_usage(conversation, message, done.metadata)
    return log, True


@transaction.atomic
def track_button(conversation: Conversation, clicked: Clicked) -> tuple[Button, bool]:
    """Store a click, with its line in the transcript; the same one sent again is returned."""
    said = Said(Message.Sender.END_USER, clicked.label, clicked.metadata, clicked.at)
    message, _ = _message(conversation, said)
    return Button.objects.select_related("message").get_or_create(
        message=message,
        defaults={
            "project": conversation.project,
            "event": clicked.event,
            "label": clicked.label,
            "value": clicked.value,
        },
    )


def named_action(agent: TrackedAgent, name: str) -> Action:
    """Return the assistant's action of this name; its first mention defines it."""
    action, _ = Action.objects.get_or_create(
        project=agent.project, agent=agent, name=name, defaults={"display_name": name}
    )
    return action


def define_action(agent: TrackedAgent, name: str, *, display_name: str, description: str) -> Action:
    """Define an action before it is carried out. Raises DomainError where the assistant has one of this name."""
    action, created = Action.objects.get_or_create(
        project=agent.project,
        agent=agent,
        name=name,
        defaults={"display_name": display_name or name, "description": description},
    )
    if not created:
        raise _taken(name)
    return action


@transaction.atomic
def change_action(action: Action, **changes: str) -> Action:
    """Change `name`, `display_name` or `description`. Raises DomainError where another action has that name."""
    name = changes.get("name", action.name)
    same = Action.objects.filter(project=action.project, agent=action.agent, name=name).exclude(pk=action.pk)
    if same.exists():
        raise _taken(name)
    for field_name, value in changes.items():
        setattr(action, field_name, value)
    action.updated_at = timezone.now()
    action.save(update_fields=[*changes, "updated_at"])
    return action


def change_message_metadata(message: Message, metadata: dict[str, Any]) -> Message:
    """Replace what the client's application attached to a message."""
    message.metadata = metadata
    message.save(update_fields=["metadata"])
    return message


def _message(conversation: Conversation, said: Said, *, action_name: str | None = None) -> tuple[Message, bool]:
    engage(conversation)
    # Clients send again what timed out, with the moment (to the microsecond) at which they noted it.
    known = (
        said.at
        and Message.objects.filter(
            conversation=conversation,
            sent_at=said.at,
            sender=said.sender,
            content=said.content,
            action_name=action_name,
        ).first()
    )
    return (known, False) if known else (_create(conversation, said, action_name), True)


def _create(conversation: Conversation, said: Said, action_name: str | None) -> Message:
    return Message.objects.create(
        uuid=uuid4(),
        project=conversation.project,
        conversation=conversation,
        sender=said.sender,
        content=said.content,
        action_name=action_name,
        metadata=said.metadata,
        sent_at=said.at or timezone.now(),
    )


def engage(conversation: Conversation) -> None:
    """Lock a conversation, so that what is sent twice at once is seen, and note that somebody uses it.

    Needs an open transaction.
    """
    locked = Conversation.objects.select_for_update(no_key=True).only("is_used").get(pk=conversation.pk)
    if not locked.is_used:
        Conversation.objects.filter(pk=conversation.pk).update(is_used=True)


def _count_usage(conversation: Conversation, message: Message, metadata: dict[str, Any]) -> None:
    names = ("prompt_tokens", "completion_tokens", "embedding_tokens")
    TokenUsage.objects.create(
        project=conversation.project,
        conversation=conversation,
        turn_id=f"message-{message.pk}",
        calls=1,
        started_at=message.sent_at,
        **{name: token_count(metadata.get(name)) for name in names},
    )


def token_count(value: Any) -> int:
    """Return a number of tokens from what a client sent for one; 0 for what is none."""
    is_count = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**62
    return int(value) if is_count else 0


def _note(verb: str, conversation: Conversation, actor: User | None, **details: Any) -> None:
    if actor is not None:
        audit.record(verb, conversation, actor=actor, project=conversation.project, **details)


def _taken(name: str) -> DomainError:
    return DomainError(f"This agent already has an action named {name!r}.", code="name_taken")
