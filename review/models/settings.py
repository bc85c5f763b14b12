"""How a project takes verdicts, and how far it trusts those that nobody checks."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from projects.models import Project, TrackedAgent, User
from projects.querysets import TenantQuerySet
from review.models.agents import AgentVersion
from review.models.feedback import Feedback


class FeedbackSettings(models.Model):
    """What is approved without a reviewer, where a reason is asked for, and how much of it is checked."""

    project = models.OneToOneField(Project, models.CASCADE, primary_key=True, related_name="feedback_settings")
    auto_approve_positive = models.BooleanField(default=True)
    auto_approve_negative = models.BooleanField(default=False)
    require_reason_positive = models.BooleanField(default=False)
    require_reason_negative = models.BooleanField(default=False)
    sampling_share = models.FloatField(
        default=0.05,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="The share of auto-approved verdicts that a reviewer sees all the same.",
    )
    error_limit = models.FloatField(
        default=0.1,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="The share of wrong approvals beyond which approval suspends itself.",
    )
    guidelines = models.TextField(blank=True, help_text="How reviewers of this project decide.")
    suspended_at = models.DateTimeField(null=True)
    suspended_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"feedback settings of project {self.project_id}"


class ApprovalStream(models.Model):
    """Auto-approved verdicts of one channel, assistant, version and model, which are trusted or not together."""

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    channel = models.CharField(max_length=10, choices=Feedback.Channel)
    tracked_agent = models.ForeignKey(TrackedAgent, models.CASCADE, null=True, related_name="+")
    version = models.ForeignKey(AgentVersion, models.CASCADE, null=True, related_name="+")
    model = models.CharField(max_length=120, blank=True)
    checked = models.PositiveIntegerField(default=0, help_text="Samples decided since approval was last resumed.")
    wrong = models.PositiveIntegerField(default=0)
    suspended_at = models.DateTimeField(null=True)
    resumed_at = models.DateTimeField(null=True)
    resumed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "channel", "tracked_agent", "version", "model"],
                name="approval_stream_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"approval stream {self.pk}"
