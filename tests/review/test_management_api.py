"""The management surface, sample by sample as it is published, and what it refuses."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from feedback_ingest.models import Conversation
from projects import services
from projects.models import Project
from review.models import Feedback, GoldenExample
from review.services.feedback import Verdict, submit_on_run
from review.services.transitions import dismiss_feedback
from tests.factories import Member, make_project
from tests.review.factories import ANSWER, QUERY, make_conversation, make_feedback, make_run, make_run_feedback

pytestmark = pytest.mark.django_db

UNKNOWN = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
# Token, grants, counters, rows.
QUERIES_OF_A_LIST = 4
FORBIDDEN = {"detail": "Insufficient permissions. Required: feedback.manage"}


def get(client: Client, member: Member, path: str, **query: Any) -> Any:
    return client.get(f"/feedback/{path}", query, headers=member.headers)


def post(client: Client, member: Member, path: str, body: Any = None) -> Any:
    return client.post(f"/feedback/{path}", body or {}, "application/json", headers=member.headers)


def put(client: Client, member: Member, path: str, body: Any) -> Any:
    return client.put(f"/feedback/{path}", body, "application/json", headers=member.headers)


def ids(answer: Any) -> list[str]:
    return [item["id"] for item in answer.json()["items"]]


def test_the_list_answers_as_the_sample(client: Client, project: Project, owner: Member) -> None:
    feedback = make_feedback(owner.user, project, reason="Response was inaccurate", conversation_id="chat-123")
    make_feedback(owner.user, project, "positive")

    answer = get(client, owner, "admin/list", status="pending", type="negative", limit=10)

    assert answer.status_code == 200
    assert answer.json() == {
        "items": [
            {
                "id": str(feedback.uuid),
                "message_id": str(feedback.message.uuid) if feedback.message else None,
                "user_id": str(owner.user.pk),
                "user_email": owner.user.email,
                "feedback_type": "negative",
                "reason": "Response was inaccurate",
                "status": "pending",
                "reviewed_by": None,
                "reviewer_email": None,
                "reviewed_at": None,
                "created_at": feedback.created_at.isoformat().replace("+00:00", "Z"),
                "original_query": QUERY,
                "original_response": ANSWER,
                "chat_id": "chat-123",
                "has_golden_example": False,
                "golden_example_id": None,
                "golden_response": None,
            }
        ],
        "total": 1,
        "limit": 10,
        "offset": 0,
    }


def test_an_approved_verdict_shows_its_example(client: Client, project: Project, owner: Member) -> None:
    make_feedback(owner.user, project, "positive")
    [item] = get(client, owner, "admin/list").json()["items"]
    example = GoldenExample.objects.get()
    assert item["status"] == "auto_approved"
    assert (item["has_golden_example"], item["golden_example_id"], item["golden_response"]) == (
        True, str(example.pk), ANSWER,
    )  # fmt: skip


def test_a_run_is_listed_with_the_customers_id_and_comment(client: Client, project: Project, owner: Member) -> None:
    run = make_run(project, conversation_id="thread-7")
    submit_on_run(run, Verdict("negative", comment="Nope"), external_user_id="customer-1")
    [item] = get(client, owner, "admin/list").json()["items"]
    assert (item["message_id"], item["user_id"], item["reason"], item["chat_id"]) == (
        str(run.pk), "customer-1", "Nope", "thread-7",
    )  # fmt: skip


def test_the_newest_come_first_page_by_page(client: Client, project: Project, owner: Member) -> None:
    newest = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
    for number in range(7):
        feedback = make_run_feedback(project)
        # Two a day, so that pages begin within days and at their edges.
        moment = newest - timedelta(days=number // 2, hours=number % 2)
        Feedback.objects.filter(pk=feedback.pk).update(created_at=moment)
    expected = [str(uuid) for uuid in Feedback.objects.order_by("-created_at").values_list("uuid", flat=True)]

    for offset in range(9):
        page = get(client, owner, "admin/list", limit=3, offset=offset)
        assert ids(page) == expected[offset : offset + 3]
        assert (page.json()["total"], page.json()["limit"], page.json()["offset"]) == (7, 3, offset)


@pytest.mark.parametrize(
    ("search", "found"),
    [("incident", 1), ("resol TIME", 1), ("2 hours", 1), ("inaccur", 1), ("weather", 0), ("'", 2), ("a & | !:*", 1)],
)
def test_search_reads_query_response_and_reason(
    client: Client, project: Project, owner: Member, search: str, found: int
) -> None:
    make_feedback(owner.user, project, reason="Response was inaccurate")
    make_feedback(owner.user, project, query="Opening times?", answer="Nine to five.", reason="No")
    answer = get(client, owner, "admin/list", search=search)
    assert (answer.status_code, answer.json()["total"], len(ids(answer))) == (200, found, found)


def test_unknown_statuses_and_types_match_nothing(client: Client, project: Project, owner: Member) -> None:
    make_feedback(owner.user, project)
    for query in ({"status": "ai_approved"}, {"type": "neutral"}, {"status": "pending", "type": "x"}):
        assert get(client, owner, "admin/list", **query).json()["total"] == 0


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ({"limit": 0}, "greater_than_equal"),
        ({"limit": 101}, "less_than_equal"),
        ({"offset": -1}, "greater_than_equal"),
        ({"limit": "ten"}, "int_parsing"),
        ({"offset": 10**30}, "less_than_equal"),
        ({"status": "a\x00"}, "value_error"),
        ({"search": "x" * 501}, "string_too_long"),
    ],
)
def test_query_parameters_out_of_bounds_are_a_422(
    client: Client, owner: Member, query: dict[str, Any], kind: str
) -> None:
    answer = get(client, owner, "admin/list", **query)
    [name] = query
    assert answer.status_code == 422
    [error] = answer.json()["detail"]
    assert (error["type"], error["loc"]) == (kind, ["query", name])


def test_a_list_costs_the_same_queries_however_long(
    client: Client,
    project: Project,
    owner: Member,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    make_feedback(owner.user, project, "positive")
    get(client, owner, "admin/list")
    with django_assert_num_queries(QUERIES_OF_A_LIST):
        get(client, owner, "admin/list")
    for sentiment in ("positive", "negative") * 4:
        make_feedback(owner.user, project, sentiment)
        make_run_feedback(project, sentiment)
    with django_assert_num_queries(QUERIES_OF_A_LIST):
        assert len(ids(get(client, owner, "admin/list"))) == 17


def test_the_statistics_move_with_every_step(client: Client, project: Project, owner: Member) -> None:
    make_feedback(owner.user, project, "positive")
    negative = make_feedback(owner.user, project)
    dismiss_feedback(make_feedback(owner.user, project), actor=owner.user)
    make_run_feedback(project, "neutral")
    post(client, owner, "golden-examples/", {"original_query": "Q", "golden_response": "A"})

    assert get(client, owner, "admin/stats").json() == {
        "total_feedback": 3,
        "positive_count": 1,
        "negative_count": 2,
        "pending_count": 1,
        "auto_approved_count": 1,
        "reviewed_count": 0,
        "dismissed_count": 1,
        "golden_examples_count": 1,
    }
    post(client, owner, f"admin/{negative.uuid}/resolve", {"golden_response": "Four hours."})
    after = get(client, owner, "admin/stats").json()
    assert (after["pending_count"], after["reviewed_count"], after["golden_examples_count"]) == (0, 1, 2)


def test_one_verdict_reads_as_in_the_list(client: Client, project: Project, owner: Member) -> None:
    feedback = make_feedback(owner.user, project)
    [item] = get(client, owner, "admin/list").json()["items"]
    assert get(client, owner, f"admin/{feedback.uuid}").json() == item
    assert get(client, owner, f"admin/{feedback.uuid}/").json() == item


def test_resolving_answers_as_the_sample(client: Client, project: Project, owner: Member) -> None:
    feedback = make_feedback(owner.user, project)
    path = f"admin/{feedback.uuid}/resolve"

    refused = post(client, owner, path)
    assert refused.status_code == 400
    assert refused.json() == {"detail": "Negative feedback requires a golden response to resolve"}

    answer = post(client, owner, path, {"golden_response": "Four hours."})
    example = GoldenExample.objects.get()
    assert answer.status_code == 200
    assert answer.json() == {
        "message": "Feedback resolved successfully",
        "feedback_id": str(feedback.uuid),
        "golden_example_id": str(example.pk),
        "status": "reviewed",
    }
    assert (example.golden_response, example.original_response) == ("Four hours.", ANSWER)

    again = post(client, owner, path, {"golden_response": "Five."})
    assert (again.status_code, again.json()) == (400, {"detail": "Feedback has already been processed"})
    shown = get(client, owner, f"admin/{feedback.uuid}").json()
    assert (shown["reviewed_by"], shown["reviewer_email"]) == (str(owner.user.pk), owner.user.email)


def test_dismissing_and_restoring_answer_as_the_samples(client: Client, project: Project, owner: Member) -> None:
    feedback = make_feedback(owner.user, project, reason="Bad")
    path = f"admin/{feedback.uuid}"

    dismissed = post(client, owner, f"{path}/dismiss", {"reason": "User error - question was unclear"})
    assert dismissed.json() == {
        "message": "Feedback dismissed", "feedback_id": str(feedback.uuid), "status": "dismissed",
    }  # fmt: skip
    again = post(client, owner, f"{path}/dismiss", {})
    assert (again.status_code, again.json()) == (400, {"detail": "Feedback has already been processed"})

    restored = client.post(f"/feedback/{path}/restore", headers=owner.headers)
    assert restored.json() == {
        "message": "Feedback restored to pending", "feedback_id": str(feedback.uuid), "status": "pending",
    }  # fmt: skip
    shown = get(client, owner, path).json()
    assert [shown[name] for name in ("reviewed_by", "reviewer_email", "reviewed_at", "reason")] == [
        None, None, None, "Bad",
    ]  # fmt: skip
    late = post(client, owner, f"{path}/restore")
    assert (late.status_code, late.json()) == (400, {"detail": "Only dismissed feedback can be restored"})


def test_deleting_is_permanent_and_takes_the_example_along(client: Client, project: Project, owner: Member) -> None:
    feedback = make_feedback(owner.user, project, "positive")
    path = f"/feedback/admin/{feedback.uuid}"

    answer = client.delete(path, headers=owner.headers)

    assert answer.status_code == 200
    assert answer.json() == {
        "message": "Feedback deleted successfully", "feedback_id": str(feedback.uuid),
    }  # fmt: skip
    assert not GoldenExample.objects.exists()
    gone = client.get(path, headers=owner.headers)
    assert (gone.status_code, gone.json()) == (404, {"detail": "Feedback not found"})
    assert get(client, owner, "admin/stats").json()["golden_examples_count"] == 0


def test_settings_have_defaults_and_change_one_by_one(client: Client, owner: Member) -> None:
    defaults = {
        "auto_approve_positive": True,
        "auto_approve_negative": False,
        "require_reason_positive": False,
        "require_reason_negative": False,
    }
    assert get(client, owner, "admin/settings").json() == defaults
    changed = put(client, owner, "admin/settings", {"require_reason_negative": True})
    assert changed.json() == defaults | {"require_reason_negative": True}
    assert get(client, owner, "admin/settings").json() == changed.json()
    wrong = put(client, owner, "admin/settings", {"auto_approve_positive": "perhaps"})
    assert (wrong.status_code, wrong.json()["detail"][0]["type"]) == (422, "bool_parsing")


WRITES = [
    ("POST", "admin/{}/resolve"),
    ("POST", "admin/{}/dismiss"),
    ("POST", "admin/{}/restore"),
    ("POST", "admin/{}/generate-response"),
    ("DELETE", "admin/{}"),
    ("GET", "admin/settings"),
    ("PUT", "admin/settings"),
    ("POST", "golden-examples"),
    ("PUT", "golden-examples/{}"),
    ("DELETE", "golden-examples/{}"),
]
READS = [
    ("GET", "admin/list"),
    ("GET", "admin/stats"),
    ("GET", "admin/{}"),
    ("GET", "golden-examples"),
    ("GET", "golden-examples/{}"),
]
MISSING = {"admin": "Feedback not found", "golden-examples": "Golden example not found"}


def call(client: Client, method: str, path: str, headers: dict[str, str] | None = None) -> Any:
    body = {"golden_response": "A", "original_query": "Q"}
    return client.generic(
        method, f"/feedback/{path}", content_type="application/json", data=_json(body), headers=headers
    )


def _json(body: Any) -> bytes:
    import json

    return json.dumps(body).encode()


@pytest.mark.parametrize(("method", "path"), WRITES + READS)
def test_every_path_needs_a_live_token(client: Client, owner: Member, method: str, path: str) -> None:
    for headers in (None, {"Authorization": "Bearer nonsense"}, {"Authorization": "Bearer a.b.c"}):
        answer = call(client, method, path.format(UNKNOWN), headers)
        assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_writing_needs_the_manage_permission(client: Client, viewer: Member, method: str, path: str) -> None:
    answer = call(client, method, path.format(UNKNOWN), viewer.headers)
    assert (answer.status_code, answer.json()) == (403, FORBIDDEN)


@pytest.mark.parametrize(("method", "path"), [pair for pair in WRITES + READS if "{}" in pair[1]])
@pytest.mark.parametrize("name", [UNKNOWN, "not-a-uuid", "1", "%00", "x" * 500])
def test_what_is_not_there_is_a_404(client: Client, owner: Member, method: str, path: str, name: str) -> None:
    answer = call(client, method, path.format(name), owner.headers)
    assert (answer.status_code, answer.json()) == (404, {"detail": MISSING[path.split("/")[0]]})


@pytest.mark.parametrize(("method", "path"), [pair for pair in WRITES + READS if "{}" in pair[1]])
def test_another_projects_rows_are_not_there(
    client: Client, project: Project, owner: Member, stranger: Member, method: str, path: str
) -> None:
    feedback = make_feedback(owner.user, project, "positive")
    key = GoldenExample.objects.get().pk if path.startswith("golden") else feedback.uuid
    answer = call(client, method, path.format(key), stranger.headers)
    assert (answer.status_code, answer.json()) == (404, {"detail": MISSING[path.split("/")[0]]})
    assert Feedback.objects.get().status == "auto_approved"
    assert GoldenExample.objects.get().golden_response == ANSWER


def test_lists_and_statistics_show_nothing_of_another_project(
    client: Client, project: Project, owner: Member, stranger: Member
) -> None:
    make_feedback(owner.user, project, "positive")
    for path in ("admin/list", "golden-examples"):
        assert get(client, stranger, path).json()["total"] == 0
    assert set(get(client, stranger, "admin/stats").json().values()) == {0}
    named = get(client, stranger, "admin/list", project=project.pk)
    assert named.status_code == 404


def test_viewers_read(client: Client, project: Project, owner: Member, viewer: Member) -> None:
    feedback = make_feedback(owner.user, project, "positive")
    for path in ("admin/list", "admin/stats", f"admin/{feedback.uuid}", "golden-examples"):
        assert get(client, viewer, path).status_code == 200


def test_who_is_removed_is_refused_at_the_very_next_request(
    client: Client, project: Project, owner: Member, reviewer: Member
) -> None:
    from guardian.shortcuts import remove_perm

    assert get(client, reviewer, "admin/stats").status_code == 200
    remove_perm("feedback.manage", reviewer.user, project)
    assert get(client, reviewer, "admin/settings").json() == FORBIDDEN
    remove_perm("feedback.view", reviewer.user, project)
    answer = get(client, reviewer, "admin/stats")
    assert answer.status_code == 403
    assert answer.json() == {"detail": "Insufficient permissions. Required: feedback.view"}


def test_people_are_masked_for_who_may_not_see_them(
    client: Client, project: Project, owner: Member, reviewer: Member
) -> None:
    submit_on_run(make_run(project), Verdict("negative"), external_user_id="jane@example.com")
    make_feedback(owner.user, project)
    for path in ("admin/list", "admin/list?search=hours"):
        text = get(client, reviewer, path).content.decode()
        assert owner.user.email not in text
        assert "jane@example.com" not in text
        assert "j***@example.com" in text
    assert "jane@example.com" in get(client, owner, "admin/list").content.decode()


def test_two_projects_ask_which_one(client: Client, project: Project, owner: Member) -> None:
    other = make_project(owner.user)
    token = services.issue_personal_token(owner.user, other, "other").secret
    make_feedback(owner.user, project)
    assert get(client, Member(owner.user, other, token), "admin/stats").json()["total_feedback"] == 0
    assert get(client, owner, "admin/stats").json()["total_feedback"] == 1


def test_verdicts_of_deleted_conversations_cannot_be_added(client: Client, project: Project, owner: Member) -> None:
    conversation = make_conversation(project)
    feedback = make_feedback(owner.user, project)
    Conversation.objects.exclude(pk=conversation.pk).update(deleted_at=feedback.created_at)
    answer = client.post(
        "/feedback",
        {"message_id": feedback.message_id, "feedback_type": "positive"},
        "application/json",
        headers=owner.headers,
    )
    assert answer.json() == {"detail": f"Message {feedback.message_id} not found"}


def test_golden_examples_are_written_read_changed_and_removed(client: Client, project: Project, owner: Member) -> None:
    made = post(client, owner, "golden-examples", {"original_query": "Q?", "golden_response": "A."})
    example = GoldenExample.objects.get()
    assert made.status_code == 201
    assert made.json() == {
        "id": str(example.pk),
        "feedback_id": None,
        "source_type": "manual",
        "approval_type": "manual",
        "original_query": "Q?",
        "original_response": "",
        "golden_response": "A.",
        "qdrant_point_id": str(example.pk),
        "created_by": str(owner.user.pk),
        "creator_email": owner.user.email,
        "is_active": True,
        "created_at": example.created_at.isoformat().replace("+00:00", "Z"),
        "updated_at": example.updated_at.isoformat().replace("+00:00", "Z"),
    }
    path = f"golden-examples/{example.pk}"
    assert get(client, owner, path).json() == made.json()
    off = put(client, owner, path, {"is_active": False}).json()
    assert (off["is_active"], off["golden_response"]) == (False, "A.")
    assert get(client, owner, "golden-examples/", is_active="true").json()["total"] == 0
    assert ids(get(client, owner, "golden-examples/", is_active="false", source_type="manual")) == [off["id"]]
    removed = client.delete(f"/feedback/{path}", headers=owner.headers)
    assert (removed.status_code, removed.content) == (204, b"")
    assert get(client, owner, path).json() == {"detail": "Golden example not found"}


@pytest.mark.parametrize("body", [{}, {"original_query": "Q"}, {"original_query": "", "golden_response": "A"}])
def test_a_golden_example_needs_question_and_answer(client: Client, owner: Member, body: Any) -> None:
    assert post(client, owner, "golden-examples", body).status_code == 422


def test_unknown_paths_below_are_not_found(client: Client, owner: Member) -> None:
    assert post(client, owner, f"admin/{uuid4()}/explode").status_code == 404
