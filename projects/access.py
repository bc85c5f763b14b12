"""Whether a person may do something in a project."""

from typing import Any

from guardian.core import ObjectPermissionChecker

from config.errors import DomainError
from projects.models import Project
from projects.roles import Permission


def permissions(user: Any, project: Project) -> frozenset[Permission]:
    """Return what `user` may do in `project`, read from the grants at this moment."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    held = set(ObjectPermissionChecker(user).get_perms(project))
    return frozenset(permission for permission in Permission if permission in held)


def can(user: Any, permission: Permission, project: Project) -> bool:
    """Tell whether `user` holds `permission` on `project`."""
    return permission in permissions(user, project)


def require(user: Any, permission: Permission, project: Project) -> None:
    """Raise DomainError (404 for who may not even see the project, else 403) unless `user` holds `permission`."""
    held = permissions(user, project)
    if permission in held:
        return
    if Permission.VIEW not in held:
        raise DomainError("Not found.", code="not_found", status=404)
    raise DomainError(
        f"Insufficient permissions. Required: feedback.{permission}", code="permission_denied", status=403
    )
