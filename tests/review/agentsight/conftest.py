"""The cast of the tracking surface."""

from pathlib import Path

import pytest
from pytest_django import Settings

from projects.models import Project
from tests.review.agentsight.factories import Assistant, make_assistant


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    """A media folder of the test's own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def assistant(project: Project) -> Assistant:
    """The assistant of the project."""
    return make_assistant(project)


@pytest.fixture
def sibling(project: Project, assistant: Assistant) -> Assistant:
    """Another assistant of the same project."""
    return make_assistant(project, "Sales bot")


@pytest.fixture
def foreigner(db: None) -> Assistant:
    """The assistant of another project."""
    return make_assistant()
