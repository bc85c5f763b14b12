"""The back office: people and projects, keys without their secrets, the audit trail, and the clock's jobs."""

from allauth.account.decorators import secure_admin_login
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.admin import ModelAdmin

from projects import audit
from projects.back_office import ReadOnlyAdmin
from projects.models import ApiKey, AuditEvent, Invitation, Membership, Organization, Project, TrackedAgent, User

# One way in for everybody, with its throttle and its second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
# What a person may do follows from roles in projects, never from groups; the others hold secrets.
for model in (Group, Authenticator, SocialApp, SocialToken, Schedule, Success, Failure, OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(User)
class UserAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """People; accounts can be closed, and made operators' by who is a superuser."""

    list_display = ("email", "name", "is_active", "is_staff", "last_login", "date_joined")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    ordering = ("email",)
    fields = (
        "email",
        "name",
        "time_zone",
        "theme",
        "is_active",
        "is_staff",
        "is_superuser",
        "last_login",
        "date_joined",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Let only superusers say who is an operator."""
        fixed = ("email", "last_login", "date_joined")
        return fixed if request.user.is_superuser else (*fixed, "is_active", "is_staff", "is_superuser")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: people come in by invitation."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Refuse: a closed account keeps its name in the history."""
        return False


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]  # generic in its stub only
    """Who is in a project."""

    model = Membership
    extra = 0
    can_delete = False
    readonly_fields = ("user", "role", "created_at")

    def has_add_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        """Refuse: members come in by invitation."""
        return False


@admin.register(Project)
class ProjectAdmin(ReadOnlyAdmin):
    list_display = ("name", "slug", "organization", "region", "time_zone", "is_sample", "created_at")
    list_filter = ("is_sample", "region")
    list_select_related = ("organization",)
    search_fields = ("name", "slug")
    inlines = (MembershipInline,)


@admin.register(Organization)
class OrganizationAdmin(ReadOnlyAdmin):
    list_display = ("name", "created_at")
    search_fields = ("name",)


@admin.register(TrackedAgent)
class TrackedAgentAdmin(ReadOnlyAdmin):
    list_display = ("id", "name", "project", "created_at")
    list_select_related = ("project",)


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ("email", "project", "role", "created_at", "expires_at", "accepted_at")
    list_select_related = ("project",)
    exclude = ("token_hash",)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "public", "project", "user", "created_at", "last_used_at", "revoked_at")
    list_filter = ("kind",)
    list_select_related = ("project", "user")
    search_fields = ("name", "public")
    exclude = ("secret_hash",)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "project_id", "actor_id", "words", "target_type", "target_id")
    search_fields = ("verb", "target_id")
    ordering = ("-id",)

    @admin.display(description="what")
    def words(self, event: AuditEvent) -> str:
        """Return the verb in words."""
        return audit.label(event.verb)


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    list_display = ("name", "func", "schedule_type", "minutes", "cron", "next_run", "last_run", "success")
    ordering = ("name",)


@admin.register(Success, Failure)
class TaskAdmin(ReadOnlyAdmin):
    list_display = ("func", "started", "stopped", "attempt_count")
    search_fields = ("func",)
    fields = ("id", "func", "started", "stopped", "attempt_count")


@admin.register(OrmQ)
class QueuedAdmin(ReadOnlyAdmin):
    list_display = ("id", "name", "func", "lock")
    fields = ("id", "name", "func", "lock")
    readonly_fields = fields
