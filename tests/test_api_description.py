"""Requests made up from our own description of the API: never a fault, and answers as described."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error, response_schema_conformance
from schemathesis.core.result import Ok

from config.wsgi import application
from projects.roles import Permission, Role
from review.models import GoldenExample
from tests.factories import Member, make_member
from tests.surface import World

pytestmark = pytest.mark.slow

EXAMPLES = 5  # of each operation, for each of those who ask
CHECKS = [not_a_server_error, response_schema_conformance]
BOUNDED = settings(
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def undisturbed() -> Iterator[None]:
    """Keep refusals out of the log, and the test's transaction open between requests."""
    logging.disable()
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    logging.disable(logging.NOTSET)


@pytest.fixture
def world(db: None) -> World:
    """A world whose examples lie on a side of the split, as all that the product makes do."""
    built = World()
    GoldenExample.objects.update(split=GoldenExample.Split.FEW_SHOT)
    return built


def known_ids(world: World, path: str) -> dict[str, Any]:
    """Return the id that a path wants, of something that is there."""
    subjects = {"golden-examples": "golden", "golden-check-runs": "checks", "people": "person"}
    part = path.split("/")[3]
    return {"id": str(world.ids.get(subjects.get(part, part.rstrip("s"))))}


def try_all(world: World, member: Member | None) -> None:
    """Send requests of every operation, right and wrong; take back what they change."""
    described = schemathesis.openapi.from_wsgi("/api/schema/", app=application)
    headers = {**member.headers, "X-Project": str(world.project.pk)} if member else {}
    tried = set()
    for result in described.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @BOUNDED
        @given(case=operation.as_strategy())
        def attempt(case: schemathesis.Case[Any]) -> None:
            if "id" in (case.path_parameters or {}):
                case.path_parameters = known_ids(world, case.path)
            with transaction.atomic():
                case.call_and_validate(headers=headers, checks=CHECKS)
                transaction.set_rollback(True)

        attempt()
        tried.add(operation.label)
    assert len(tried) > 40


def test_who_may_do_everything_is_answered_as_described(world: World) -> None:
    try_all(world, world.holding(*Permission))


def test_who_may_only_look_is_answered_as_described(world: World) -> None:
    try_all(world, make_member(world.project, Role.VIEWER))


def test_nobody_is_refused_as_described(world: World) -> None:
    try_all(world, None)
