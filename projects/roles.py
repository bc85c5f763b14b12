"""The permissions a person can hold on a project, and the roles that bundle them."""

from enum import StrEnum

from django.db import models


class Permission(StrEnum):
    """Codenames of the object permissions on a project, as `feedback.<codename>`."""

    VIEW = "view"
    MANAGE = "manage"
    EDIT_INSIGHTS = "edit_insights"
    MANAGE_SOURCES = "manage_sources"
    MANAGE_PRIVACY = "manage_privacy"
    MANAGE_MEMBERS = "manage_members"
    VIEW_PERSONAL_DATA = "view_personal_data"


class Role(models.TextChoices):
    """What a member is in a project."""

    VIEWER = "viewer", "Viewer"
    REVIEWER = "reviewer", "Reviewer"
    EDITOR = "editor", "Editor"
    SOURCE_ADMIN = "source_admin", "Source admin"
    PRIVACY_OFFICER = "privacy_officer", "Privacy officer"
    OWNER = "owner", "Owner"


ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.VIEW}),
    Role.REVIEWER: frozenset({Permission.VIEW, Permission.MANAGE}),
    Role.EDITOR: frozenset(
        {Permission.VIEW, Permission.MANAGE, Permission.EDIT_INSIGHTS, Permission.VIEW_PERSONAL_DATA}
    ),
    Role.SOURCE_ADMIN: frozenset({Permission.VIEW, Permission.MANAGE_SOURCES, Permission.VIEW_PERSONAL_DATA}),
    Role.PRIVACY_OFFICER: frozenset({Permission.VIEW, Permission.MANAGE_PRIVACY, Permission.VIEW_PERSONAL_DATA}),
    Role.OWNER: frozenset(Permission),
}

ROLE_SUMMARIES: dict[Role, str] = {
    Role.VIEWER: "Reads insights and feedback; people are masked.",
    Role.REVIEWER: "Reads, and decides in the review queue.",
    Role.EDITOR: "Reviews, and corrects insights; sees people.",
    Role.SOURCE_ADMIN: "Connects and deletes sources; sees people.",
    Role.PRIVACY_OFFICER: "Deletes people's data; sees people.",
    Role.OWNER: "Everything, members and keys included.",
}
