"""What customers said: items, the parts of their conversations, and what is remembered to take them in."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.utils import timezone

from feedback_ingest.models.people import Person
from feedback_ingest.querysets import ItemQuerySet
from projects.models import Project
from projects.querysets import TenantQuerySet
from sources.models import Source


class FeedbackItem(models.Model):
    """One piece of feedback; its analysis ledger (attempts, lease, last error) decides what is to be done."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        USED = "used", "Used"
        SET_ASIDE = "set_aside", "Set aside"

    class SetAside(models.TextChoices):
        EMPTY = "empty", "Nothing said by a customer"
        LOW_SIGNAL = "low_signal", "No insight found"
        GIBBERISH = "gibberish", "Not readable as language"
        FAILED = "failed", "Analysis failed"
        BY_HAND = "by_hand", "Set aside by hand"
        NOT_WANTED = "not_wanted", "Says only what was deleted"

    class Inbox(models.TextChoices):
        UNREAD = "unread", "Unread"
        READ = "read", "Read"
        ARCHIVED = "archived", "Archived"

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    source = models.ForeignKey(Source, models.CASCADE, related_name="items", db_index=False)
    unique_id = models.CharField(max_length=512)
    body = models.TextField(null=True)
    author = models.CharField(max_length=256, null=True)
    email = models.CharField(max_length=254, null=True)
    user_id = models.CharField(max_length=512, null=True)
    url = models.CharField(max_length=2048, null=True)
    metadata = models.JSONField(null=True)
    rating = models.FloatField(null=True)
    created_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    given = models.SmallIntegerField(db_default=0, default=0, help_text="Bit mask of the fields last sent.")

    person = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="items", db_index=False)
    language = models.CharField(max_length=8, null=True)
    sentiment = models.SmallIntegerField(null=True, help_text="-1, 0 or 1.")
    inbox = models.CharField(max_length=8, choices=Inbox, default=Inbox.UNREAD, db_default=Inbox.UNREAD)

    state = models.CharField(max_length=9, choices=State, default=State.WAITING, db_default=State.WAITING)
    state_before = models.CharField(max_length=9, null=True, help_text="The state that the last re-opening ended.")
    set_aside_reason = models.CharField(max_length=12, choices=SetAside, null=True)
    keep = models.BooleanField(default=False, db_default=False, help_text="Restored by hand: never set aside again.")
    attempts = models.SmallIntegerField(default=0, db_default=0)
    lease_until = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, null=True)
    analysed_at = models.DateTimeField(null=True)
    search = models.GeneratedField(
        expression=SearchVector("body", "author", config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = ItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "source", "unique_id"], name="item_once"),
            models.CheckConstraint(
                condition=models.Q(state="set_aside", set_aside_reason__isnull=False)
                | (~models.Q(state="set_aside") & models.Q(set_aside_reason=None)),
                name="item_set_aside_has_reason",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["project", "-created_at", "-id"], name="item_newest"),
            models.Index(fields=["project", "source", "-created_at", "-id"], name="item_by_source"),
            models.Index(fields=["project", "state", "-created_at", "-id"], name="item_by_state"),
            models.Index(fields=["project", "inbox", "-created_at", "-id"], name="item_by_inbox"),
            models.Index(
                fields=["project", "-created_at", "-id"],
                name="item_dead_letter",
                condition=models.Q(state="set_aside", set_aside_reason="failed"),
            ),
            models.Index(fields=["project", "id"], name="item_to_analyse", condition=models.Q(state="waiting")),
            models.Index(
                fields=["project", "person", "-created_at"],
                name="item_by_person",
                condition=models.Q(person__isnull=False),
            ),
            models.Index(
                fields=["project", "sentiment", "-created_at", "-id"],
                name="item_by_sentiment",
                condition=models.Q(sentiment__isnull=False),
            ),
            models.Index(
                fields=["project", "user_id"], name="item_by_user_id", condition=models.Q(user_id__isnull=False)
            ),
            models.Index(fields=["project", "email"], name="item_by_email", condition=models.Q(email__isnull=False)),
            GinIndex(fields=["search"], name="item_search"),
        ]

    def __str__(self) -> str:
        return f"item {self.pk}"


class ConversationPart(models.Model):
    """One turn of the conversation that an item is."""

    class Role(models.TextChoices):
        CUSTOMER = "customer", "Customer"
        AGENT = "agent", "Staff"
        BOT = "bot", "Bot"

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    source = models.ForeignKey(Source, models.CASCADE, db_index=False, related_name="+")
    item = models.ForeignKey(FeedbackItem, models.CASCADE, related_name="parts", db_index=False)
    unique_id = models.CharField(max_length=512)
    body = models.TextField()
    author = models.CharField(max_length=256, null=True)
    email = models.CharField(max_length=254, null=True)
    user_id = models.CharField(max_length=512, null=True)
    url = models.CharField(max_length=2048, null=True)
    metadata = models.JSONField(null=True)
    created_at = models.DateTimeField()
    role = models.CharField(max_length=8, choices=Role, null=True, help_text="Empty until the item is analysed.")
    person = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="parts")
    search = models.GeneratedField(
        expression=SearchVector("body", "author", config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "source", "unique_id"], name="part_once")]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["item", "created_at", "id"], name="part_in_thread"),
            GinIndex(fields=["search"], name="part_search"),
        ]

    def __str__(self) -> str:
        return f"part {self.pk} of item {self.item_id}"


class SpeakerRule(models.Model):
    """A person's word on who an author is, over what would be guessed."""

    project = models.ForeignKey(Project, models.CASCADE)
    author = models.CharField(max_length=256, help_text="An author name or e-mail, lower-cased.")
    role = models.CharField(max_length=8, choices=ConversationPart.Role)
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "author"], name="speaker_rule_once")]

    def __str__(self) -> str:
        return f"speaker rule {self.pk}"


class IdempotencyKey(models.Model):
    """The answer that an ingest request was given, replayed when the same request comes again."""

    project = models.ForeignKey(Project, models.CASCADE)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32, help_text="SHA-256 of the request body.")
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"idempotency key {self.pk}"
