"""Who works here: organizations, projects (the tenants), people, keys, and the audit trail."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from projects.querysets import ProjectQuerySet, TenantQuerySet
from projects.roles import Permission, Role
from projects.time_zones import time_zones

AGENT_AUTHORS = ["Support Agent", "Support", "Sales Rep", "Agent", "Bot", "Assistant"]


def validate_time_zone(name: str) -> None:
    """Raise ValidationError unless `name` is a time zone that may be chosen."""
    if name not in time_zones():
        raise ValidationError(f"{name} is not a time zone, such as Europe/Berlin.")


def default_agent_authors() -> list[str]:
    """Return the author names that stand for staff until a project says otherwise."""
    return list(AGENT_AUTHORS)


class UserManager(BaseUserManager["User"]):
    """Makes people, who sign in by e-mail."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a person; without a password they can only sign in by a link or single sign-on."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an operator of the whole installation."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a person by e-mail, whatever its case."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who works in the console or holds tokens."""

    class Theme(models.TextChoices):
        SYSTEM = "system", "As the system"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    email = models.EmailField("e-mail", unique=True, error_messages={"unique": "Somebody has this e-mail already."})
    name = models.CharField(max_length=150, blank=True)
    time_zone = models.CharField(max_length=64, blank=True, validators=[validate_time_zone])
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def initials(self) -> str:
        """Up to two letters that stand for the person."""
        words = (self.name or self.email.split("@")[0].replace(".", " ")).split()
        return "".join(word[0] for word in words[:2]).upper()


class Organization(models.Model):
    """The company that projects belong to."""

    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class Project(models.Model):
    """A tenant: everything that is fed in, found and decided belongs to one project."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="projects")
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    region = models.CharField(max_length=40, blank=True, help_text="Where this project's data is kept.")
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    language = models.CharField(max_length=8, default="en", help_text="Expected where a text is too short to tell.")
    email_field = models.CharField(max_length=120, blank=True, help_text="User property that holds the e-mail.")
    internal_domains = ArrayField(models.CharField(max_length=253), default=list, blank=True)
    agent_authors = ArrayField(models.CharField(max_length=120), default=default_agent_authors, blank=True)
    retention_days = models.PositiveIntegerField(null=True, blank=True)
    daily_token_budget = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Tokens that its model calls may use in a day; empty for the installation's own limit.",
    )
    is_sample = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [(permission.value, f"Can {permission.replace('_', ' ')}") for permission in Permission]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """The role a person was given; the grants that count are guardian's, made from it."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role)
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} of {self.project_id}"


class Invitation(models.Model):
    """An open offer to join a project, sent by e-mail; only a hash of its token is kept."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"invitation {self.pk} to project {self.project_id}"


class TrackedAgent(models.Model):
    """An AI assistant whose conversations are tracked; agent keys belong to it."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="tracked_agents")
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """A credential of a program: its secret is stored as a hash, was shown once, and can be revoked."""

    class Kind(models.TextChoices):
        PROJECT = "project", "API key and secret"
        AGENT = "agent", "Agent key"
        PERSONAL = "personal", "Personal token"

    project = models.ForeignKey(Project, models.CASCADE, related_name="api_keys")
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=120)
    public = models.CharField(max_length=40, unique=True, help_text="The visible half, by which a key is found.")
    secret_hash = models.CharField(max_length=64)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="tokens")
    agent = models.ForeignKey(TrackedAgent, models.CASCADE, null=True, related_name="keys")
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="project", user=None, agent=None)
                | models.Q(kind="agent", user=None, agent__isnull=False)
                | models.Q(kind="personal", user__isnull=False, agent=None),
                name="key_owner_by_kind",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} key {self.public}"


class SignInLink(models.Model):
    """A link that signs its person in once."""

    user = models.ForeignKey(User, models.CASCADE)
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"sign-in link {self.pk}"


class AuditEvent(models.Model):
    """Who did what to which row; a trigger refuses every change. Ids and enums only, never free text."""

    project_id = models.BigIntegerField(null=True)
    actor_id = models.BigIntegerField(null=True)
    verb = models.CharField(max_length=60)
    target_type = models.CharField(max_length=40)
    target_id = models.CharField(max_length=40)
    details = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["project_id", "-created_at", "-id"], name="audit_newest")]

    def __str__(self) -> str:
        return f"{self.verb} {self.target_type} {self.target_id}"
