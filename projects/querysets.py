"""Who may read what: every read that a request drives begins here."""

from typing import Any, Self, TypeVar

from django.db import models

from projects.roles import Permission

M = TypeVar("M", bound=models.Model)


class ProjectQuerySet(models.QuerySet[Any]):
    """Projects, narrowed to what a person may see."""

    def visible_to(self, user: Any, permission: Permission = Permission.VIEW) -> Self:
        """Keep the projects on which `user` holds `permission`."""
        return self.filter(pk__in=_projects(user, permission))


class TenantQuerySet(models.QuerySet[M]):
    """Rows of a model with a `project` key, narrowed to the projects a person may see."""

    def visible_to(self, user: Any, permission: Permission = Permission.VIEW) -> Self:
        """Keep the rows of projects on which `user` holds `permission`."""
        return self.filter(project_id__in=_projects(user, permission))


def _projects(user: Any, permission: Permission) -> list[int]:
    from projects.access import grants_of  # models import this module, and access imports models

    return [project for project, held in grants_of(user).items() if permission in held]
