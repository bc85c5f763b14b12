"""The people of a project."""

from config.errors import DomainError
from projects.models import Project, User


def members(project: Project) -> list[User]:
    """Return the active members of a project, by name."""
    return list(User.objects.filter(memberships__project=project, is_active=True).order_by("name", "email"))


def member(project: Project, pk: int | None) -> User | None:
    """Return a member by id, None for no id. Raises DomainError for somebody else's id."""
    if pk is None:
        return None
    found = User.objects.filter(memberships__project=project, is_active=True, pk=pk).first()
    if found is None:
        raise DomainError("Choose a member of the project.", code="not_a_member")
    return found
