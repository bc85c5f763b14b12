"""What is remembered of deleted people: keyed hashes, so that their data is refused when it comes again."""

from django.db import models
from django.utils import timezone

from projects.models import Project
from projects.querysets import TenantQuerySet


class Suppression(models.Model):
    """A keyed hash of an id, e-mail or (source, unique_id) that must not come back.

    What is dated before `until` is refused; without `until` it is refused for ever.
    """

    class Subject(models.TextChoices):
        USER_ID = "user_id", "User id"
        EMAIL = "email", "E-mail"
        UNIQUE_ID = "unique_id", "Id within a source"

    project = models.ForeignKey(Project, models.CASCADE)
    subject = models.CharField(max_length=9, choices=Subject)
    keyed_hash = models.BinaryField(max_length=32)
    until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "subject", "keyed_hash"], name="suppression_once")]

    def __str__(self) -> str:
        return f"suppressed {self.subject} in project {self.project_id}"
