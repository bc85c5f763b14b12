"""People over REST: looked up by their keys, masked for who may not see them."""

from typing import Any

import pytest
from django.test import Client

from feedback_ingest.models import Alias, Person
from feedback_ingest.people import Author, identify
from projects.models import Project
from tests.factories import Member, make_project

pytestmark = pytest.mark.django_db


def get(member: Member, query: str = "", *, status: int = 200) -> Any:
    response = Client().get(f"/api/v1/people/{query}", headers=member.headers)
    assert response.status_code == status
    return response.json()


def known(project: Project, **said: str) -> Person:
    author = Author(**{"user_id": None, "email": None, "name": None, "source": "s", "anonymous": "a"} | said)  # type: ignore[arg-type]
    return identify(project, [author])[author]


def test_people_are_looked_up_by_any_of_their_keys(owner: Member, project: Project) -> None:
    jane = known(project, user_id="u1", email="Jane@acme.example", name="Jane")
    known(project, email="tom@example.org")
    known(make_project(), user_id="u1")
    assert get(owner)["total"] == 2
    for query in ("?user_id=u1", "?email=JANE@acme.example", f"?account={jane.account_id}"):
        (found,) = get(owner, query)["results"]
        assert (found["id"], found["name"], found["account"]["name"]) == (jane.pk, "Jane", "acme.example")
        assert {alias["rule"] for alias in found["aliases"]} == {Alias.Rule.USER_ID, Alias.Rule.EMAIL}
    assert get(owner, "?user_id=nobody")["results"] == []


def test_names_that_grow_when_their_letters_are_folded_are_known_again(project: Project) -> None:
    said = {"name": "ﬃ" * 256, "account": "İ" * 255}
    jane = known(project, **said)
    assert known(project, **said) == jane
    assert jane.account is not None
    assert jane.account.name == said["account"]


def test_pages_follow_each_other(owner: Member, project: Project) -> None:
    people = [known(project, user_id=f"u{number}").pk for number in range(5)]
    first = get(owner, "?limit=3")
    rest = get(owner, f"?limit=3&cursor={first['next']}")
    assert [person["id"] for person in first["results"] + rest["results"]] == people[::-1]
    assert rest["next"] is None


def test_who_may_not_see_people_neither_reads_nor_probes_them(viewer: Member, project: Project) -> None:
    jane = known(project, user_id="u1", email="jane@acme.example", name="Jane")
    shown = get(viewer, f"{jane.pk}/")
    assert shown["name"] == f"Person {jane.pk}"
    assert "jane" not in str(shown).lower()
    assert "acme" not in str(shown)
    get(viewer, "?email=jane@acme.example", status=403)


def test_strangers_find_nobody(stranger: Member, project: Project) -> None:
    get(stranger, f"{known(project, user_id='u1').pk}/", status=404)
