"""Feedback over REST: the shapes scripts rely on, filters, pages, totals, and moving items between states."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from feedback_ingest.models import FeedbackItem
from insights.models import Mention
from projects.models import AuditEvent, Project
from projects.roles import Role
from sources import tallies
from sources.items import RawPart
from sources.models import Source, SourceCount
from tests.factories import Member, make_insight, make_item, make_member, make_mention, make_person, make_source

NOW = timezone.now()
URL = "/api/v1/items/"
SHAPE = {"id", "unique_id", "source", "body", "author", "email", "user_id", "created_at", "url", "state",
         "set_aside_reason", "conversation_parts"}  # fmt: skip


@pytest.fixture
def source(project: Project) -> Source:
    return make_source(project)


def get(member: Member, query: str = "", *, status: int = 200) -> Any:
    response = Client().get(URL + query, headers=member.headers)
    assert response.status_code == status
    return response.json()


def post(member: Member, address: str, *, status: int = 200, **data: Any) -> Any:
    response = Client().post(URL + address, data, content_type="application/json", headers=member.headers)
    assert response.status_code == status
    return response.json()


def bodies(answer: Any) -> list[str]:
    return [each["body"] for each in answer["results"]]


def put_aside(source: Source, reason: str) -> FeedbackItem:
    """Make an item that the analysis set aside, counted as such."""
    item = make_item(source)
    FeedbackItem.objects.filter(pk=item.pk).update(state="set_aside", set_aside_reason=reason, last_error="Refused")
    tallies.count(source.pk, {"waiting": -1, "set_aside": 1})
    item.refresh_from_db()
    return item


def test_items_are_listed_newest_first_in_the_shape_scripts_rely_on(owner: Member, source: Source) -> None:
    part = RawPart(unique_id="p1", body="It is under Settings.", author="Support Agent", email="sam@desk.example")
    make_item(source, body="Older", created_at=NOW - timedelta(days=1))
    item = make_item(
        source, body="Exports stop", author="Jane", email="jane@acme.example", user_id="u1",
        url="https://desk.example/7", created_at=NOW, conversation_parts=[part],
    )  # fmt: skip
    answer = get(owner)
    assert set(answer) == {"results", "next", "total"}
    assert (bodies(answer), answer["next"], answer["total"]) == (["Exports stop", "Older"], None, 2)
    first = answer["results"][0]
    assert set(first) >= SHAPE
    assert (first["author"], first["email"], first["user_id"]) == ("Jane", "jane@acme.example", "u1")
    assert (first["source"], first["state"], first["set_aside_reason"]) == (str(source.pk), "waiting", None)
    assert [(each["unique_id"], each["author"]) for each in first["conversation_parts"]] == [("p1", "Support Agent")]
    assert get(owner, f"{item.pk}/") == first


def test_who_may_not_see_people_gets_numbers_in_their_place(reviewer: Member, source: Source) -> None:
    part = RawPart(unique_id="p1", body="Yes.", author="Jane", email="jane@acme.example", user_id="u1")
    item = make_item(source, author="Jane", email="jane@acme.example", user_id="u1", conversation_parts=[part])
    person = make_person(source.project, name="Jane")
    FeedbackItem.objects.update(person=person)
    found = get(reviewer, f"{item.pk}/")
    assert (found["author"], found["email"], found["user_id"]) == (f"Person {person.pk}", None, None)
    said = found["conversation_parts"][0]
    assert (said["author"], said["email"], said["user_id"]) == (None, None, None)
    assert "jane" not in str(get(reviewer)).lower()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=used", ["Angry"]),
        ("state=set_aside&reason=gibberish", ["asdf"]),
        ("reason=failed", []),
        ("inbox=archived", ["Bonjour"]),
        ("sentiment=-1", ["Angry"]),
        ("language=fr", ["Bonjour"]),
        ("unique_id=one", ["Angry"]),
        ("q=settings", ["Bonjour"]),
        ("q=angry+bonjour", []),
        ("from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z", ["asdf"]),
        ("to=2020-01-01T12:00:00Z", []),
    ],
)
def test_items_can_be_filtered(owner: Member, source: Source, query: str, expected: list[str]) -> None:
    make_item(source, unique_id="one", body="Angry")
    make_item(source, unique_id="two", body="Bonjour", conversation_parts=[RawPart(unique_id="p1", body="Settings")])
    make_item(source, unique_id="three", body="asdf", created_at="2020-01-01T12:00:00Z")
    items = FeedbackItem.objects
    items.filter(unique_id="one").update(state="used", sentiment=-1)
    items.filter(unique_id="two").update(inbox="archived", language="fr")
    items.filter(unique_id="three").update(state="set_aside", set_aside_reason="gibberish")
    answer = get(owner, f"?{query}")
    assert bodies(answer) == expected
    if "state=" not in query or "reason" in query:  # those totals come from counters, which this test did not move
        assert answer["total"] == len(expected)


def test_one_source_or_one_person_can_be_chosen(owner: Member, source: Source) -> None:
    other = make_source(source.project)
    make_item(source, body="Here")
    make_item(other, body="There")
    person = make_person(source.project)
    FeedbackItem.objects.filter(body="There").update(person=person)
    assert bodies(get(owner, f"?source={source.pk}")) == ["Here"]
    assert bodies(get(owner, f"?person={person.pk}")) == ["There"]


@pytest.mark.parametrize("query", ["state=gone", "source=7", "sentiment=2", "from=never", "person=9e99", "limit=0",
                                   "limit=101", "cursor=nonsense"])  # fmt: skip
def test_a_filter_that_cannot_be_is_refused(owner: Member, source: Source, query: str) -> None:
    assert set(get(owner, f"?{query}", status=400)) == {"error"}


def test_totals_by_source_and_state_are_read_from_the_counters(owner: Member, source: Source) -> None:
    make_item(source)
    tallies.count(source.pk, {"used": 1_000_000, "set_aside": 20, "waiting": 2})
    tallies.count(make_source(source.project).pk, {"used": 5})
    assert get(owner)["total"] == 1_000_028
    assert get(owner, f"?source={source.pk}")["total"] == 1_000_023
    assert get(owner, f"?source={source.pk}&state=set_aside")["total"] == 20
    assert get(owner, "?state=used")["total"] == 1_000_005


def test_a_counted_total_stops_at_its_cap_and_says_so(
    owner: Member, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projects.api.CAPPED_AT", 2)
    for _ in range(3):
        make_item(source)
    answer = get(owner, "?inbox=unread")
    assert (answer["total"], answer["total_is_at_least"]) == (2, True)


def test_pages_follow_each_other_also_among_items_of_one_moment(owner: Member, source: Source) -> None:
    for number in range(5):
        make_item(source, body=f"Item {number}", created_at=NOW)
    cursor, seen = "", []
    while cursor is not None:
        answer = get(owner, f"?limit=2&cursor={cursor}")
        seen += bodies(answer)
        cursor = answer["next"]
    assert seen == ["Item 4", "Item 3", "Item 2", "Item 1", "Item 0"]


def test_an_item_that_arrives_meanwhile_moves_nothing_on_the_next_page(owner: Member, source: Source) -> None:
    for number in range(3):
        make_item(source, body=f"Item {number}", created_at=NOW - timedelta(days=3 - number))
    first = get(owner, "?limit=2")
    make_item(source, body="Newest", created_at=NOW)
    assert bodies(get(owner, f"?limit=2&cursor={first['next']}")) == ["Item 0"]


def test_a_page_costs_the_same_queries_at_any_length(
    owner: Member, source: Source, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    def fill(number: int) -> None:
        for _ in range(number):
            make_item(source, conversation_parts=[RawPart(unique_id=f"p{FeedbackItem.objects.count()}", body="Hm")])

    fill(2)
    get(owner)  # the first use of a token is noted
    with django_assert_max_num_queries(15) as few:
        get(owner)
    fill(8)
    with django_assert_max_num_queries(15) as many:
        get(owner)
    assert len(many) == len(few)


@pytest.mark.parametrize("inbox", ["read", "archived", "unread"])
def test_an_item_is_moved_in_the_inbox(owner: Member, source: Source, inbox: str) -> None:
    item = make_item(source)
    assert post(owner, f"{item.pk}/inbox/", inbox=inbox)["inbox"] == inbox
    post(owner, f"{item.pk}/inbox/", status=400, inbox="shredder")
    item.refresh_from_db()
    assert item.inbox == inbox


def test_an_item_is_set_aside_and_restored_with_its_counters(owner: Member, source: Source) -> None:
    item = make_item(source)
    make_mention(make_insight(source.project), item)
    aside = post(owner, f"{item.pk}/set_aside/")
    assert (aside["state"], aside["set_aside_reason"]) == ("set_aside", "by_hand")
    assert not Mention.objects.exists()
    assert post(owner, f"{item.pk}/set_aside/")["state"] == "set_aside"
    count = SourceCount.objects.get(source=source)
    assert (count.waiting, count.set_aside) == (0, 1)
    back = post(owner, f"{item.pk}/restore/")
    assert (back["state"], back["set_aside_reason"]) == ("waiting", None)
    count.refresh_from_db()
    assert (count.waiting, count.set_aside) == (1, 0)
    verbs = AuditEvent.objects.filter(project_id=source.project_id, actor_id=owner.user.pk)
    assert {"items.set_aside", "items.restored"} <= set(verbs.values_list("verb", flat=True))


def test_only_dead_letters_are_retried(owner: Member, source: Source) -> None:
    dead, dull = put_aside(source, "failed"), put_aside(source, "low_signal")
    again = post(owner, f"{dead.pk}/retry/")
    assert (again["state"], again["attempts"], again["last_error"]) == ("waiting", 0, None)
    assert post(owner, f"{dull.pk}/retry/")["state"] == "set_aside"


@pytest.mark.parametrize(
    ("role", "act", "status"),
    [
        (Role.VIEWER, "set_aside", 403),
        (Role.REVIEWER, "restore", 403),
        (Role.EDITOR, "restore", 200),
        (Role.EDITOR, "retry", 403),
        (Role.SOURCE_ADMIN, "retry", 200),
        (Role.SOURCE_ADMIN, "set_aside", 403),
    ],
)
def test_each_act_needs_its_permission(source: Source, role: Role, act: str, status: int) -> None:
    item = put_aside(source, "failed")
    post(make_member(source.project, role), f"{item.pk}/{act}/", status=status)
    item.refresh_from_db()
    assert item.state == ("waiting" if status == 200 else "set_aside")


def test_nothing_of_another_project_is_seen_or_changed(stranger: Member, source: Source) -> None:
    item = make_item(source)
    assert get(stranger)["results"] == []
    get(stranger, f"{item.pk}/", status=404)
    for act in ("set_aside", "restore", "retry"):
        post(stranger, f"{item.pk}/{act}/", status=404)
    post(stranger, f"{item.pk}/inbox/", status=404, inbox="read")
    item.refresh_from_db()
    assert (item.state, item.inbox) == ("waiting", "unread")


def test_items_of_a_deleted_source_are_neither_listed_nor_counted(owner: Member, source: Source) -> None:
    item = make_item(source)
    Source.objects.filter(pk=source.pk).update(status="deleted", deleted_at=NOW)
    answer = get(owner)
    assert (answer["results"], answer["total"]) == ([], 0)
    get(owner, f"{item.pk}/", status=404)


def test_without_a_token_nothing_is_answered(source: Source) -> None:
    make_item(source)
    assert Client().get(URL).status_code == 401
