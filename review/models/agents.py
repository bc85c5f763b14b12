"""Runnable agents: what they take and give, their versions, and each of their runs."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from projects.identifiers import uuid7
from projects.models import Project, User
from projects.querysets import TenantQuerySet


class Agent(models.Model):
    """A prompt that can be run; clients name it by `slug`, and its number is what they call its `uid`."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="agents", db_index=False)
    slug = models.CharField(max_length=120)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "slug"], name="agent_slug_once")]

    def __str__(self) -> str:
        return self.name


class AgentSchema(models.Model):
    """What an agent takes and gives, as JSON schemas; the same two schemas keep their number."""

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="schemas")
    number = models.PositiveIntegerField()
    input_schema = models.JSONField()
    output_schema = models.JSONField()
    hash = models.CharField(max_length=64, help_text="SHA-256 of both schemas in canonical JSON.")
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "agent", "number"], name="agent_schema_number_once"),
            models.UniqueConstraint(fields=["project", "agent", "hash"], name="agent_schema_once"),
        ]

    def __str__(self) -> str:
        return f"schema {self.number} of agent {self.agent_id}"


class AgentVersion(models.Model):
    """One way to run an agent: model, instructions and parameters; the same properties are the same version."""

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="versions")
    major = models.PositiveIntegerField()
    minor = models.PositiveIntegerField()
    hash = models.CharField(max_length=32, help_text="MD5-sized digest of the properties in canonical JSON.")
    model = models.CharField(max_length=120)
    instructions = models.TextField(blank=True)
    temperature = models.FloatField(default=0.0)
    max_tokens = models.PositiveIntegerField(null=True)
    properties = models.JSONField(default=dict, help_text="What else the caller set.")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "agent", "major", "minor"], name="agent_version_number_once"),
            models.UniqueConstraint(fields=["project", "agent", "hash"], name="agent_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


class AgentDeployment(models.Model):
    """Which version answers in an environment, for one schema of an agent."""

    class Environment(models.TextChoices):
        DEV = "dev", "Development"
        STAGING = "staging", "Staging"
        PRODUCTION = "production", "Production"

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="deployments")
    schema = models.ForeignKey(AgentSchema, models.CASCADE, related_name="deployments")
    environment = models.CharField(max_length=10, choices=Environment)
    version = models.ForeignKey(AgentVersion, models.CASCADE, related_name="deployments")
    deployed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    deployed_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "schema", "environment"], name="agent_deployment_once")
        ]

    def __str__(self) -> str:
        return f"{self.environment} of schema {self.schema_id}"


class Run(models.Model):
    """One execution of an agent, here or (registered) elsewhere; `answer` is its output as a person reads it.

    Verdicts and the words that users select refer to `answer`; `answer_hash` is its SHA-256, to which the
    feedback token is bound.
    """

    class Origin(models.TextChoices):
        EXECUTED = "executed", "Run here"
        REGISTERED = "registered", "Run elsewhere and registered"

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        SUCCESS = "success", "Answered"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    external_id = models.CharField(max_length=255, null=True, help_text="Its id in the system that ran it.")
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="runs", db_index=False)
    schema = models.ForeignKey(AgentSchema, models.CASCADE, null=True, related_name="runs", db_index=False)
    version = models.ForeignKey(AgentVersion, models.SET_NULL, null=True, related_name="runs")
    environment = models.CharField(max_length=10, blank=True, choices=AgentDeployment.Environment)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.EXECUTED)
    status = models.CharField(max_length=7, choices=Status, default=Status.RUNNING)
    input = models.JSONField(default=dict)
    input_hash = models.BinaryField(max_length=32, null=True, help_text="SHA-256, by which answers are reused.")
    output = models.JSONField(null=True)
    answer = models.TextField(blank=True)
    answer_hash = models.BinaryField(max_length=32, null=True)
    error = models.JSONField(null=True)
    messages = models.JSONField(default=list, help_text="The messages sent to the model, and its answers.")
    tool_calls = models.JSONField(default=list)
    examples = ArrayField(
        models.UUIDField(), default=list, blank=True, help_text="Golden examples that the prompt held."
    )
    metadata = models.JSONField(default=dict)
    conversation_id = models.CharField(max_length=255, null=True)
    user_id = models.CharField(max_length=255, null=True, help_text="Who asked, as the caller names them.")
    model = models.CharField(max_length=120, blank=True)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, default=0)
    duration_seconds = models.FloatField(null=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "external_id"],
                condition=models.Q(external_id__isnull=False),
                name="run_external_id_once",
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["project", "-created_at", "-id"], name="run_newest"),
            models.Index(fields=["project", "agent", "-created_at", "-id"], name="run_by_agent"),
            models.Index(
                fields=["project", "conversation_id", "created_at"],
                name="run_in_conversation",
                condition=models.Q(conversation_id__isnull=False),
            ),
            models.Index(
                fields=["project", "user_id"], name="run_by_user_id", condition=models.Q(user_id__isnull=False)
            ),
            models.Index(
                fields=["schema", "version", "input_hash"], name="run_to_reuse", condition=models.Q(status="success")
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"
