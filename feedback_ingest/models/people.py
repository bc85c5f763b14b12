"""The people and companies behind what is said."""

from django.db import models
from django.utils import timezone

from projects.models import Project
from projects.querysets import TenantQuerySet


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
