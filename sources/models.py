"""Where feedback comes from."""

import uuid

from django.db import models
from django.utils import timezone

from projects.identifiers import uuid7
from projects.models import Project, User
from projects.querysets import TenantQuerySet
from sources.querysets import FileImportQuerySet, SourceQuerySet


class Source(models.Model):
    """One place that feedback comes from, such as a webhook, a file or a connected application."""

    class Kind(models.TextChoices):
        WEBHOOK = "webhook", "Webhook or API"
        FILE = "file", "Uploaded files"
        TEXT = "text", "Pasted text"
        CONNECTOR = "connector", "Connected application"
        RESPONSES = "responses", "Verdicts on answers"

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting for the first item"
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        FAILED = "failed", "Needs attention"
        DELETED = "deleted", "Deleted"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="sources")
    kind = models.CharField(max_length=9, choices=Kind)
    application = models.CharField(max_length=40, blank=True, help_text="Connector or origin, such as zendesk.")
    name = models.CharField(max_length=120)
    purpose = models.CharField(max_length=400, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING)
    status_reason = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True)

    objects = SourceQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["project", "status"], name="source_by_status")]

    def __str__(self) -> str:
        return self.name

    @property
    def type(self) -> str:
        """What filters call the source's type: its application, else its kind."""
        return self.application or self.kind

    @property
    def takes_feedback(self) -> bool:
        """Whether new feedback is accepted."""
        return self.status not in (self.Status.DELETED, self.Status.PAUSED)


class Tally(models.Model):
    """Where received items are now, and how often they were sent.

    `updated`, `unchanged`, `rejected` and `suppressed` count attempts beyond the first storing of an item;
    `removed` items were received once and are gone, since they were deleted where they came from.
    """

    used = models.BigIntegerField(default=0)
    set_aside = models.BigIntegerField(default=0)
    waiting = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    suppressed = models.BigIntegerField(default=0)
    removed = models.BigIntegerField(default=0)
    last_received_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class SourceTally(Tally):
    """A share of a source's accounting, written by `sources.tallies`; single shares may be negative."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="tallies")

    def __str__(self) -> str:
        return f"a share of {self.source_id}"


class SourceCount(Tally):
    """The accounting of a source: received = used + set aside + waiting. A view over the sum of its shares."""

    source = models.OneToOneField(Source, models.DO_NOTHING, primary_key=True, related_name="count")

    class Meta:
        managed = False
        db_table = "sources_sourcecount"

    def __str__(self) -> str:
        return f"{self.received} received by {self.source_id}"

    @property
    def received(self) -> int:
        """How many distinct items are stored."""
        return self.used + self.set_aside + self.waiting

    @property
    def attempts(self) -> int:
        """How many items were sent in all, repeats and refusals included."""
        return self.received + self.updated + self.unchanged + self.rejected + self.suppressed


class SourceRequest(models.Model):
    """Somebody asks for an application that cannot be connected yet."""

    project = models.ForeignKey(Project, models.CASCADE)
    application = models.CharField(max_length=120)
    note = models.CharField(max_length=400, blank=True)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return self.application


class FileImport(models.Model):
    """One uploaded file or pasted text on its way into feedback, with its report."""

    class Status(models.TextChoices):
        MAPPING = "mapping", "Waiting for its columns"
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Reading"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        DOCX = "docx", "DOCX"
        TEXT = "text", "Text"
        JSON = "json", "JSON"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE)
    source = models.ForeignKey(Source, models.CASCADE, related_name="imports")
    format = models.CharField(max_length=4, choices=Format)
    filename = models.CharField(max_length=200)
    path = models.CharField(max_length=200, help_text="Below the media folder; removed once read.")
    size = models.BigIntegerField(help_text="Bytes.")
    mapping = models.JSONField(default=dict)
    status = models.CharField(max_length=8, choices=Status, default=Status.MAPPING)
    rows_read = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(null=True)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    rejections = models.JSONField(default=list, help_text="The first hundred refused rows: number and reason.")
    warnings = models.JSONField(default=dict, help_text="How many rows lost a detail, by reason.")
    error = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    objects = FileImportQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["source", "-created_at"], name="import_newest")]

    def __str__(self) -> str:
        return self.filename

    @property
    def is_open(self) -> bool:
        """Whether it is being read, or is about to be."""
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)


class Connection(models.Model):
    """How a source is connected to its application, and when it is read next.

    Only one worker reads a connection at a time: the application counts requests, and replaces refresh tokens,
    for all its lists together.
    """

    source = models.OneToOneField(Source, models.CASCADE, primary_key=True, related_name="connection")
    settings = models.JSONField(default=dict)
    secrets = models.BinaryField(default=b"", help_text="Encrypted; read by `sources.credentials` only.")
    every = models.PositiveIntegerField(default=60, help_text="Minutes between two runs.")
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    leased_by = models.UUIDField(null=True)
    succeeded_at = models.DateTimeField(null=True, help_text="When everything was last read to its end.")
    stale_since = models.DateTimeField(null=True, help_text="Since when it has been overdue; found by the clock.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="connection_due")]

    def __str__(self) -> str:
        return f"Connection of {self.source_id}"


class StreamCursor(models.Model):
    """Up to where one list of a connection is stored."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="cursors")
    stream = models.CharField(max_length=40)
    key = models.CharField(max_length=512, blank=True, help_text="The channel, app or repository.")
    state = models.JSONField(default=dict)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "stream", "key"], name="stream_cursor_once"),
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.key}".strip()


