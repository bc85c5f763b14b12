"""Tracked conversations of AI assistants with their users."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone

from projects.models import Project, TrackedAgent
from projects.querysets import TenantQuerySet


class Conversation(models.Model):
    """A tracked conversation of an AI assistant with its user."""

    class Environment(models.TextChoices):
        PRODUCTION = "production", "Production"
        DEVELOPMENT = "development", "Development"

    project = models.ForeignKey(Project, models.CASCADE)
    agent = models.ForeignKey(TrackedAgent, models.CASCADE, related_name="conversations")
    conversation_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255, null=True)
    customer_id = models.CharField(max_length=255, null=True)
    customer_ip_address = models.GenericIPAddressField(null=True)
    device = models.CharField(max_length=255, null=True)
    language = models.CharField(max_length=255, null=True)
    origin = models.CharField(max_length=255, null=True, help_text="What clients send as `source`.")
    environment = models.CharField(max_length=11, choices=Environment, default=Environment.PRODUCTION)
    metadata = models.JSONField(default=dict)
    is_used = models.BooleanField(default=False)
    is_marked = models.BooleanField(default=False)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "agent", "conversation_id"], name="conversation_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["project", "-started_at", "-id"], name="conversation_newest"),
            models.Index(fields=["project", "agent", "-started_at", "-id"], name="conversation_of_agent"),
            models.Index(fields=["project", "customer_id"], name="conversation_by_customer"),
            GinIndex(fields=["metadata"], name="conversation_metadata"),
        ]

    def __str__(self) -> str:
        return f"conversation {self.pk}"


class Message(models.Model):
    """One message of a tracked conversation; clients know it by `id`, our own API by `uuid`."""

    class Sender(models.TextChoices):
        END_USER = "end_user", "Customer"
        AGENT = "agent", "Assistant"

    uuid = models.UUIDField(unique=True, db_default=models.Func(function="gen_random_uuid"), editable=False)
    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages", db_index=False)
    sender = models.CharField(max_length=8, choices=Sender)
    content = models.TextField(blank=True)
    action_name = models.CharField(max_length=255, null=True)
    metadata = models.JSONField(default=dict)
    sent_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["conversation", "sent_at", "id"], name="message_in_conversation"),
            models.Index(fields=["project", "-sent_at", "-id"], name="message_newest"),
            models.Index(
                fields=["project", "action_name", "conversation"],
                name="message_of_action",
                condition=models.Q(action_name__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"
