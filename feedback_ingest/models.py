"""What customers said: items, the parts of their conversations, and the people behind them."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.utils import timezone

from feedback_ingest.querysets import ItemQuerySet
from projects.models import Project, TrackedAgent
from projects.querysets import TenantQuerySet
from sources.models import Source


class Account(models.Model):
    """A customer company."""

    project = models.ForeignKey(Project, models.CASCADE)
    key = models.CharField(max_length=255, help_text="The lower-cased name, or an e-mail domain.")
    name = models.CharField(max_length=255)
    properties = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="account_once")]

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    """One customer, however many names they use; `amplitude_id` is the number other systems know them by."""

    project = models.ForeignKey(Project, models.CASCADE)
    amplitude_id = models.BigIntegerField()
    name = models.CharField(max_length=256, blank=True)
    email = models.CharField(max_length=254, null=True)
    user_id = models.CharField(max_length=512, null=True)
    account = models.ForeignKey(Account, models.SET_NULL, null=True, related_name="people")
    properties = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "amplitude_id"], name="person_amplitude_id_once")]

    def __str__(self) -> str:
        return f"person {self.pk}"

    @property
    def display_name(self) -> str:
        """What to call them before somebody who may see people."""
        return self.name or self.email or self.user_id or f"Person {self.pk}"


class Alias(models.Model):
    """One key by which a person is recognised."""

    class Rule(models.TextChoices):
        USER_ID = "user_id", "Same user id"
        EMAIL = "email", "Same e-mail"
        AUTHOR = "author", "Same author name in one source"
        ITEM = "item", "Author of one anonymous item"

    project = models.ForeignKey(Project, models.CASCADE)
    person = models.ForeignKey(Person, models.CASCADE, related_name="aliases")
    rule = models.CharField(max_length=7, choices=Rule)
    key = models.CharField(max_length=600)
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "rule", "key"], name="alias_once")]
        indexes = [models.Index(fields=["person"], name="alias_by_person")]

    def __str__(self) -> str:
        return f"{self.rule} alias of person {self.person_id}"


class FeedbackItem(models.Model):
    """One piece of feedback; its analysis ledger (attempts, lease, last error) decides what is to be done."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        USED = "used", "Used"
        SET_ASIDE = "set_aside", "Set aside"

    class SetAside(models.TextChoices):
        EMPTY = "empty", "Nothing said by a customer"
        LOW_SIGNAL = "low_signal", "Too little said"
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
    device = models.CharField(max_length=20, null=True)
    language = models.CharField(max_length=20, null=True)
    origin = models.CharField(max_length=100, null=True, help_text="What clients send as `source`.")
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
        indexes = [
            models.Index(fields=["project", "-started_at", "-id"], name="conversation_newest"),
            models.Index(fields=["project", "customer_id"], name="conversation_by_customer"),
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
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"
