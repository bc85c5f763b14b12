"""Runs of the checks: what a target answered to the questions of the evaluation split, and how that was graded."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from projects.identifiers import uuid7
from projects.models import Project, User
from projects.querysets import TenantQuerySet
from review.models.golden import GoldenExample


class GoldenCheckRun(models.Model):
    """One time that a target was asked; unfinished for as long as `finished_at` is empty."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    target = models.CharField(max_length=300, help_text="The address that was asked, without anything secret.")
    model = models.CharField(max_length=120, blank=True)
    split = models.CharField(max_length=10, choices=GoldenExample.Split)
    questions = models.PositiveIntegerField()
    passed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0, help_text="Questions without an answer to grade.")
    started_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["project", "-created_at", "-id"], name="check_run_newest")
        ]

    def __str__(self) -> str:
        return f"check run {self.pk}"

    @property
    def share_passed(self) -> float | None:
        """The share of the questions that passed, once all are graded."""
        return self.passed / self.questions if self.finished_at and self.questions else None


class GoldenCheckResult(models.Model):
    """What was answered to one question in a run, and what each check made of it."""

    class Outcome(models.TextChoices):
        PASSED = "passed", "Passed"
        FAILED = "failed", "Failed"
        ERROR = "error", "No answer"

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    run = models.ForeignKey(GoldenCheckRun, models.CASCADE, related_name="results", db_index=False)
    example = models.ForeignKey(GoldenExample, models.CASCADE, related_name="results", db_index=False)
    version = models.PositiveIntegerField(help_text="Of the example, when it was asked.")
    outcome = models.CharField(max_length=6, choices=Outcome)
    answer = models.TextField(blank=True)
    findings = models.JSONField(default=list, help_text="One for each check: its kind, whether it passed, and why not.")
    milliseconds = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "example"], name="check_result_once")]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["example", "-created_at"], name="check_result_newest")
        ]

    def __str__(self) -> str:
        return f"{self.outcome} in check run {self.run_id}"
