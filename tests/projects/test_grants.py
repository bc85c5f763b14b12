"""What asking for permissions costs: guardian is asked once a request, and again at the next one."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from guardian.shortcuts import remove_perm

from tests.factories import Member, make_insight, make_source

pytestmark = pytest.mark.django_db


def asked_of_guardian(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in queries if "guardian_" in query["sql"]]


@pytest.mark.parametrize(
    "path",
    ["insights/", "insights/{insight}/", "insights/{insight}/mentions/", "items/", "sources/", "sources/{source}/"],
)
def test_a_request_over_rest_asks_at_most_twice(client: Client, owner: Member, path: str) -> None:
    insight, source = make_insight(owner.project), make_source(owner.project)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get("/api/v1/" + path.format(insight=insight.pk, source=source.pk), headers=owner.headers)
    assert answer.status_code == 200
    assert len(asked_of_guardian(queries)) <= 2, asked_of_guardian(queries)


@pytest.mark.parametrize("path", ["insights/", "insights/{insight}/", "feedback/", "sources/", "settings/"])
def test_a_page_asks_at_most_twice(client: Client, owner: Member, path: str) -> None:
    insight = make_insight(owner.project)
    client.force_login(owner.user)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(f"/p/{owner.project.slug}/" + path.format(insight=insight.pk))
    assert answer.status_code == 200
    assert len(asked_of_guardian(queries)) <= 2, asked_of_guardian(queries)


def test_a_grant_that_is_gone_ends_the_very_next_request(client: Client, viewer: Member) -> None:
    assert client.get("/api/v1/sources/", headers=viewer.headers).status_code == 200
    remove_perm("feedback.view", viewer.user, viewer.project)
    assert client.get("/api/v1/sources/", headers=viewer.headers).status_code == 404
