"""`/v1/feedback`: a customer judges an answer by its token alone."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from projects.models import Project
from review.models import Feedback, Run
from review.services.counts import statistics
from review.services.tokens import mint_token
from review.workflowai import quota
from tests.factories import make_project
from tests.review.factories import make_run

pytestmark = pytest.mark.django_db

INVALID = {"error": {"message": "Invalid feedback token", "status_code": 400, "code": "bad_request"}}


@pytest.fixture
def run(project: Project) -> Run:
    return make_run(project)


@pytest.fixture
def token(run: Run) -> str:
    return mint_token(run)


def post(client: Client, token: str, outcome: str = "positive", **fields: Any) -> Any:
    body = {"feedback_token": token, "outcome": outcome} | fields
    return client.post("/v1/feedback", body, content_type="application/json")


def outcome(client: Client, token: str, **query: str) -> Any:
    answer = client.get("/v1/feedback", {"feedback_token": token} | query)
    assert answer.status_code == 200
    return answer.json()


def test_a_verdict_is_stored_and_answered_as_published(client: Client, run: Run, token: str) -> None:
    answer = post(client, token, "negative", comment="Wrong city", user_id="user-1")

    feedback = Feedback.objects.get()
    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(feedback.uuid),
        "outcome": "negative",
        "comment": "Wrong city",
        "user_id": "user-1",
    }
    assert (feedback.run, feedback.agent, feedback.project) == (run, run.agent, run.project)
    assert (feedback.kind, feedback.channel, feedback.origin) == ("run", "token", "customer")
    assert (feedback.original_response, feedback.status) == (run.answer, "pending")


def test_what_was_not_given_is_null_in_the_answer(client: Client, token: str) -> None:
    assert post(client, token, "negative").json().items() >= {"comment": None, "user_id": None}.items()
    assert post(client, token, "negative", comment=None, user_id=None).status_code == 200


def test_a_second_verdict_of_a_user_takes_the_place_of_the_first(client: Client, run: Run, token: str) -> None:
    first = post(client, token, "positive", user_id="u").json()
    second = post(client, token, "negative", user_id="u").json()

    assert first["id"] != second["id"]
    assert list(Feedback.objects.current().values_list("sentiment", flat=True)) == ["negative"]
    assert Feedback.objects.count() == 2
    assert outcome(client, token, user_id="u") == {"outcome": "negative"}
    assert statistics(run.project).total_feedback == 1


def test_all_anonymous_users_are_one(client: Client, token: str) -> None:
    for given in ({}, {"user_id": None}, {"user_id": ""}):
        post(client, token, "negative", **given)
    assert Feedback.objects.current().count() == 1
    assert outcome(client, token) == outcome(client, token, user_id="") == {"outcome": "negative"}


def test_users_do_not_overwrite_each_other_nor_see_each_other(client: Client, token: str) -> None:
    post(client, token, "positive", user_id="a")
    post(client, token, "negative", user_id="b")
    assert outcome(client, token, user_id="a") == {"outcome": "positive"}
    assert outcome(client, token, user_id="b") == {"outcome": "negative"}
    assert outcome(client, token) == {"outcome": None}


def test_an_authorization_header_is_ignored(client: Client, token: str) -> None:
    headers = {"Authorization": "Bearer no-such-key"}
    body = {"feedback_token": token, "outcome": "negative"}
    assert client.post("/v1/feedback", body, "application/json", headers=headers).status_code == 200


@pytest.mark.parametrize("wrong", ["", "x", "fb_123", "a.b", "é.ü"])
def test_a_token_that_is_not_ours_is_refused_without_a_word_more(client: Client, wrong: str) -> None:
    posted, asked = post(client, wrong), client.get("/v1/feedback", {"feedback_token": wrong})
    assert (posted.status_code, posted.json()) == (asked.status_code, asked.json()) == (400, INVALID)


def test_the_answer_does_not_tell_a_deleted_run_from_a_forged_token(client: Client, run: Run, token: str) -> None:
    run.delete()
    assert post(client, token).json() == post(client, token[:-1]).json() == INVALID
    assert client.get("/v1/feedback", {"feedback_token": token}).json() == INVALID


def test_a_token_reads_nothing_but_the_outcome(client: Client, run: Run, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    post(client, token, "negative", comment="secret words", user_id="u")
    assert outcome(client, token, user_id="u").keys() == {"outcome"}
    assert client.get("/feedback/admin/list", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"outcome": "positive"}, ["body", "feedback_token"]),
        ({"feedback_token": "x"}, ["body", "outcome"]),
        ({"feedback_token": "x", "outcome": "neutral"}, ["body", "outcome"]),
        ({"feedback_token": 1, "outcome": "positive"}, ["body", "feedback_token"]),
        ({"feedback_token": "x", "outcome": "positive", "comment": "c" * 5_001}, ["body", "comment"]),
        ({"feedback_token": "x", "outcome": "positive", "comment": "\0"}, ["body", "comment"]),
        ({"feedback_token": "x", "outcome": "positive", "user_id": "u" * 256}, ["body", "user_id"]),
    ],
)
def test_a_body_that_does_not_fit_is_a_422_that_says_where(client: Client, body: dict[str, Any], place: Any) -> None:
    answer = client.post("/v1/feedback", body, content_type="application/json")
    assert answer.status_code == 422
    assert [error["loc"] for error in answer.json()["detail"]] == [place]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"feedback_token": "\\ud800"}', b"[" * 60_000])
def test_malformed_bodies_are_a_422(client: Client, body: bytes) -> None:
    answer = client.post("/v1/feedback", body, content_type="application/json")
    assert answer.status_code == 422
    assert {"type", "loc", "msg", "input"} <= answer.json()["detail"][0].keys()


def test_asking_without_a_token_is_a_422(client: Client) -> None:
    answer = client.get("/v1/feedback")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "feedback_token"]


def test_a_body_too_large_for_any_verdict_is_not_read(client: Client) -> None:
    answer = client.post("/v1/feedback", b" " * 70_000, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "entity_too_large")


def test_browsers_of_any_origin_may_call_and_read_errors_too(client: Client, token: str) -> None:
    answers = [
        post(client, token),
        post(client, "forged"),
        client.get("/v1/feedback", {"feedback_token": token}),
        client.get("/v1/feedback"),
        client.put("/v1/feedback"),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 200, 422, 405]
    for answer in answers:
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer


def test_the_preflight_of_a_browser_is_answered(client: Client) -> None:
    asks = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = client.options("/v1/feedback", headers=asks)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer["Access-Control-Allow-Methods"]
    assert "content-type" in answer["Access-Control-Allow-Headers"].lower()


def test_no_other_address_answers_foreign_origins(client: Client) -> None:
    answer = client.get("/feedback/admin/list", headers={"Origin": "https://shop.example"})
    assert "Access-Control-Allow-Origin" not in answer


def test_a_token_may_be_used_so_often_a_minute(client: Client, project: Project, token: str, settings: Any) -> None:
    settings.FEEDBACK_PER_TOKEN = 2
    answers = [post(client, token, user_id=str(user)) for user in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= quota.WINDOW_SECONDS
    assert answers[-1]["Access-Control-Allow-Origin"] == "*"
    assert answers[-1].json()["error"]["status_code"] == 429
    assert post(client, mint_token(make_run(project))).status_code == 200


def test_an_address_may_call_so_often_a_minute_with_whatever_tokens(
    client: Client, token: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("review.workflowai.quota.time.time", lambda: 60.0)
    settings.FEEDBACK_PER_ADDRESS = 2
    assert [post(client, wrong).status_code for wrong in ("a", "b")] == [400, 400]
    assert post(client, token).status_code == 429
    assert outcome(client, token) == {"outcome": None}, "looking is counted by itself"
    monkeypatch.setattr("review.workflowai.quota.time.time", lambda: 120.0)
    assert post(client, token).status_code == 200


def test_addresses_of_one_ipv6_network_are_one_and_others_are_not(token: str, settings: Any) -> None:
    settings.FEEDBACK_PER_ADDRESS = 1

    def status(address: str) -> Any:
        return post(Client(REMOTE_ADDR=address), token).status_code

    assert status("2001:db8:0:1::1") == 200
    assert status("2001:db8:0:1:ffff::2") == 429
    assert status("2001:db8:0:2::1") == 200
    assert status("192.0.2.1") == 200


def test_the_same_user_twice_at_the_same_time_leaves_one_verdict(transactional_db: None) -> None:
    token = mint_token(make_run(make_project()))

    def judge(outcome: str) -> int:
        try:
            return int(post(Client(), token, outcome, user_id="u").status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        statuses = list(threads.map(judge, ["positive", "negative"] * 4))
    assert statuses == [200] * 8
    assert (Feedback.objects.current().count(), Feedback.objects.count()) == (1, 8)
