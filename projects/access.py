"""Whether a person may do something in a project: the one place that reads guardian's grants."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.models import Permission as GrantedPermission
from django.contrib.contenttypes.models import ContentType
from guardian.models import GroupObjectPermission, UserObjectPermission

from config.errors import DomainError
from projects.models import Project
from projects.roles import Permission

Grants = Mapping[int, frozenset[Permission]]

_read: ContextVar[dict[int, Grants] | None] = ContextVar("grants_read", default=None)


@contextmanager
def reading_grants_once() -> Iterator[None]:
    """Read a person's grants at most once: for the time of one request."""
    reset = _read.set({})
    try:
        yield
    finally:
        _read.reset(reset)


def forget_grants() -> None:
    """Read grants again; for who changes them."""
    if read := _read.get():
        read.clear()


def grants_of(user: Any) -> Grants:
    """Return what `user` may do, project by project, by the grants of this moment, or of this request's first look."""
    if not user.is_authenticated or not user.is_active:
        return {}
    read = _read.get()
    if read is None:
        return _grants(user)
    if user.pk not in read:
        read[user.pk] = _grants(user)
    return read[user.pk]


def permissions(user: Any, project: Project) -> frozenset[Permission]:
    """Return what `user` may do in `project`."""
    return grants_of(user).get(project.pk, frozenset())


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


def _grants(user: Any) -> Grants:
    if user.is_superuser:
        return dict.fromkeys(Project.objects.values_list("pk", flat=True), frozenset(Permission))
    # Grants on single projects only: one on the model as a whole would open every tenant.
    kind = ContentType.objects.get_for_model(Project)
    of_projects = GrantedPermission.objects.filter(content_type=kind, codename__in=list(Permission))
    own = UserObjectPermission.objects.filter(user=user, permission__in=of_projects)
    shared = GroupObjectPermission.objects.filter(group__user=user, permission__in=of_projects)
    names = ("object_pk", "permission__codename")
    held: dict[int, set[Permission]] = {}
    for project, codename in own.values_list(*names).union(shared.values_list(*names)):
        held.setdefault(int(project), set()).add(Permission(codename))
    return {project: frozenset(granted) for project, granted in held.items()}
