"""`/api/v1/golden-examples/`, `golden-check-runs/` and `knowledge/`: the whole life of each over REST."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from projects.models import Project
from review.models import GoldenCheckRun, GoldenExample, KnowledgeDocument
from review.services.golden import create_example
from tests.factories import Member

RESET, RESET_TWIN = "How do I reset my password?", "How can I reset my password?"
GOLDEN, KNOWLEDGE = "/api/v1/golden-examples/", "/api/v1/knowledge/"


def call(client: Client, method: str, address: str, member: Member, body: Any = None) -> Any:
    sends = {} if body is None else {"data": body, "content_type": "application/json"}
    return getattr(client, method)(address, headers=member.headers, **sends)


def make_example(member: Member, query: str = RESET, answer: str = "By mail.", **fields: Any) -> GoldenExample:
    return create_example(member.project, actor=member.user, original_query=query, golden_response=answer, **fields)


@pytest.mark.django_db
def test_an_example_is_written_changed_and_removed(client: Client, reviewer: Member) -> None:
    check = {"kind": "contains", "text": "mail"}
    draft = {"original_query": RESET, "golden_response": "By mail.", "checks": [check], "split": "evaluation"}
    made = call(client, "post", GOLDEN, reviewer, draft)
    assert made.status_code == 201
    body = made.json()
    address = f"{GOLDEN}{body['id']}/"
    assert (body["split"], body["version"], body["attention"], body["owner"]) == ("evaluation", 1, "", reviewer.user.pk)
    assert body["checks"] == [{**check, "case_sensitive": False}]
    changes = {"golden_response": "By e-mail.", "version": 1, "expires_at": "2099-01-01T00:00:00Z", "owner": None}
    changed = call(client, "patch", address, reviewer, changes).json()
    assert (changed["golden_response"], changed["version"], changed["owner"]) == ("By e-mail.", 2, None)
    assert changed["expires_at"] == "2099-01-01T00:00:00Z"
    late = call(client, "patch", address, reviewer, {"golden_response": "No.", "version": 1})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "changed")
    versions = call(client, "get", f"{address}versions/", reviewer).json()["results"]
    assert [(each["number"], each["golden_response"]) for each in versions] == [(2, "By e-mail."), (1, "By mail.")]
    assert call(client, "delete", address, reviewer).status_code == 204
    assert call(client, "get", address, reviewer).status_code == 404


@pytest.mark.django_db
def test_lists_are_narrowed_counted_and_paged(client: Client, reviewer: Member, viewer: Member) -> None:
    for number in range(3):
        make_example(reviewer, f"{'Where When Why'.split()[number]} is the canteen open on {number}?")
    make_example(reviewer, RESET, split="evaluation")
    page = call(client, "get", f"{GOLDEN}?limit=2&split=few_shot", viewer).json()
    assert (len(page["results"]), page["total"]) == (2, 3)
    rest = call(client, "get", f"{GOLDEN}?limit=2&split=few_shot&cursor={page['next']}", viewer).json()
    assert (len(rest["results"]), rest["next"]) == (1, None)
    assert call(client, "get", f"{GOLDEN}?q=passw", viewer).json()["results"][0]["original_query"] == RESET
    assert call(client, "get", f"{GOLDEN}?split=nonsense", viewer).status_code == 400


@pytest.mark.django_db
def test_duplicates_move_together_and_conflicts_are_settled(client: Client, reviewer: Member) -> None:
    first, twin = make_example(reviewer), make_example(reviewer, RESET_TWIN, "Ask your administrator.")
    address = f"{GOLDEN}{first.pk}/"
    [duplicate] = call(client, "get", f"{address}duplicates/", reviewer).json()["results"]
    assert (duplicate["id"], duplicate["agrees"]) == (str(twin.pk), False)
    assert duplicate["similarity"] > 0.85
    assert call(client, "post", f"{address}move/", reviewer, {"split": "evaluation"}).json()["moved"] == 2
    [group] = call(client, "get", f"{GOLDEN}conflicts/", reviewer).json()["results"]
    assert {each["id"] for each in group} == {str(first.pk), str(twin.pk)}
    assert call(client, "post", f"{address}settle/", reviewer, {"keep": "all"}).json()["attention"] == ""
    assert call(client, "get", f"{GOLDEN}conflicts/", reviewer).json()["results"] == []


@pytest.mark.django_db
def test_an_answer_rests_on_documents(client: Client, reviewer: Member) -> None:
    example = make_example(reviewer)
    document = {"title": "Sign-in", "text": "By mail."}
    made = call(client, "post", KNOWLEDGE, reviewer, document).json()
    assert (made["kind"], made["reference"]) == ("article", None)
    address = f"{GOLDEN}{example.pk}/"
    assert call(client, "put", f"{address}cites/", reviewer, {"documents": [made["id"]]}).status_code == 200
    changed = call(client, "patch", f"{KNOWLEDGE}{made['id']}/", reviewer, {"text": "By telephone."})
    assert changed.json()["title"] == "Sign-in"
    assert call(client, "get", address, reviewer).json()["attention"] == "stale"
    assert call(client, "post", f"{address}still-right/", reviewer).json()["attention"] == ""


@pytest.mark.django_db
def test_documents_are_found_and_removed(client: Client, project: Project, reviewer: Member, viewer: Member) -> None:
    incident = {
        "kind": "incident", "title": "Payments were down", "text": "The queue was full.", "reference": "INC-1042",
        "application": "Payments", "severity": "P0", "started_at": "2026-03-01T10:00:00Z",
        "resolved_at": "2026-03-01T12:00:00Z",
    }  # fmt: skip
    made = call(client, "post", KNOWLEDGE, reviewer, incident).json()
    call(client, "post", KNOWLEDGE, reviewer, {"title": "Canteen", "text": "Upstairs."})
    for query, found in (("q=queue", 1), ("kind=article", 1), ("application=payments", 1), ("q=nothing", 0), ("", 2)):
        assert call(client, "get", f"{KNOWLEDGE}?{query}", viewer).json()["total"] == found, query
    again = call(client, "post", KNOWLEDGE, reviewer, incident)
    assert (again.status_code, again.json()["error"]["code"]) == (400, "reference_taken")
    backwards = {**incident, "reference": "INC-2", "resolved_at": "2026-03-01T09:00:00Z"}
    assert call(client, "post", KNOWLEDGE, reviewer, backwards).json()["error"]["code"] == "bad_times"
    assert call(client, "post", KNOWLEDGE, reviewer, {"title": " ", "text": "x"}).status_code == 400
    assert call(client, "delete", f"{KNOWLEDGE}{made['id']}/", reviewer).status_code == 204
    assert KnowledgeDocument.objects.filter(project=project).count() == 1


@pytest.mark.django_db
def test_what_belongs_to_another_project_is_not_there(client: Client, reviewer: Member, stranger: Member) -> None:
    foreign = make_example(stranger)
    run = GoldenCheckRun.objects.create(project=stranger.project, target="x", split="evaluation", questions=0)
    for address in (f"{GOLDEN}{foreign.pk}/", f"{GOLDEN}{uuid4()}/", f"{GOLDEN}nonsense/", f"{KNOWLEDGE}nonsense/"):
        assert call(client, "get", address, reviewer).status_code == 404, address
    assert call(client, "get", f"/api/v1/golden-check-runs/{run.pk}/", reviewer).status_code == 404
    assert call(client, "get", f"/api/v1/golden-check-runs/{run.pk}/", stranger).json()["results"] == []
    outsider = {"owner": stranger.user.pk}
    own = make_example(reviewer)
    refused = call(client, "patch", f"{GOLDEN}{own.pk}/", reviewer, outsider)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_owner")
