"""The cast of people that tests speak of."""

import pytest

from projects.models import Project
from projects.roles import Role
from tests.factories import Member, make_member, make_project


@pytest.fixture
def project(db: None) -> Project:
    return make_project()


@pytest.fixture
def owner(project: Project) -> Member:
    return make_member(project, Role.OWNER)


@pytest.fixture
def reviewer(project: Project) -> Member:
    return make_member(project, Role.REVIEWER)


@pytest.fixture
def viewer(project: Project) -> Member:
    return make_member(project, Role.VIEWER)


@pytest.fixture
def stranger(db: None) -> Member:
    """The owner of another project."""
    return make_member(make_project(), Role.OWNER)
