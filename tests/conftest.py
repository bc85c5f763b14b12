"""The database of the tests, and the cast of people that they speak of."""

from collections.abc import Iterator

import pytest
from django.test import TransactionTestCase
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django import DjangoDbBlocker, Settings

from insights.llm import client
from projects.models import Project
from projects.roles import Role
from tests.browser import CHROMIUM
from tests.database import empty_tables, use_template
from tests.factories import Member, make_member, make_project
from tests.model_server import ModelServer, model_server

# A page may take its time on a machine that does other things beside.
expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: the processes that share the files shall all be busy to the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock():
        use_template()


@pytest.fixture(scope="session", autouse=True)
def quickly_emptied() -> Iterator[None]:
    """Empty the database our way after tests that commit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: empty_tables())
        yield


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Playwright runs an event loop in this thread, where Django would otherwise refuse its database.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            yield launched
            launched.close()


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


@pytest.fixture
def model(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A model server on loopback that the product is set to ask, with short pauses before a repetition."""
    with model_server() as server:
        settings.OPENAI_BASE_URL = server.url
        settings.OPENAI_API_KEY = "key-of-the-tests"
        monkeypatch.setattr(client, "PAUSES", (0.01, 0.01))
        yield server
        client.disconnect()
