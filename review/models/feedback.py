"""Verdicts on AI answers, what was decided about them, and their counters."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Left
from django.utils import timezone

from feedback_ingest.models import Conversation, FeedbackItem, Message
from projects.identifiers import uuid7
from projects.models import Project, TrackedAgent, User
from projects.querysets import TenantQuerySet
from review.models.agents import Agent, AgentVersion, Run
from review.querysets import FeedbackQuerySet
from review.rendering import line

# A tsvector holds at most 1 MB; answers may be longer.
SEARCHED_CHARACTERS = 50_000


class Feedback(models.Model):
    """A verdict on an answer (or on a whole conversation or assistant), and its way through review.

    AgentSight clients know it by `id`, the review API by `uuid`. `original_query` and `original_response` are
    what was judged, as it read when the verdict came; JSON is rendered with its keys kept. Without an answer
    the response is null: such a verdict counts in satisfaction and is never reviewed.
    """

    class Kind(models.TextChoices):
        MESSAGE = "message", "A message"
        RUN = "run", "A run"
        CONVERSATION = "conversation", "A conversation"
        AGENT = "agent", "An assistant"

    class Sentiment(models.TextChoices):
        POSITIVE = "positive", "Positive"
        NEUTRAL = "neutral", "Neutral"
        NEGATIVE = "negative", "Negative"

    class Origin(models.TextChoices):
        CUSTOMER = "customer", "Customer"
        PLATFORM = "platform", "Platform"

    class Channel(models.TextChoices):
        API = "api", "Feedback API"
        TOKEN = "token", "Feedback token"
        AGENTSIGHT = "agentsight", "Conversation tracking"

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        AUTO_APPROVED = "auto_approved", "Auto-approved"
        REVIEWED = "reviewed", "Reviewed"
        DISMISSED = "dismissed", "Dismissed"

    uuid = models.UUIDField(unique=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    kind = models.CharField(max_length=12, choices=Kind)
    sentiment = models.CharField(max_length=8, choices=Sentiment)
    origin = models.CharField(max_length=8, choices=Origin)
    channel = models.CharField(max_length=10, choices=Channel)

    message = models.ForeignKey(Message, models.CASCADE, null=True, related_name="feedback")
    run = models.ForeignKey(Run, models.CASCADE, null=True, related_name="feedback")
    conversation = models.ForeignKey(Conversation, models.CASCADE, null=True, related_name="feedback", db_index=False)
    tracked_agent = models.ForeignKey(TrackedAgent, models.CASCADE, null=True, related_name="feedback", db_index=False)
    agent = models.ForeignKey(Agent, models.CASCADE, null=True, related_name="feedback", db_index=False)
    version = models.ForeignKey(AgentVersion, models.SET_NULL, null=True, related_name="feedback")
    environment = models.CharField(
        max_length=11, choices=Conversation.Environment, default=Conversation.Environment.PRODUCTION
    )
    model = models.CharField(max_length=120, blank=True)

    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="feedback_given")
    external_user_id = models.CharField(max_length=255, blank=True, help_text="The customer's id; empty = anonymous.")
    user_email = models.CharField(max_length=254, null=True)
    reason = models.TextField(null=True, help_text="The user's reason; a slug where AgentSight sends it.")
    topic = models.CharField(max_length=50, null=True)
    comment = models.TextField(null=True)
    metadata = models.JSONField(default=dict)
    original_query = models.TextField(null=True)
    original_response = models.TextField(null=True)
    item = models.ForeignKey(
        FeedbackItem,
        models.SET_NULL,
        null=True,
        related_name="verdicts",
        help_text="The comment, where it was taken in as feedback.",
    )
    words_due = models.BooleanField(
        default=False, db_default=False, help_text="What the customer wrote has yet to be taken in, or taken out again."
    )

    status = models.CharField(max_length=13, choices=Status, default=Status.PENDING, db_default=Status.PENDING)
    dismissal_reason = models.TextField(null=True)
    reviewed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", db_index=False)
    reviewed_at = models.DateTimeField(null=True)
    assignee = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    held_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", help_text="Who has it open: a soft lock."
    )
    held_until = models.DateTimeField(null=True)
    sampled = models.BooleanField(
        default=False, db_default=False, help_text="Auto-approved, and put before a reviewer all the same."
    )
    sample_right = models.BooleanField(null=True, help_text="What the reviewer of the sample found.")
    superseded_at = models.DateTimeField(null=True, help_text="When the same user judged the same run again.")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    reviewable = models.GeneratedField(
        expression=models.ExpressionWrapper(
            Q(superseded_at=None) & Q(original_response__isnull=False) & ~Q(sentiment="neutral"),
            output_field=models.BooleanField(),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    search = models.GeneratedField(
        expression=SearchVector(
            Left("original_query", SEARCHED_CHARACTERS),
            Left("original_response", SEARCHED_CHARACTERS),
            Left("reason", SEARCHED_CHARACTERS),
            Left("comment", SEARCHED_CHARACTERS),
            config="simple",
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "message", "user"], condition=Q(channel="api"), name="feedback_by_user_once"
            ),
            models.UniqueConstraint(
                fields=["project", "message", "origin"],
                condition=Q(channel="agentsight", kind="message"),
                name="feedback_on_message_once",
            ),
            models.UniqueConstraint(
                fields=["project", "run", "external_user_id"],
                condition=Q(kind="run", superseded_at=None),
                name="feedback_on_run_once",
            ),
            models.CheckConstraint(
                condition=Q(kind="message", message__isnull=False)
                | Q(kind="run", run__isnull=False)
                | Q(kind="conversation", conversation__isnull=False)
                | Q(kind="agent", tracked_agent__isnull=False),
                name="feedback_has_target",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["reviewed", "dismissed"]) | Q(reviewed_at__isnull=False),
                name="feedback_decided_at",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["project", "-created_at", "-id"], name="feedback_newest"),
            models.Index(
                fields=["project", "status", "-created_at", "-id"],
                name="feedback_by_status",
                condition=Q(reviewable=True),
            ),
            models.Index(
                fields=["project", "sentiment", "-created_at", "-id"],
                name="feedback_by_type",
                condition=Q(reviewable=True),
            ),
            models.Index(
                fields=["project", "status", "sentiment", "-created_at", "-id"],
                name="feedback_by_status_type",
                condition=Q(reviewable=True),
            ),
            models.Index(
                fields=["project", "agent", "-created_at", "-id"],
                name="feedback_by_agent",
                condition=Q(agent__isnull=False),
            ),
            models.Index(
                fields=["project", "tracked_agent", "-created_at", "-id"],
                name="feedback_by_tracked_agent",
                condition=Q(tracked_agent__isnull=False),
            ),
            models.Index(
                fields=["conversation", "-created_at", "-id"],
                name="feedback_in_conversation",
                condition=Q(conversation__isnull=False),
            ),
            models.Index(
                fields=["project", "assignee", "-created_at", "-id"],
                name="feedback_by_assignee",
                condition=Q(assignee__isnull=False),
            ),
            models.Index(
                fields=["reviewed_by", "project", "-reviewed_at"],
                name="feedback_by_reviewer",
                condition=Q(reviewed_by__isnull=False),
            ),
            models.Index(
                fields=["project", "-reviewed_at", "-id"],
                name="feedback_decided",
                condition=Q(reviewed_at__isnull=False),
            ),
            models.Index(
                fields=["project", "external_user_id"],
                name="feedback_by_external_user",
                condition=~Q(external_user_id=""),
            ),
            models.Index(
                fields=["project", "-created_at", "-id"],
                name="feedback_samples",
                condition=Q(sampled=True, sample_right=None),
            ),
            models.Index(fields=["project", "id"], name="feedback_words_due", condition=Q(words_due=True)),
            GinIndex(fields=["search"], name="feedback_search"),
        ]

    def __str__(self) -> str:
        return f"feedback {self.pk}"

    @property
    def words(self) -> str | None:
        """What the user wrote, whichever field their client has for it."""
        return self.comment or self.reason

    @property
    def asked(self) -> str:
        """The question as a list shows it."""
        return line(self.original_query or "")

    @property
    def answered(self) -> str:
        """The answer as a list shows it."""
        return line(self.original_response or "")

    @property
    def is_evidence(self) -> bool:
        """Whether its words are a customer's, and stand."""
        return self.origin == self.Origin.CUSTOMER and self.superseded_at is None and bool((self.words or "").strip())


