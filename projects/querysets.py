"""Who may read what: the only place, with `projects.access`, that asks guardian."""

from typing import Any, Self, TypeVar, cast

from django.contrib.auth.models import AnonymousUser
from django.db import models
from guardian.shortcuts import get_objects_for_user

from projects.roles import Permission

M = TypeVar("M", bound=models.Model)


class ProjectQuerySet(models.QuerySet[Any]):
    """Projects, narrowed to what a person may see."""

    def visible_to(self, user: Any, permission: Permission = Permission.VIEW) -> Self:
        """Keep the projects on which `user` holds `permission`."""
        if isinstance(user, AnonymousUser) or not user.is_active:
            return self.none()
        granted = get_objects_for_user(user, f"feedback.{permission}", klass=self, accept_global_perms=False)
        return cast(Self, granted)


class TenantQuerySet(models.QuerySet[M]):
    """Rows of a model with a `project` key, narrowed to the projects a person may see."""

    def visible_to(self, user: Any, permission: Permission = Permission.VIEW) -> Self:
        """Keep the rows of projects on which `user` holds `permission`."""
        from projects.models import Project

        return self.filter(project__in=Project.objects.visible_to(user, permission))
