"""Plain functions that make what tests need."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from projects import services
from projects.models import Project, User
from projects.roles import Role
from sources.models import Source, SourceCount

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a project with a bearer token."""

    user: User
    project: Project
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """The header that signs an API request."""
        return {"Authorization": f"Bearer {self.token}"}


def make_user(**overrides: Any) -> User:
    """Make a person with the password `correct horse battery`."""
    fields = {"email": f"person{next(_numbers)}@example.com", "password": "correct horse battery"} | overrides
    return User.objects.create_user(**fields)


def make_project(owner: User | None = None, **overrides: Any) -> Project:
    """Make a project with an owner."""
    project = services.create_project(
        overrides.pop("name", f"Project {next(_numbers)}"), owner=owner or make_user()
    )
    for field, value in overrides.items():
        setattr(project, field, value)
    project.save()
    return project


def make_member(project: Project, role: Role, **overrides: Any) -> Member:
    """Make a person with a role in a project, and a token."""
    user = make_user(**overrides)
    services.grant_role(project, user, role)
    return Member(user, project, services.issue_personal_token(user, project, "tests").secret)


def make_source(project: Project, **overrides: Any) -> Source:
    """Make a webhook source."""
    fields = {"kind": Source.Kind.WEBHOOK, "name": f"Source {next(_numbers)}"} | overrides
    source = Source.objects.create(project=project, **fields)
    SourceCount.objects.create(source=source)
    return source