class FeedbackSpan(models.Model):
    """Words of the answer that the user pointed at: code points `start` to `end` of `original_response`."""

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    feedback = models.ForeignKey(Feedback, models.CASCADE, related_name="spans", db_index=False)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    text_hash = models.BinaryField(max_length=32, help_text="SHA-256 of the selected words.")
    reason = models.CharField(max_length=500, blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["feedback", "start", "end"], name="feedback_span_once"),
            models.CheckConstraint(condition=Q(end__gt=models.F("start")), name="feedback_span_has_words"),
        ]

    def __str__(self) -> str:
        return f"span {self.start} to {self.end} of feedback {self.feedback_id}"


class FeedbackAnnotation(models.Model):
    """What a member noted on a verdict; annotations are appended and the last one is shown."""

    class Annotation(models.TextChoices):
        RESOLVED = "resolved", "Resolved"
        INCORRECT = "incorrect", "Incorrect"
        CORRECT = "correct", "Correct"

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    feedback = models.ForeignKey(Feedback, models.CASCADE, related_name="annotations", db_index=False)
    annotation = models.CharField(max_length=9, choices=Annotation)
    comment = models.TextField(null=True)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["feedback", "-id"], name="annotation_newest")]

    def __str__(self) -> str:
        return f"{self.annotation} on feedback {self.feedback_id}"


class ReviewDraft(models.Model):
    """A reviewer's unfinished work on a verdict: the model's suggestion, and their own text."""

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    feedback = models.ForeignKey(Feedback, models.CASCADE, related_name="drafts", db_index=False)
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="+")
    suggestion = models.TextField(null=True)
    tool_calls = models.PositiveIntegerField(default=0, help_text="How often the model looked something up.")
    generation_ms = models.PositiveIntegerField(null=True)
    text = models.TextField(blank=True)
    skipped_at = models.DateTimeField(null=True, help_text="When the reviewer put it at the end of their queue.")
    updated_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["feedback", "reviewer"], name="review_draft_once")]

    def __str__(self) -> str:
        return f"draft {self.pk}"


class FeedbackCount(models.Model):
    """A share of how many verdicts of a UTC day there are; only the sum of all shares is a number of verdicts.

    Triggers keep it in the transaction that changes verdicts. Superseded verdicts are not counted. `status` is empty
    for those that are never reviewed; `tracked_agent` is 0 where there is none.
    """

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    day = models.DateField()
    status = models.CharField(max_length=13, blank=True)
    sentiment = models.CharField(max_length=8)
    origin = models.CharField(max_length=8)
    environment = models.CharField(max_length=11)
    tracked_agent = models.BigIntegerField()
    verdicts = models.BigIntegerField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["project", "day", "status", "sentiment", "origin", "environment", "tracked_agent"],
                name="feedback_count_shares",
            )
        ]

    def __str__(self) -> str:
        return f"{self.verdicts} verdicts on {self.day}"