class SyncRun(models.Model):
    """One reading of a connection, with what came of it in words."""

    class Outcome(models.TextChoices):
        RUNNING = "running", "Reading"
        DONE = "done", "All read"
        MORE = "more", "Goes on soon"
        WAITING = "waiting", "Waiting for the application"
        FAILED = "failed", "Needs attention"

    source = models.ForeignKey(Source, models.CASCADE, related_name="runs")
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=7, choices=Outcome, default=Outcome.RUNNING)
    progress = models.CharField(max_length=600, blank=True, help_text="The list that is being read.")
    requests = models.PositiveIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    items = models.PositiveIntegerField(default=0)
    deleted = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0, help_text="Rows without an id.")
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["source", "-started_at"], name="sync_run_newest")]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} ({self.items} items)"


class WebhookEndpoint(models.Model):
    """The address at which a source's application pushes what is said there, and what came of it."""

    source = models.OneToOneField(Source, models.CASCADE, primary_key=True, related_name="endpoint")
    secret = models.BinaryField(help_text="Encrypted; read by `sources.credentials` only.")
    created_at = models.DateTimeField(default=timezone.now)
    received = models.BigIntegerField(default=0, help_text="Genuine deliveries, each counted once.")
    last_received_at = models.DateTimeField(null=True)
    refused = models.BigIntegerField(default=0)
    last_refused_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Webhook of {self.source_id}"


class WebhookDelivery(models.Model):
    """One genuine delivery, kept for a while so that it takes effect once; nothing of its words is kept."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="deliveries", db_index=False)
    digest = models.BinaryField(max_length=32, help_text="SHA-256 of what makes the delivery this one.")
    received_at = models.DateTimeField(default=timezone.now, db_index=True)
    items = models.PositiveIntegerField(default=0)
    deleted = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0, help_text="Rows that could not be taken.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "digest"], name="webhook_delivery_once")]
        indexes = [models.Index(fields=["source", "-received_at"], name="webhook_delivery_newest")]

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class ReceivedRequest(models.Model):
    """One of the newest requests that brought a source feedback, or tried to; none of its words are kept."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="received_requests", db_index=False)
    received_at = models.DateTimeField(default=timezone.now)
    status = models.PositiveSmallIntegerField(help_text="What HTTP answered.")
    items = models.PositiveIntegerField(default=0, help_text="Items taken.")
    refused = models.PositiveIntegerField(default=0, help_text="Items that could not be taken.")
    size = models.PositiveIntegerField(default=0, help_text="Bytes of the body.")
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was refused, in our words.")
    outline = models.CharField(max_length=600, blank=True, help_text="Names and types in the body, no values.")

    class Meta:
        indexes = [models.Index(fields=["source", "-id"], name="received_request_newest")]

    def __str__(self) -> str:
        return f"{self.status} for {self.source_id}"
