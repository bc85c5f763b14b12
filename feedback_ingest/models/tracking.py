"""What else is tracked of a conversation: files, actions, clicks, tokens, and spans as they came."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from feedback_ingest.models.conversations import Conversation, Message
from projects.models import Project, TrackedAgent
from projects.querysets import TenantQuerySet


class Attachment(models.Model):
    """A file that was sent with a message; its bytes are below the media folder."""

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments")
    filename = models.CharField(max_length=255)
    mime_type = models.CharField(max_length=127)
    size_bytes = models.PositiveBigIntegerField()
    path = models.CharField(max_length=100, unique=True, help_text="Below the media folder.")
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"attachment {self.pk}"


class Action(models.Model):
    """Something that an assistant can do, known by its name; each time that it did it is an ActionLog."""

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    agent = models.ForeignKey(TrackedAgent, models.CASCADE, related_name="actions", db_index=False)
    name = models.CharField(max_length=255)
    display_name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "agent", "name"], name="action_once")]

    def __str__(self) -> str:
        return f"action {self.pk}"


class ActionLog(models.Model):
    """One time that an assistant did something, shown in the transcript by its message."""

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    action = models.ForeignKey(Action, models.CASCADE, related_name="logs")
    message = models.ForeignKey(Message, models.CASCADE, related_name="action_logs")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    duration_ms = models.PositiveBigIntegerField(null=True)
    tools_used = models.JSONField(null=True)
    response = models.TextField(null=True)
    error_message = models.TextField(null=True)
    metadata = models.JSONField(default=dict)

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"action log {self.pk}"


class Button(models.Model):
    """A click of a user on something that the assistant offered, shown in the transcript by its message."""

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    message = models.OneToOneField(Message, models.CASCADE, related_name="button")
    event = models.CharField(max_length=255)
    label = models.CharField(max_length=255)
    value = models.TextField()

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"button {self.pk}"


class Span(models.Model):
    """A finished span of an assistant's work. By its id a repeated batch is told from a new one.

    What a span says is read into messages, action logs, clicks and token usage; `payload` keeps the span itself
    only where nothing was read from it.
    """

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="spans", db_index=False)
    span_id = models.CharField(max_length=16)
    trace_id = models.CharField(max_length=32)
    parent_span_id = models.CharField(max_length=16, null=True)
    kind = models.CharField(max_length=64)
    name = models.CharField(max_length=255)
    status = models.CharField(max_length=16)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    payload = models.JSONField(null=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "span_id"], name="span_once")]

    def __str__(self) -> str:
        return f"span {self.pk}"


class TokenUsage(models.Model):
    """The tokens that one model used in one turn; a turn's calls of one model are one row."""

    TOKENS: ClassVar[tuple[str, ...]] = (
        "prompt_tokens", "completion_tokens", "cache_read_tokens", "cache_write_tokens", "embedding_tokens",
        "reasoning_tokens",
    )  # fmt: skip

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="token_usage", db_index=False)
    turn_id = models.CharField(max_length=64, help_text="Empty for usage that no turn is named for.")
    model = models.CharField(max_length=255, help_text="Empty where the client did not name it.")
    calls = models.PositiveIntegerField(default=0)
    unreported_calls = models.PositiveIntegerField(default=0, help_text="Calls of which no tokens were reported.")
    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    embedding_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0, help_text="A part of the completion tokens.")
    incomplete_reason = models.CharField(max_length=64, blank=True, help_text="Why the turn was not finished.")
    started_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "turn_id", "model"], name="token_usage_once")]
        indexes = [models.Index(fields=["project", "-started_at", "-id"], name="token_usage_newest")]

    def __str__(self) -> str:
        return f"token usage {self.pk}"
