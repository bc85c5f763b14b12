"""What users said of an agent's runs, as the dashboard reads it, and what members note on it."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from projects.models import AuditEvent
from projects.roles import Role
from review.models import Run
from review.services.feedback import Verdict, submit_on_run
from tests.factories import Member, make_member
from tests.review.factories import make_run
from tests.review.workflowai.calling import call

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(owner: Member) -> Run:
    return make_run(owner.project)


def judge(run: Run, sentiment: str, user: str = "", comment: str | None = None) -> Any:
    return submit_on_run(run, Verdict(sentiment, comment=comment), external_user_id=user)


def test_verdicts_are_listed_newest_first_without_what_was_said_anew(client: Client, owner: Member, run: Run) -> None:
    judge(run, "positive", "u1")
    latest = judge(run, "negative", "u1", "Wrong")
    anonymous = judge(run, "positive")
    judge(make_run(owner.project), "negative")

    listed = call(client, owner, f"agents/{run.agent.slug}/feedback").json()

    assert listed["count"] == 2
    assert [item["id"] for item in listed["items"]] == [str(anonymous.uuid), str(latest.uuid)]
    assert listed["items"][1] == {
        "id": str(latest.uuid),
        "outcome": "negative",
        "user_id": "u1",
        "created_at": latest.created_at.isoformat().replace("+00:00", "Z"),
        "comment": "Wrong",
        "run_id": str(run.pk),
        "annotation": None,
    }


def test_the_verdicts_of_a_run_come_without_nulls(client: Client, owner: Member, run: Run) -> None:
    judge(run, "negative")
    listed = call(client, owner, f"agents/{run.agent.slug}/runs/{run.pk}/feedback").json()
    assert listed["items"][0].keys() == {"id", "outcome", "created_at", "run_id"}


def test_a_list_is_read_in_stretches(client: Client, owner: Member, run: Run) -> None:
    given = [str(judge(run, "negative", f"u{number}").uuid) for number in range(5)]
    path = f"agents/{run.agent.slug}/feedback"
    page = call(client, owner, f"{path}?limit=2&offset=1").json()
    assert ([item["id"] for item in page["items"]], page["count"]) == (given[::-1][1:3], 5)
    for wrong in ("limit=0", "limit=101", "offset=-1", "limit=x"):
        assert call(client, owner, f"{path}?{wrong}").status_code == 422


def test_a_page_costs_the_same_however_much_is_on_it(
    client: Client, owner: Member, run: Run, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(8):
        judge(run, "negative", f"u{number}")
    with django_assert_max_num_queries(9):
        assert call(client, owner, f"agents/{run.agent.slug}/feedback").json()["count"] == 8


def test_the_last_note_is_shown_and_each_is_on_the_audit_trail(client: Client, owner: Member, run: Run) -> None:
    verdict = judge(run, "negative", "u1")
    path = f"agents/{run.agent.slug}/feedback"
    for annotation in ("incorrect", "resolved"):
        body = {"annotation": annotation, "comment": "Looked at it"}
        answer = call(client, owner, f"{path}/{verdict.uuid}/annotate", body)
        assert (answer.status_code, answer.json()) == (200, None)
    assert [item["annotation"] for item in call(client, owner, path).json()["items"]] == ["resolved"]
    events = AuditEvent.objects.filter(verb="feedback.annotated").order_by("pk")
    assert [event.details for event in events] == [{"annotation": "incorrect"}, {"annotation": "resolved"}]


def test_a_new_verdict_of_the_user_has_no_note(client: Client, owner: Member, run: Run) -> None:
    path = f"agents/{run.agent.slug}/feedback"
    call(client, owner, f"{path}/{judge(run, 'negative').uuid}/annotate", {"annotation": "correct"})
    judge(run, "positive")
    assert [item["annotation"] for item in call(client, owner, path).json()["items"]] == [None]


def test_only_what_is_there_can_be_noted_on(client: Client, owner: Member, stranger: Member, run: Run) -> None:
    verdict = judge(run, "negative")
    path = f"agents/{run.agent.slug}/feedback"
    assert call(client, owner, f"{path}/{verdict.uuid}/annotate", {"annotation": "nice"}).status_code == 422
    assert call(client, owner, f"{path}/x/annotate", {"annotation": "correct"}).status_code == 404
    assert call(client, stranger, f"{path}/{verdict.uuid}/annotate", {"annotation": "correct"}).status_code == 404


def test_who_may_not_see_people_is_not_told_their_ids(client: Client, owner: Member, run: Run) -> None:
    judge(run, "negative", "jane@example.com")
    masked = make_member(owner.project, Role.REVIEWER)
    answer = call(client, masked, f"agents/{run.agent.slug}/feedback")
    assert answer.json()["items"][0]["user_id"] == "j***@example.com"
