"""What the feedback says: insights, the mentions that prove them, and what people corrected."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from pgvector.django import HalfVectorField, VectorField

from feedback_ingest.models import Account, ConversationPart, FeedbackItem, Person
from insights.querysets import InsightQuerySet, MentionQuerySet
from projects.identifiers import uuid7
from projects.models import Project, User
from projects.querysets import TenantQuerySet
from sources.models import Source


class Insight(models.Model):
    """The same thing said by several customers; its id outlives every re-analysis."""

    class Kind(models.TextChoices):
        FEATURE_REQUEST = "feature_request", "Feature request"
        COMPLAINT = "complaint", "Complaint"
        LOVED_FEATURE = "loved_feature", "Loved feature"
        BRAND = "brand", "Brand"
        BUG = "bug", "Bug"
        FEATURE_MENTIONED = "feature_mentioned", "Feature mentioned"
        PAIN_POINT = "pain_point", "Pain point"
        TAKEAWAY = "takeaway", "Takeaway"

    class Status(models.TextChoices):
        OPEN = "new", "New"
        WATCHING = "watching", "Watching"
        PLANNED = "planned", "Planned"
        SHIPPED = "shipped", "Shipped"
        VERIFIED = "verified", "Verified"
        ARCHIVED = "archived", "Archived"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="insights", db_index=False)
    kind = models.CharField(max_length=17, choices=Kind)
    title = models.CharField(max_length=120)
    summary = models.TextField(blank=True)
    area = models.CharField(max_length=80, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    owner = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    language = models.CharField(max_length=8, default="en")
    locked = models.JSONField(default=list, help_text="Fields that a person set: title, kind, area.")
    centroid = VectorField(null=True, help_text="Mean of its statements' vectors, not of length one.")
    weight = models.PositiveIntegerField(default=0, help_text="How many statements the centroid is the mean of.")
    titled_at_weight = models.PositiveIntegerField(default=0)
    first_seen = models.DateTimeField(null=True)
    last_seen = models.DateTimeField(null=True)
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, related_name="merged")
    deleted_at = models.DateTimeField(null=True, help_text="Deleted by a person: a tombstone that nothing joins.")
    created_at = models.DateTimeField(default=timezone.now)
    revision = models.BigIntegerField(default=0, help_text="The project's revision when matching last changed it.")
    counted = models.BigIntegerField(default=0, db_default=0, help_text="How often its mentions have changed.")
    search = models.GeneratedField(
        expression=SearchVector("title", "summary", "area", config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = InsightQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["project", "kind"], name="insight_by_kind"),
            models.Index(fields=["project", "-last_seen"], name="insight_by_last_seen"),
            GinIndex(fields=["search"], name="insight_search"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_live(self) -> bool:
        """Whether it is listed and takes mentions."""
        return self.deleted_at is None and self.merged_into_id is None


class Mention(models.Model):
    """The exact words of a customer that stand for an insight: code points `start` to `end` of a body.

    `quote_hash` is the SHA-256 of those words; a mention whose words no longer match is never shown or counted.
    """

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    insight = models.ForeignKey(Insight, models.CASCADE, related_name="mentions", db_index=False)
    item = models.ForeignKey(FeedbackItem, models.CASCADE, related_name="mentions", db_index=False)
    part = models.ForeignKey(ConversationPart, models.CASCADE, null=True, related_name="mentions")
    source = models.ForeignKey(Source, models.CASCADE, related_name="+", db_index=False)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    quote_hash = models.BinaryField(max_length=32)
    kind = models.CharField(max_length=17, choices=Insight.Kind, help_text="As the analyst read it.")
    statement = models.CharField(max_length=400, help_text="The words in short, as they were compared.")
    feature = models.CharField(max_length=120, blank=True)
    statement_hash = models.BinaryField(max_length=32)
    person = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="mentions")
    account = models.ForeignKey(Account, models.SET_NULL, null=True, related_name="+", db_index=False)
    sentiment = models.SmallIntegerField(default=0)
    language = models.CharField(max_length=8, default="en")
    confidence = models.FloatField(default=1.0)
    unsure = models.BooleanField(default=False, help_text="Joined on a weak match; listed under needs a look.")
    moved_by_hand = models.BooleanField(default=False)
    created_at = models.DateTimeField(help_text="When the customer said it.")
    day = models.DateField(help_text="The same in the project's time zone.")
    deleted_at = models.DateTimeField(null=True)

    objects = MentionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "part", "start", "end", "kind", "feature"], name="mention_once", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(end__gt=models.F("start")), name="mention_has_words"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["project", "insight", "-created_at", "-id"], name="mention_newest", condition=Q(deleted_at=None)
            ),
            models.Index(
                fields=["project", "day", "insight"],
                name="mention_by_day",
                condition=Q(deleted_at=None),
                include=["person", "account", "source", "sentiment"],
            ),
            models.Index(fields=["insight", "person", "day"], name="mention_of_person"),
            models.Index(fields=["insight", "account", "day"], name="mention_of_account"),
            models.Index(fields=["source"], name="mention_by_source"),
        ]

    def __str__(self) -> str:
        return f"mention {self.pk}"


class StatementVector(models.Model):
    """The embedding of one statement text, kept once whoever said it."""

    model = models.CharField(max_length=80)
    text_hash = models.BinaryField(max_length=32)
    vector = HalfVectorField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "text_hash"], name="statement_vector_once")]

    def __str__(self) -> str:
        return f"vector {self.pk}"


class DailyCount(models.Model):
    """How many mentions an insight had on a day from a source."""

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    insight = models.ForeignKey(Insight, models.CASCADE, db_index=False, related_name="daily_counts")
    source = models.ForeignKey(Source, models.CASCADE, related_name="+")
    day = models.DateField()
    mentions = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "day", "insight", "source"], name="daily_count_once", include=["mentions"]
            )
        ]
        indexes = [models.Index(fields=["insight", "day"], name="daily_count_trend")]

    def __str__(self) -> str:
        return f"{self.mentions} mentions on {self.day}"


class DailyReach(models.Model):
    """How many people (or accounts) spoke of an insight on `day` who had last spoken of it on `previous_day`.

    The distinct people of the days `a` to `b` are those rows' sum with `a <= day < b` and `previous_day < a`:
    everybody counts once, on the first day of the range. `previous_day` is the first of the year 1 for a first mention.
    Rows without a source count over all sources.
    """

    class Unit(models.TextChoices):
        PERSON = "person", "People"
        ACCOUNT = "account", "Accounts"

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    insight = models.ForeignKey(Insight, models.CASCADE, db_index=False, related_name="daily_reach")
    source = models.ForeignKey(Source, models.CASCADE, null=True, related_name="+")
    unit = models.CharField(max_length=7, choices=Unit)
    day = models.DateField()
    previous_day = models.DateField()
    reached = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "source", "unit", "day", "insight", "previous_day"],
                name="daily_reach_once",
                nulls_distinct=False,
                include=["reached"],
            )
        ]
        indexes = [models.Index(fields=["insight", "day"], name="daily_reach_trend")]

    def __str__(self) -> str:
        return f"{self.reached} reached on {self.day}"


class RangeCount(models.Model):
    """The numbers of an insight in a range of days under filters, true as long as its `counted` has not moved on.

    A list of thousands of insights over millions of mentions is read from these rows; a change of mentions costs
    the recount of the insights it touches, and nothing else.
    """

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    insight = models.ForeignKey(Insight, models.CASCADE, related_name="+")
    key = models.CharField(max_length=80, help_text="The days, and a digest of the filters.")
    counted = models.BigIntegerField(help_text="That of the insight when these numbers were counted.")
    people = models.IntegerField()
    accounts = models.IntegerField()
    mentions = models.IntegerField()
    people_before = models.IntegerField()
    made_at = models.DateTimeField(default=timezone.now, db_default=Now(), db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key", "insight"], name="range_count_once")]

    def __str__(self) -> str:
        return f"{self.mentions} mentions in {self.key}"


class Correction(models.Model):
    """One act of a person on the taxonomy, with what is needed to take it back. Append-only but for `undone_at`."""

    class Act(models.TextChoices):
        DELETE_MENTION = "delete_mention", "Deleted a mention"
        DELETE_INSIGHT = "delete_insight", "Deleted an insight"
        MERGE = "merge", "Merged insights"
        SPLIT = "split", "Split an insight"
        MOVE_MENTION = "move_mention", "Moved a mention"
        CONFIRM = "confirm", "Confirmed a doubtful mention"
        RENAME = "rename", "Renamed an insight"
        REKIND = "rekind", "Changed the kind of an insight"
        SET_STATUS = "set_status", "Changed the status of an insight"
        ASSIGN = "assign", "Gave an insight to a member"
        LOCK = "lock", "Locked or unlocked an insight"
        DIFFERENT = "different", "Said that two insights are different"

    project = models.ForeignKey(Project, models.CASCADE)
    act = models.CharField(max_length=14, choices=Act)
    insight = models.ForeignKey(Insight, models.CASCADE, related_name="corrections")
    other = models.ForeignKey(Insight, models.CASCADE, null=True, related_name="+")
    mention = models.ForeignKey(Mention, models.SET_NULL, null=True, related_name="+")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    actor = models.ForeignKey(User, models.SET_NULL, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    objects = TenantQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["insight", "-created_at"], name="correction_newest")]

    def __str__(self) -> str:
        return f"{self.act} {self.pk}"


class AnalysisWake(models.Model):
    """Whether a project's analysis was asked for and has not begun; `revision` moves with each stored batch.

    `ticket` tells one wish from the next, so that of several jobs for the same one only the first goes on.
    """

    project = models.OneToOneField(Project, models.CASCADE, primary_key=True, related_name="analysis_wake")
    wanted = models.BooleanField(default=False)
    ticket = models.BigIntegerField(default=0)
    revision = models.BigIntegerField(default=0)
    rebuilt_at = models.DateTimeField(null=True)
    mentions_at_rebuild = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"analysis of project {self.project_id}"


class LlmCall(models.Model):
    """One call of a language model: what for, with what, what it cost, how it ended."""

    class Outcome(models.TextChoices):
        OK = "ok", "Answered"
        INVALID = "invalid", "Answer not usable"
        REFUSED = "refused", "Refused"
        RATE_LIMITED = "rate_limited", "Rate limited"
        UNAVAILABLE = "unavailable", "Not reachable"
        TIMEOUT = "timeout", "Timed out"
        UNAUTHORIZED = "unauthorized", "Key not accepted"

    project = models.ForeignKey(Project, models.CASCADE)
    purpose = models.CharField(max_length=40)
    model = models.CharField(max_length=120)
    prompt_version = models.CharField(max_length=40, blank=True)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, default=0)
    latency_ms = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=12, choices=Outcome)
    payload = models.JSONField(null=True, help_text="The redacted request, while retention allows.")
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["project", "-created_at"], name="llm_call_newest")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.outcome}"


class InsightVisit(models.Model):
    """When a person last looked at the insights of a project, for what is new since."""

    project = models.ForeignKey(Project, models.CASCADE)
    user = models.ForeignKey(User, models.CASCADE)
    seen_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="insight_visit_once")]

    def __str__(self) -> str:
        return f"visit {self.pk}"
