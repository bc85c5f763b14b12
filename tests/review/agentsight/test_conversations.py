"""Tracked conversations over REST: begun, found, listed, changed, hidden, and never another's."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from feedback_ingest.models import Conversation
from feedback_ingest.services.tracking import Clicked, Done, track_action, track_button
from projects.models import AuditEvent, Project
from projects.roles import Role
from review.models import Feedback
from review.services.feedback import Verdict, submit_on_conversation
from tests.factories import Member, make_member
from tests.review.agentsight.factories import MISSING, Assistant
from tests.review.factories import make_answer, make_conversation

pytestmark = pytest.mark.django_db

# Key, count, conversations, messages with their clicks, files, action logs, verdicts.
QUERIES_OF_A_LIST = 7
UNSET = {
    "customer_id": None, "customer_ip_address": None, "device": None, "source": None, "language": None, "name": None,
    "metadata": None, "environment": "development", "is_used": False,
}  # fmt: skip


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json()
    return [row["conversation_id"] for row in answer.json()["results"]]


def test_a_conversation_is_begun_once_and_keeps_its_data(assistant: Assistant) -> None:
    first = assistant.post("conversations/", UNSET | {"conversation_id": "c-1", "name": "One", "is_used": False})
    again = assistant.post("conversations/", UNSET | {"conversation_id": "c-1", "name": "Two", "is_used": True})

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert again.json()["name"] == "One"
    assert (first.json()["is_used"], again.json()["is_used"]) == (False, True)
    conversation = Conversation.objects.get()
    assert (conversation.environment, conversation.metadata) == ("development", {})


def test_it_is_production_unless_the_client_says_otherwise(assistant: Assistant) -> None:
    assert assistant.post("conversations/", {"conversation_id": "c-1"}).json()["environment"] == "production"
    assert assistant.post("conversations", {"conversation_id": "c-2", "environment": "dev"}).json()["environment"] == (
        "development"
    )


def test_a_page_has_seven_keys_and_at_most_a_hundred_rows(assistant: Assistant) -> None:
    for number in range(12):
        make_conversation(assistant.project, conversation_id=f"c-{number}")
    page = assistant.get("conversations/").json()
    assert {name: page[name] for name in ("count", "page_size", "total_pages", "current_page", "previous")} == {
        "count": 12, "page_size": 10, "total_pages": 2, "current_page": 1, "previous": None,
    }  # fmt: skip
    assert len(page["results"]) == 10
    assert "page=2" in page["next"]
    assert assistant.get("conversations/", page_size=500).json()["page_size"] == 100
    beyond = assistant.get("conversations/", page=3)
    assert (beyond.status_code, beyond.json()) == (404, {"detail": "Invalid page."})


def test_a_list_asks_as_often_for_twenty_conversations_as_for_one(
    assistant: Assistant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def fill(number: int) -> None:
        for _ in range(number):
            conversation = make_conversation(assistant.project)
            make_answer(assistant.project, conversation=conversation)
            track_action(conversation, Done("look_up"))
            track_button(conversation, Clicked("e", "l", "v"))
            submit_on_conversation(conversation, Verdict("positive"), origin=Feedback.Origin.CUSTOMER)

    assistant.get("conversations/")  # the key's use is noted
    fill(1)
    with django_assert_num_queries(QUERIES_OF_A_LIST):
        assert len(assistant.get("conversations/", page_size=100).json()["results"]) == 1
    fill(19)
    with django_assert_num_queries(QUERIES_OF_A_LIST):
        assert len(assistant.get("conversations/", page_size=100).json()["results"]) == 20
    with django_assert_num_queries(3):
        summary = assistant.get("conversations/", page_size=100, full="false").json()["results"][0]
    assert "messages" not in summary


def test_filters_of_metadata_take_texts_numbers_truths_and_nested_keys(assistant: Assistant) -> None:
    make_conversation(
        assistant.project,
        conversation_id="c-1",
        metadata={"plan": "pro", "seats": 5, "trial": True, "shop": {"city": {"name": "Ulm"}}, "a.b": "dotted"},
    )
    make_conversation(assistant.project, conversation_id="c-2", metadata={"plan": "free", "seats": "5"})

    def found(pairs: str) -> list[str]:
        return ids(assistant.get("conversations/", metadata=pairs, ordering="id"))

    assert found("plan:pro") == ["c-1"]
    assert found("seats:5") == ["c-1", "c-2"]
    assert found("seats:5,trial:true") == ["c-1"]
    assert found("shop.city.name:Ulm") == ["c-1"]
    assert found("a.b:dotted") == ["c-1"]
    assert found("plan:pr") == []
    assert assistant.get("conversations/", metadata="plan").status_code == 400


def test_one_verdict_has_to_be_all_that_is_asked_for(assistant: Assistant) -> None:
    conversation = make_conversation(assistant.project, conversation_id="c-1")
    submit_on_conversation(conversation, Verdict("positive"), origin=Feedback.Origin.CUSTOMER)
    submit_on_conversation(conversation, Verdict("negative"), origin=Feedback.Origin.PLATFORM)

    def found(**asked: str) -> list[str]:
        return ids(assistant.get("conversations/", **asked))

    assert found(feedback_sentiment="negative", feedback_source="platform") == ["c-1"]
    assert found(feedback_sentiment="negative", feedback_source="customer") == []


def test_dates_include_both_ends(assistant: Assistant) -> None:
    moment = timezone.now()
    make_conversation(assistant.project, conversation_id="c-1", started_at=moment)
    later = (moment + timedelta(seconds=1)).isoformat()
    assert ids(assistant.get("conversations/", started_at_after=moment.isoformat())) == ["c-1"]
    assert ids(assistant.get("conversations/", started_at_before=moment.isoformat())) == ["c-1"]
    assert ids(assistant.get("conversations/", started_at_after=later)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("started_at_after", "yesterday"),
        ("customer_ip_address", "somewhere"),
        ("is_marked", "perhaps"),
        ("feedback_sentiment", "fine"),
        ("env", "staging"),
        ("ordering", "metadata"),
        ("metadata_value", "without a key"),
        ("conversation_id", "x" * 300),
    ],
)
def test_a_filter_that_cannot_be_is_named_and_never_widens_the_list(
    assistant: Assistant, name: str, value: str
) -> None:
    answer = assistant.get("conversations/", **{name: value})
    assert answer.status_code == 400
    assert list(answer.json()) == [name]


def test_a_deleted_conversation_is_found_only_where_it_is_asked_for(assistant: Assistant) -> None:
    conversation = make_conversation(assistant.project, conversation_id="c-1")
    deleted = assistant.delete(f"conversations/{conversation.pk}/delete/")
    again = assistant.delete(f"conversations/{conversation.pk}/")

    assert deleted.json()["is_deleted"] is True
    assert again.json()["deleted_at"] == deleted.json()["deleted_at"]
    assert ids(assistant.get("conversations/")) == []
    assert ids(assistant.get("conversations/", include_deleted="true")) == ["c-1"]
    assert assistant.get("conversations/lookup/", conversation_id="c-1").status_code == 404
    assert assistant.get(f"conversations/{conversation.pk}/").json()["is_deleted"] is True
    verdict = {"sentiment": "positive", "conversation_id": "c-1"}
    assert assistant.post("conversation-feedbacks/", verdict).status_code == 404


def test_changes_are_checked(assistant: Assistant) -> None:
    one = f"conversations/{make_conversation(assistant.project).pk}"
    for path, body in (("rename", {"name": "  "}), ("rename", {"name": "x" * 256}), ("update", {}),
                       ("update", {"metadata": "text"}), ("update", {"metadata": None}), ("rename", {})):  # fmt: skip
        assert assistant.patch(f"{one}/{path}/", body).status_code == 400, (path, body)
    assert assistant.post(f"{one}/mark/", {"is_marked": "perhaps"}).status_code == 400
    assert assistant.post(f"{one}/rename/", {"name": "x"}).status_code == 405
    assert assistant.patch(f"{one}/mark/", {"is_marked": True}).status_code == 405


def test_another_project_and_another_assistant_are_not_there(
    assistant: Assistant, sibling: Assistant, foreigner: Assistant
) -> None:
    conversation = make_conversation(assistant.project, agent=assistant.agent, conversation_id="c-1")
    for other in (sibling, foreigner):
        assert ids(other.get("conversations/", include_deleted="true")) == []
        one = f"conversations/{conversation.pk}"
        answers = [
            other.get(f"{one}/"), other.get(f"{one}/attachments/"), other.patch(f"{one}/rename/", {"name": "x"}),
            other.post(f"{one}/mark/", {"is_marked": True}), other.patch(f"{one}/update/", {"name": "x"}),
            other.delete(f"{one}/delete/"), other.delete(f"{one}/"),
            other.get("conversations/lookup/", conversation_id="c-1"),
            other.post("track/", {"content": "x", "sender": "agent", "conversation": conversation.pk}),
            other.post("conversation-feedbacks/", {"sentiment": "positive", "conversation": conversation.pk}),
            other.post("conversation-feedbacks/", {"sentiment": "positive", "conversation_id": "c-1"}),
        ]  # fmt: skip
        assert {answer.status_code for answer in answers} == {404}
        assert all(list(answer.json()) == ["detail"] for answer in answers)
        begun = other.post("conversations/", {"conversation_id": "c-1"})
        assert begun.status_code == 201
        assert begun.json()["id"] != conversation.pk
    conversation.refresh_from_db()
    assert (conversation.name, conversation.deleted_at, conversation.messages.count()) == (None, None, 0)


def test_without_a_key_or_with_a_wrong_one_there_is_a_401(client: Client, assistant: Assistant, db: None) -> None:
    nobody = client.get("/api/conversations/")
    assert nobody.status_code == 401
    assert nobody.headers["WWW-Authenticate"] == "Api-Key"
    for credentials in ("Api-Key nonsense", f"Api-Key {assistant.key[:-1]}x", f"Bearer {assistant.key}", "Api-Key"):
        answer = client.get("/api/conversations/", headers={"Authorization": credentials})
        assert answer.status_code == 401, credentials
        assert list(answer.json()) == ["detail"]


def test_a_revoked_key_ends_with_the_next_request(assistant: Assistant) -> None:
    assert assistant.get("conversations/").status_code == 200
    assistant.agent.keys.update(revoked_at=timezone.now())
    assert assistant.get("conversations/").status_code == 401


def test_a_person_reaches_all_assistants_and_has_to_name_one_to_begin(
    client: Client, assistant: Assistant, sibling: Assistant, owner: Member
) -> None:
    make_conversation(assistant.project, agent=assistant.agent, conversation_id="c-1")
    make_conversation(assistant.project, agent=sibling.agent, conversation_id="c-2")
    assert ids(client.get("/api/conversations/", headers=owner.headers)) == ["c-2", "c-1"]

    def begin(query: str) -> int:
        body = {"conversation_id": "c-3"}
        return client.post(f"/api/conversations/{query}", body, "application/json", headers=owner.headers).status_code

    assert begin("") == 400
    assert begin(f"?agent={sibling.agent.pk}") == 201
    assert begin(f"?agent={MISSING}") == 404
    assert begin("?agent=x") == 400


def test_who_may_not_see_people_sees_no_customer_and_may_not_probe_for_one(
    client: Client, project: Project, assistant: Assistant
) -> None:
    member = make_member(project, Role.REVIEWER)
    conversation = make_conversation(
        project, customer_id="jane@example.com", customer_ip_address="192.0.2.1", metadata={"name": "Jane"}
    )
    make_answer(project, conversation=conversation)
    shown = client.get(f"/api/conversations/{conversation.pk}/", headers=member.headers)
    assert "jane" not in shown.content.decode().lower()
    assert "192.0.2.1" not in shown.content.decode()
    for query in ("customer_id=jane@example.com", "metadata=name:Jane", "search=jane", "customer_ip_address=192.0.2.1"):
        assert client.get(f"/api/conversations/?{query}", headers=member.headers).status_code == 403
    assert client.get("/api/conversations/metadata-keys/", headers=member.headers).status_code == 403


def test_what_a_person_does_is_noted_without_words(client: Client, project: Project, owner: Member) -> None:
    one = f"/api/conversations/{make_conversation(project).pk}"
    client.patch(f"{one}/rename/", {"name": "Jane's order"}, "application/json", headers=owner.headers)
    client.delete(f"{one}/delete/", headers=owner.headers)
    events = list(AuditEvent.objects.filter(verb__startswith="conversation.").order_by("pk"))
    assert [(event.verb, event.actor_id) for event in events] == [
        ("conversation.changed", owner.user.pk),
        ("conversation.deleted", owner.user.pk),
    ]
    assert events[0].details == {"fields": ["name"]}
