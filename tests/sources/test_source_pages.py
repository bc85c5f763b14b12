"""Sources in the console and the API: what is shown, what is changed, and by whom."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from feedback_ingest.models import FeedbackItem
from feedback_ingest.services import ingest_items
from projects.models import AuditEvent, Project
from projects.roles import Role
from projects.services import grant_role, issue_project_key
from sources import services, tallies
from sources.items import RawItem, RawPart
from sources.models import Source, SourceRequest
from tests.factories import Member, make_project, make_source


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


@pytest.fixture
def console(owner: Member) -> Client:
    return signed_in(owner)


def page_of(project: Project, *parts: object) -> str:
    return "/".join(["/p", project.slug, "sources", *map(str, parts), ""])


def send(source: Source, *bodies: str) -> None:
    ingest_items(source, [RawItem(unique_id=f"item-{body}", body=body) for body in bodies])


def words(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", text)


def test_the_list_shows_each_source_with_an_accounting_that_sums(console: Client, project: Project) -> None:
    source = make_source(project, name="App reviews")
    send(source, "Too slow", "Love it")
    shown = words(console.get(page_of(project)))
    assert "App reviews" in shown
    assert "2 received = 0 used + 0 set aside + 2 waiting" in shown


def test_the_list_takes_the_same_queries_for_any_number_of_sources(
    console: Client, project: Project, django_assert_num_queries: Any
) -> None:
    for number in range(2):
        make_source(project, name=f"Source {number}")
    console.get(page_of(project))
    with CaptureQueriesContext(connection) as few:
        console.get(page_of(project))
    for number in range(8):
        make_source(project, name=f"More {number}")
    with django_assert_num_queries(len(few)):
        console.get(page_of(project))


def test_a_project_without_sources_offers_the_three_ways_in_and_sample_data(owner: Member, console: Client) -> None:
    sample = make_project(name="Sample", is_sample=True)
    grant_role(sample, owner.user, Role.VIEWER)
    page = console.get(page_of(owner.project)).content.decode()
    assert "Connect an application" in page
    assert "Upload a file" in page
    assert "Paste text" in page
    assert f'href="/p/{sample.slug}/"' in page
    assert "Try sample data" not in signed_in(owner).get(page_of(sample)).content.decode()


def test_a_viewer_sees_sources_and_cannot_change_them(viewer: Member, project: Project) -> None:
    source = make_source(project)
    client = signed_in(viewer)
    page = client.get(page_of(project, source.pk)).content.decode()
    assert 'id="settings"' not in page
    assert "Delete" not in page
    for act in ("change", "pause", "resume", "delete", "restore"):
        assert client.post(page_of(project, source.pk, act)).status_code == 403
    catalogue = client.get(page_of(project, "add")).content.decode()
    for way in ("file", "text", "webhook"):
        assert page_of(project, "add", way) not in catalogue
        assert client.get(page_of(project, "add", way)).status_code == 403


def test_a_source_of_another_project_is_not_there(console: Client, project: Project, stranger: Member) -> None:
    foreign = make_source(stranger.project)
    assert console.get(page_of(project, foreign.pk)).status_code == 404
    assert console.post(page_of(project, foreign.pk, "delete"), {"confirmation": foreign.name}).status_code == 404
    assert console.get(page_of(stranger.project)).status_code == 404


def test_a_webhook_source_shows_the_request_with_its_own_id_and_address(console: Client, project: Project) -> None:
    key = issue_project_key(project, "Production").key
    answer = console.post(
        page_of(project, "add", "webhook"), {"name": "Forum", "purpose": "What people ask"}, follow=True
    )
    source = Source.objects.get(name="Forum")
    page = answer.content.decode()
    assert f"{settings.SITE_URL}/api/1/ai-feedback/ingest" in page
    assert str(source.pk) in page
    assert key.public in page
    assert "What people ask" in page
    assert "Waiting for the first item" in page


def test_the_key_is_not_named_to_who_may_not_manage_sources(viewer: Member, project: Project) -> None:
    key = issue_project_key(project, "Production").key
    source = make_source(project)
    assert key.public not in signed_in(viewer).get(page_of(project, source.pk)).content.decode()


def test_the_page_waits_for_the_first_item_and_stops_asking_when_all_is_read(console: Client, project: Project) -> None:
    source = make_source(project)
    status = page_of(project, source.pk, "status")
    assert "every 2s" in console.get(status).content.decode()
    send(source, "Too slow")
    waiting = console.get(status)
    assert "every 2s" in waiting.content.decode()
    assert "Too slow" in words(waiting)
    FeedbackItem.objects.update(state="used")
    tallies.count(source.pk, {"waiting": -1, "used": 1})
    assert "every 2s" not in console.get(status).content.decode()


def test_a_source_is_renamed_and_told_what_it_is_for(console: Client, project: Project) -> None:
    source = make_source(project)
    console.post(page_of(project, source.pk, "change"), {"name": "Forum", "purpose": "p" * 400})
    source.refresh_from_db()
    assert (source.name, len(source.purpose)) == ("Forum", 400)
    refused = console.post(page_of(project, source.pk, "change"), {"name": "", "purpose": "p" * 401})
    assert refused.status_code == 422
    source.refresh_from_db()
    assert source.name == "Forum"


def test_a_paused_source_refuses_feedback_until_it_is_resumed(console: Client, project: Project) -> None:
    source = make_source(project)
    page = console.post(page_of(project, source.pk, "pause"), follow=True)
    assert "New feedback is refused until you resume it" in words(page)
    source.refresh_from_db()
    assert not source.takes_feedback
    console.post(page_of(project, source.pk, "resume"), {"next": "list"})
    source.refresh_from_db()
    assert source.takes_feedback


def test_deleting_says_in_numbers_what_goes_and_wants_the_name_typed(console: Client, project: Project) -> None:
    source = make_source(project, name="App reviews")
    part = RawPart(unique_id="part-1", body="And the search is slow.")
    ingest_items(
        source, [RawItem(unique_id="a", body="Slow", conversation_parts=[part]), RawItem(unique_id="b", body="Ok")]
    )
    shown = words(console.get(page_of(project, source.pk, "delete")))
    assert "2 pieces of feedback" in shown
    assert "1 turn in their conversations" in shown
    assert console.post(page_of(project, source.pk, "delete"), {"confirmation": "reviews"}).status_code == 422
    source.refresh_from_db()
    assert source.status != Source.Status.DELETED


def test_a_deleted_source_is_hidden_can_be_undone_and_is_listed_until_it_goes(
    console: Client, project: Project
) -> None:
    source = make_source(project, name="App reviews")
    send(source, "Too slow")
    answer = console.post(page_of(project, source.pk, "delete"), {"confirmation": "App reviews"}, follow=True)
    page = answer.content.decode()
    assert f'action="{page_of(project, source.pk, "restore")}"' in page
    assert "can be restored until" in words(answer)
    assert not FeedbackItem.objects.listed().exists()

    console.post(page_of(project, source.pk, "restore"))
    source.refresh_from_db()
    assert source.status == Source.Status.ACTIVE
    assert FeedbackItem.objects.listed().count() == 1


def test_what_was_deleted_goes_for_good_after_thirty_days(owner: Member, project: Project) -> None:
    source = make_source(project)
    part = RawPart(unique_id="part-1", body="And the search is slow.")
    ingest_items(source, [RawItem(unique_id="a", body="Slow", conversation_parts=[part])])
    services.delete_source(source, actor=owner.user)
    assert services.purge_deleted_sources() == 0
    Source.objects.update(deleted_at=timezone.now() - timedelta(days=31))
    assert services.purge_deleted_sources() == 1
    assert not FeedbackItem.objects.exists()
    assert not Source.objects.filter(pk=source.pk).exists()


def test_the_catalogue_is_searched_and_narrowed_by_tag(console: Client, project: Project) -> None:
    def cards(**query: str) -> str:
        return words(console.get(page_of(project, "add"), query, headers={"HX-Request": "true"}))

    assert cards().index("Webhook or API") < cards().index("Zendesk Not set up")
    assert "Zendesk" in cards(q="zendesk")
    assert "Trustpilot" not in cards(q="zendesk")
    assert "Trustpilot" in cards(tag="reviews")
    assert "Zendesk" not in cards(tag="reviews")
    assert "No application matches" in cards(q="zzz")


def test_anybody_in_the_project_can_ask_for_a_source(viewer: Member, project: Project) -> None:
    client = signed_in(viewer)
    client.post(page_of(project, "add", "request"), {"application": "Basecamp", "note": "Our field team"})
    asked = SourceRequest.objects.get()
    assert (asked.application, asked.note, asked.requested_by) == ("Basecamp", "Our field team", viewer.user)
    assert client.post(page_of(project, "add", "request"), {"application": " "}).status_code == 422


def test_names_from_outside_are_text_wherever_they_are_shown(console: Client, project: Project) -> None:
    source = make_source(project, name='<img src=x onerror="alert(1)">')
    send(source, "<script>alert(1)</script>")
    for parts in ((), (source.pk,), (source.pk, "delete"), (source.pk, "status")):
        page = console.get(page_of(project, *parts)).content.decode()
        assert "<img src=x" not in page
        assert "<script>alert" not in page


API = "/api/v1/sources/"


def test_the_api_lists_sources_in_pages(client: Client, owner: Member) -> None:
    made = [make_source(owner.project, name=f"Source {number}") for number in range(5)]
    first = client.get(API, {"limit": 2}, headers=owner.headers).json()
    assert [each["name"] for each in first["results"]] == ["Source 4", "Source 3"]
    assert first["total"] == 5
    second = client.get(API, {"limit": 2, "cursor": first["next"]}, headers=owner.headers).json()
    third = client.get(API, {"limit": 2, "cursor": second["next"]}, headers=owner.headers).json()
    assert [each["name"] for each in second["results"] + third["results"]] == ["Source 2", "Source 1", "Source 0"]
    assert third["next"] is None
    assert {each.name for each in made} == {f"Source {number}" for number in range(5)}


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "cursor=zzz", "kind=fax", "status=gone"])
def test_the_api_refuses_what_it_does_not_know(client: Client, owner: Member, query: str) -> None:
    answer = client.get(f"{API}?{query}", headers=owner.headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"]


def test_the_api_gives_a_source_with_an_accounting_that_sums(client: Client, owner: Member) -> None:
    source = make_source(owner.project)
    send(source, "Too slow", "Love it")
    send(source, "Too slow")
    shown = client.get(f"{API}{source.pk}/", headers=owner.headers).json()
    assert shown["received"] == shown["used"] + shown["set_aside"] + shown["waiting"] == 2
    refused_or_repeated = sum(shown[name] for name in ("updated", "unchanged", "rejected", "suppressed"))
    assert shown["attempts"] == shown["received"] + refused_or_repeated == 3
    assert (shown["kind"], shown["type"], shown["status"]) == ("webhook", "webhook", "active")
    assert shown["source_id"] == shown["id"] == str(source.pk)
    assert shown["last_received_at"]


def test_a_source_that_is_no_webhook_has_no_source_id(client: Client, owner: Member) -> None:
    source = make_source(owner.project, kind=Source.Kind.FILE)
    assert client.get(f"{API}{source.pk}/", headers=owner.headers).json()["source_id"] is None


def test_the_api_adds_changes_pauses_deletes_and_restores(client: Client, owner: Member) -> None:
    def post(path: str, **body: object) -> Any:
        return client.post(f"{API}{path}", body, content_type="application/json", headers=owner.headers)

    made = post("", kind="webhook", name="Forum", purpose="What people ask")
    assert made.status_code == 201
    pk = made.json()["id"]
    change = client.patch(f"{API}{pk}/", {"name": "Board"}, content_type="application/json", headers=owner.headers)
    assert (change.json()["name"], change.json()["purpose"]) == ("Board", "What people ask")
    assert post(f"{pk}/pause/").json()["status"] == "paused"
    assert post(f"{pk}/pause/").status_code == 409
    assert post(f"{pk}/resume/").json()["status"] == "waiting"
    assert client.get(f"{API}{pk}/effects/", headers=owner.headers).json()["items"] == 0
    assert client.delete(f"{API}{pk}/", headers=owner.headers).status_code == 204
    assert client.get(API, headers=owner.headers).json()["total"] == 0
    assert client.get(API, {"status": "deleted"}, headers=owner.headers).json()["total"] == 1
    assert post(f"{pk}/restore/").json()["status"] == "waiting"
    verbs = AuditEvent.objects.filter(target_id=pk).values_list("verb", flat=True)
    assert set(verbs) == {f"source.{verb}" for verb in ("added", "changed", "paused", "resumed", "deleted", "restored")}


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x", "kind": "connector"}, {"name": "x" * 121}])
def test_the_api_refuses_a_source_that_cannot_be(client: Client, owner: Member, body: dict[str, str]) -> None:
    answer = client.post(API, body, content_type="application/json", headers=owner.headers)
    assert answer.status_code == 400
    assert not Source.objects.exists()


def test_a_viewer_reads_the_api_and_changes_nothing(client: Client, viewer: Member, stranger: Member) -> None:
    source = make_source(viewer.project)
    assert client.get(f"{API}{source.pk}/", headers=viewer.headers).status_code == 200
    assert client.post(API, {"name": "x"}, content_type="application/json", headers=viewer.headers).status_code == 403
    assert client.delete(f"{API}{source.pk}/", headers=viewer.headers).status_code == 403
    for act in ("pause", "resume", "restore"):
        assert client.post(f"{API}{source.pk}/{act}/", headers=viewer.headers).status_code == 403
    for path in ("", "effects/"):
        assert client.get(f"{API}{source.pk}/{path}", headers=stranger.headers).status_code == 404
    assert client.get(API).status_code == 401
