"""Batches of finished spans: told from repeated ones, and read into messages, actions, clicks and token usage."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from feedback_ingest.models import Action, ActionLog, Button, Conversation, Message, Span, TokenUsage
from feedback_ingest.services.tracking import get_or_create_conversation, named_action, token_count
from projects.models import TrackedAgent

TURN: Final = "turn"
ACTIONS: Final = ("tool", "task")
MODEL_CALL: Final = "llm"
CLICK: Final = "button"
VISIT: Final = "conversation"
MESSAGE_EVENT: Final = "agentsight.message"
# How spans name the numbers of tokens.
TOKENS: Final = {
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "agentsight.llm.cache_read_tokens",
    "cache_write_tokens": "agentsight.llm.cache_write_tokens",
    "embedding_tokens": "agentsight.llm.embedding_tokens",
    "reasoning_tokens": "agentsight.llm.reasoning_tokens",
}


@dataclass(frozen=True, slots=True)
class SentSpan:
    """A span as a client sent it, its form checked and its texts storable; `whole` is all of it."""

    span_id: str
    trace_id: str
    parent_span_id: str | None
    kind: str
    name: str
    status: str
    started_at: datetime | None
    ended_at: datetime | None
    duration_ms: float | None
    attributes: Mapping[str, Any]
    events: Sequence[Any]
    whole: Mapping[str, Any]

    @property
    def turn_id(self) -> str:
        """The turn that it belongs to; empty outside of turns."""
        return self.text("agentsight.turn.id")[:64]

    @property
    def is_complete(self) -> bool:
        """Whether a turn came to its end."""
        return self.attributes.get("agentsight.turn.complete") is True

    def text(self, *names: str) -> str:
        """Return the first of these attributes that is a text with something in it."""
        found = (self.attributes.get(name) for name in names)
        return next((value for value in found if isinstance(value, str) and value), "")


@dataclass(frozen=True, slots=True)
class SentConversation:
    """The spans of one conversation, and what its client says of it."""

    conversation_id: str
    fields: Mapping[str, Any]
    spans: Sequence[SentSpan]


@dataclass(slots=True)
class Reading:
    """What is read from the spans of one conversation."""

    conversation: Conversation
    actions: Mapping[str, Action]
    messages: list[Message] = field(default_factory=list)
    logs: list[ActionLog] = field(default_factory=list)
    clicks: list[Button] = field(default_factory=list)

    def message(self, sender: str, content: str, **fields: Any) -> Message:
        """Note a message; it is stored with the others."""
        row = Message(
            uuid=uuid4(),
            project=self.conversation.project,
            conversation=self.conversation,
            sender=sender,
            content=content,
            **fields,
        )
        self.messages.append(row)
        return row

    def save(self) -> None:
        """Store everything in the order in which it happened."""
        self.messages.sort(key=lambda message: message.sent_at)
        Message.objects.bulk_create(self.messages)
        ActionLog.objects.bulk_create(self.logs)
        Button.objects.bulk_create(self.clicks)


def store_batch(agent: TrackedAgent, blocks: Sequence[SentConversation]) -> list[Conversation]:
    """Store all of a batch or nothing; spans that are known are passed over. Return the conversations in order."""
    names = {action_name(span) for block in blocks for span in block.spans if span.kind in ACTIONS}
    # Definitions first and conversations in the order of their ids, so that two batches cannot lock each other out.
    actions = {name: named_action(agent, name) for name in sorted(names)}
    with transaction.atomic():
        stored = {
            index: _store(agent, block, actions)
            for index, block in sorted(enumerate(blocks), key=lambda entry: entry[1].conversation_id)
        }
    return [stored[index] for index in range(len(blocks))]


def action_name(span: SentSpan) -> str:
    """Return the name by which an action is known."""
    return (span.text("agentsight.tool.name", "agentsight.entity.name") or span.name)[:255]


def _store(agent: TrackedAgent, block: SentConversation, actions: Mapping[str, Action]) -> Conversation:
    engaged = any(span.kind != VISIT for span in block.spans)
    conversation, created = get_or_create_conversation(agent, block.conversation_id, is_used=engaged, **block.fields)
    Conversation.objects.select_for_update(no_key=True).only("pk").get(pk=conversation.pk)
    if not created and block.fields:
        for name, value in block.fields.items():
            setattr(conversation, name, value)
        conversation.save(update_fields=list(block.fields))
    spans = _unknown(conversation, block.spans)
    unfinished = {span.turn_id or span.span_id: _reason(span) for span in spans if _is_unfinished(span)}
    reading = Reading(conversation, actions)
    read = {span.span_id for span in spans if _read(span, reading, unfinished)}
    reading.save()
    _count_usage(conversation, [span for span in spans if span.kind == MODEL_CALL], unfinished)
    Span.objects.bulk_create(_archived(conversation, span, is_read=span.span_id in read) for span in spans)
    return conversation


def _unknown(conversation: Conversation, spans: Iterable[SentSpan]) -> list[SentSpan]:
    sent = {span.span_id: span for span in spans}
    known = Span.objects.filter(conversation=conversation, span_id__in=sent).values_list("span_id", flat=True)
    for span_id in known:
        del sent[span_id]
    return list(sent.values())


def _is_unfinished(span: SentSpan) -> bool:
    return span.kind == TURN and not span.is_complete


def _reason(span: SentSpan) -> str:
    return span.text("agentsight.turn.incomplete_reason")[:64] or "abandoned"


def _read(span: SentSpan, reading: Reading, unfinished: Mapping[str, str]) -> bool:
    """Read a span; tell whether there was something to read. An unfinished turn leaves no trace in the transcript."""
    if span.kind == MODEL_CALL:
        return True
    if span.turn_id in unfinished or _is_unfinished(span):
        return False
    if span.kind == TURN:
        _read_turn(span, reading)
    elif span.kind in ACTIONS:
        _read_action(span, reading)
    elif span.kind == CLICK:
        _read_click(span, reading)
    else:
        return False
    return True


def _read_turn(span: SentSpan, reading: Reading) -> None:
    for event in span.events:
        if not isinstance(event, dict) or event.get("name") != MESSAGE_EVENT:
            continue
        said = event.get("attributes")
        if not isinstance(said, dict) or said.get("agentsight.message.sender") not in Message.Sender.values:
            continue
        reading.message(
            said["agentsight.message.sender"],
            str(said.get("agentsight.message.content") or ""),
            metadata=_document(said.get("agentsight.message.metadata")),
            sent_at=_moment(event.get("timestamp")) or _began(span),
        )


def _read_action(span: SentSpan, reading: Reading) -> None:
    name = action_name(span)
    message = reading.message(Message.Sender.AGENT, f"Action {name} performed", action_name=name, sent_at=_began(span))
    reading.logs.append(
        ActionLog(
            project=reading.conversation.project,
            action=reading.actions[name],
            message=message,
            started_at=span.started_at,
            ended_at=span.ended_at,
            duration_ms=None if span.duration_ms is None else round(span.duration_ms),
            tools_used=_parsed(span.text("agentsight.tool.arguments", "agentsight.entity.input")),
            response=span.text("agentsight.tool.response", "agentsight.entity.output") or None,
            error_message=span.text("agentsight.tool.error") or None,
            metadata=_document(span.attributes.get("agentsight.metadata")),
        )
    )


def _read_click(span: SentSpan, reading: Reading) -> None:
    label = span.text("agentsight.button.label")[:255]
    message = reading.message(
        Message.Sender.END_USER,
        label,
        metadata=_document(span.attributes.get("agentsight.metadata")),
        sent_at=_began(span),
    )
    reading.clicks.append(
        Button(
            project=reading.conversation.project,
            message=message,
            event=span.text("agentsight.button.event")[:255],
            label=label,
            value=span.text("agentsight.button.value"),
        )
    )


def _count_usage(conversation: Conversation, calls: Iterable[SentSpan], unfinished: Mapping[str, str]) -> None:
    for call in calls:
        model = call.text("gen_ai.request.model", "gen_ai.response.model")[:255]
        usage, _ = TokenUsage.objects.get_or_create(
            conversation=conversation,
            turn_id=call.turn_id,
            model=model,
            defaults={"project": conversation.project, "started_at": _began(call)},
        )
        usage.calls += 1
        usage.unreported_calls += call.attributes.get("agentsight.llm.usage_reported") is False
        for name, attribute in TOKENS.items():
            setattr(usage, name, getattr(usage, name) + token_count(call.attributes.get(attribute)))
        usage.started_at = min(usage.started_at, _began(call))
        usage.incomplete_reason = unfinished.get(call.turn_id, usage.incomplete_reason)
        usage.save()


def _archived(conversation: Conversation, span: SentSpan, *, is_read: bool) -> Span:
    return Span(
        project=conversation.project,
        conversation=conversation,
        span_id=span.span_id,
        trace_id=span.trace_id,
        parent_span_id=span.parent_span_id,
        kind=span.kind,
        name=span.name,
        status=span.status,
        started_at=span.started_at,
        ended_at=span.ended_at,
        payload=None if is_read else span.whole,
    )


def storable(value: Any) -> Any:
    """Return JSON that PostgreSQL can hold: without NUL, halves of characters, and numbers without end."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {storable(name): storable(part) for name, part in value.items()}
    if isinstance(value, list):
        return [storable(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _began(span: SentSpan) -> datetime:
    return span.started_at or span.ended_at or timezone.now()


def _moment(text: Any) -> datetime | None:
    try:
        moment = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=timezone.get_default_timezone())


def _parsed(text: str) -> Any:
    """Return a text as the JSON that it is, else as it reads; None for an empty one."""
    try:
        return storable(json.loads(text)) if text else None
    except (ValueError, RecursionError):
        return text


def _document(value: Any) -> dict[str, Any]:
    parsed = _parsed(value) if isinstance(value, str) else value
    return parsed if isinstance(parsed, dict) else {}
