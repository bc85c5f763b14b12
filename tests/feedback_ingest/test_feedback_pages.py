"""The feedback pages as people use them: what is listed, shown, moved and taken back, without a browser."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries

from feedback_ingest.models import ConversationPart, FeedbackItem, SpeakerRule
from feedback_ingest.services import items as services
from feedback_ingest.services.speakers import overrule
from insights.models import Mention
from insights.pipeline import analyse_project
from projects.models import AuditEvent, Project
from projects.roles import Role
from sources.items import RawPart
from sources.models import Source, SourceCount
from sources.tallies import count
from tests.factories import Member, make_insight, make_item, make_member, make_mention, make_source

NOW = timezone.now()
ALL_TABS = {"All", "Unread", "Read", "Archived", "Set aside", "Dead letters", "Waiting"}


@pytest.fixture
def source(project: Project) -> Source:
    return make_source(project, name="Support desk", application="zendesk")


@pytest.fixture
def client(owner: Member) -> Client:
    return signed_in(owner)


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def url(project: Project, rest: str = "") -> str:
    return f"/p/{project.slug}/feedback/{rest}"


def shown(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def titles(page: str) -> list[str]:
    return re.findall(r'class="row-title[^"]*" href="[^"]*" data-open[^>]*>([^<]*)<', page)


def tallies(page: str) -> dict[str, str]:
    return dict(re.findall(r'([A-Z][a-z ]+) <span class="tally">([\d,+]+)<', page))


def said(source: Source, body: str, *, days_ago: float = 1, **fields: Any) -> FeedbackItem:
    """Make an item; fields that ingest does not take are set as the analysis would."""
    raw = {name: fields.pop(name) for name in ("author", "email", "user_id", "url", "metadata", "rating",
                                               "conversation_parts") if name in fields}  # fmt: skip
    item = make_item(source, body=body, created_at=NOW - timedelta(days=days_ago), **raw)
    if fields:
        FeedbackItem.objects.filter(pk=item.pk).update(**fields)
        item.refresh_from_db()
    return item


def put_aside(source: Source, body: str, reason: str, **fields: Any) -> FeedbackItem:
    """Make an item that the analysis set aside, counted as such."""
    item = said(source, body, state="set_aside", set_aside_reason=reason, **fields)
    count(source.pk, {"waiting": -1, "set_aside": 1})
    return item


def act(client: Client, project: Project, action: str, *items: FeedbackItem) -> Any:
    chosen = [item.pk for item in items]
    return client.post(url(project, "chosen/"), {"action": action, "item": chosen}, follow=True)


def undo_address(response: Any) -> str:
    found = re.search(r'<form method="post" action="([^"]*)">', response.content.decode().split("toast-note")[1])
    assert found, "the toast offers no way back"
    return unquote(found[1].replace("&amp;", "&"))


def test_feedback_is_listed_newest_first_by_its_first_line(client: Client, source: Source) -> None:
    said(source, "Older words", days_ago=2)
    said(
        source,
        "\n  Subject line \nand the rest",
        author="Jane Doe",
        rating=4,
        sentiment=-1,
        language="de",
        state="used",
    )
    page = shown(client, url(source.project))
    assert titles(page) == ["Subject line", "Older words"]
    assert "<bdi>Jane Doe</bdi> · German" in page
    assert "Negative" in page
    assert 'title="Support desk"' in page


def test_a_conversation_without_a_body_shows_what_the_customer_said_first(client: Client, source: Source) -> None:
    parts = [
        RawPart(unique_id="p1", body="How can I help?", author="Support Agent", created_at=NOW - timedelta(hours=3)),
        RawPart(unique_id="p2", body="Exports stop", user_id="u1", created_at=NOW - timedelta(hours=2)),
    ]
    item = said(source, "", conversation_parts=parts)
    item.parts.filter(unique_id="p1").update(role="agent")
    item.parts.filter(unique_id="p2").update(role="customer")
    assert titles(shown(client, url(source.project))) == ["Exports stop"]


def test_how_many_insights_an_item_speaks_for_is_shown(client: Client, source: Source) -> None:
    item = said(source, "Export fails, and search is slow")
    make_mention(make_insight(source.project), item, start=0, end=12)
    make_mention(make_insight(source.project), item, start=18, end=32)
    assert "2 insights" in shown(client, url(source.project))


def test_every_tab_lists_exactly_what_it_counts(client: Client, source: Source) -> None:
    said(source, "fresh")
    said(source, "seen", inbox="read", state="used")
    said(source, "done with", inbox="archived")
    put_aside(source, "hi", "low_signal")
    put_aside(source, "broken", "failed")
    listed = {tab: titles(shown(client, url(source.project, f"?tab={tab}"))) for tab in
              ("", "unread", "read", "archived", "set_aside", "dead", "waiting")}  # fmt: skip
    assert {tab: set(found) for tab, found in listed.items()} == {
        "": {"fresh", "seen", "done with", "hi", "broken"},
        "unread": {"fresh"},
        "read": {"seen"},
        "archived": {"done with"},
        "set_aside": {"hi", "broken"},
        "dead": {"broken"},
        "waiting": {"fresh", "done with"},
    }
    counted = tallies(shown(client, url(source.project)))
    assert set(counted) == ALL_TABS
    assert (counted["Unread"], counted["Dead letters"], counted["Waiting"]) == ("1", "1", "3")
    assert sum(int(counted[tab]) for tab in ("Unread", "Read", "Archived", "Set aside")) == int(counted["All"]) == 5


def test_what_was_received_sums_and_leads_to_its_items(client: Client, source: Source) -> None:
    said(source, "waits")
    put_aside(source, "hi", "low_signal")
    page = shown(client, url(source.project))
    line = re.sub(r"<[^>]+>", " ", page[page.index('aria-label="Accounting"') :].split("</footer>")[0].split(">", 1)[1])
    assert " ".join(line.split()) == "2 received = 0 used + 1 set aside + 1 waiting"
    assert titles(shown(client, url(source.project, "?tab=waiting"))) == ["waits"]


def test_the_addresses_by_which_sources_link_here_open_the_right_tab(client: Client, source: Source) -> None:
    said(source, "waits")
    said(source, "counts", state="used")
    put_aside(source, "hi", "low_signal")
    for state, expected in (("waiting", ["waits"]), ("set_aside", ["hi"]), ("used", ["counts"])):
        assert titles(shown(client, url(source.project, f"?source={source.pk}&state={state}"))) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sentiment=-1", ["Angry"]),
        ("language=fr", ["Bonjour"]),
        ("q=bonjour", ["Bonjour"]),
        ("q=bonjour&sentiment=-1", []),
        ("from=2020-01-01&to=2020-01-02", ["Long ago"]),
        ("to=2020-01-01", []),
    ],
)
def test_the_list_can_be_narrowed(client: Client, source: Source, query: str, expected: list[str]) -> None:
    said(source, "Angry", sentiment=-1)
    said(source, "Bonjour", language="fr")
    said(source, "Long ago", created_at=datetime(2020, 1, 1, 12, tzinfo=UTC))
    page = shown(client, url(source.project, f"?{query}"))
    assert titles(page) == expected
    assert page.count('class="chip chip-on"') == query.count("=")


def test_one_person_and_one_source_can_be_chosen(client: Client, source: Source) -> None:
    other = make_source(source.project)
    said(other, "Elsewhere", author="Jane", email="jane@acme.example")
    said(source, "Here", author="Joe", email="joe@acme.example")
    analyse_project(source.project)
    person = FeedbackItem.objects.get(body="Here").person_id
    assert titles(shown(client, url(source.project, f"?person={person}"))) == ["Here"]
    by_source = shown(client, url(source.project, f"?source={other.pk}"))
    assert titles(by_source) == ["Elsewhere"]
    assert tallies(by_source)["All"] == "1"


def test_a_filter_that_is_not_known_is_left_out_and_said(client: Client, source: Source) -> None:
    said(source, "Words")
    page = shown(client, url(source.project, "?sentiment=9&from=never&source=nonsense&q=%00"))
    assert titles(page) == ["Words"]
    assert "were left out" in page


def test_pages_follow_each_other_without_gaps_and_lead_back(
    client: Client, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedback_ingest.views.listing.PAGE_SIZE", 2)
    for number in range(5):
        said(source, f"Item {number}", days_ago=1)  # all of one moment: the id decides
    address, seen, pages = url(source.project), [], []
    while address:
        page = shown(client, address)
        pages.append(titles(page))
        seen += titles(page)
        following = re.search(r'rel="next" href="([^"]*)"', page)
        address = url(source.project) + following[1].replace("&amp;", "&") if following else ""
    assert seen == [f"Item {number}" for number in (4, 3, 2, 1, 0)]
    previous = re.search(r'rel="prev" href="([^"]*)"', page)
    assert previous
    assert titles(shown(client, url(source.project) + previous[1].replace("&amp;", "&"))) == pages[-2]


def test_a_cursor_that_is_not_ours_is_refused(client: Client, source: Source) -> None:
    assert client.get(url(source.project, "?after=nonsense")).status_code == 400


@pytest.mark.parametrize(
    ("tab", "words"),
    [
        ("unread", "Everything is read."),
        ("archived", "Nothing is archived."),
        ("set_aside", "Nothing is set aside."),
        ("dead", "No analysis failed."),
        ("waiting", "Nothing waits."),
    ],
)
def test_an_empty_tab_says_why_and_leads_on(client: Client, source: Source, tab: str, words: str) -> None:
    said(source, "Words", inbox="read", state="used")
    count(source.pk, {"waiting": -1, "used": 1})
    page = shown(client, url(source.project, f"?tab={tab}"))
    assert words in page
    assert "All feedback" in page


def test_without_sources_or_feedback_the_way_to_them_is_shown(client: Client, project: Project, viewer: Member) -> None:
    assert "Add a source" in shown(client, url(project))
    assert "Add a source" not in shown(signed_in(viewer), url(project))
    make_source(project)
    assert "Nothing was received yet." in shown(client, url(project))


def test_a_filter_without_match_is_named_and_can_be_removed(client: Client, source: Source) -> None:
    said(source, "Words")
    page = shown(client, url(source.project, "?q=unheard"))
    assert "Nothing matches text “unheard”" in page
    assert "Remove the filter" in page


def test_who_may_not_see_people_sees_them_masked(viewer: Member, source: Source) -> None:
    item = said(source, "Exports stop", author="Jane Doe", email="jane@acme.example", metadata={"contact": "Jane Doe"})
    client = signed_in(viewer)
    for address in (url(source.project), url(source.project, f"{item.pk}/")):
        assert "Jane" not in shown(client, address)
    analyse_project(source.project)
    item.refresh_from_db()
    for address in (url(source.project), url(source.project, f"{item.pk}/")):
        page = shown(client, address)
        assert "jane" not in page.lower()
        assert f"Person {item.person_id}" in page


def test_everything_from_outside_is_escaped(client: Client, source: Source) -> None:
    evil = '<script>alert("x")</script>'
    item = said(source, evil, author=evil, url="javascript:alert(1)", metadata={evil: evil, "deep": [evil]})
    for page in (shown(client, url(source.project)), shown(client, url(source.project, f"{item.pk}/"))):
        assert evil not in page
        assert escape(evil) in page
        assert "javascript:" not in page


def test_a_list_page_costs_the_same_queries_at_any_length(
    client: Client, source: Source, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    def fill(number: int) -> None:
        for _ in range(number):
            item = said(
                source, "", conversation_parts=[RawPart(unique_id=f"p{FeedbackItem.objects.count()}", body="Hm")]
            )
            make_mention(make_insight(source.project), said(source, "Exports stop"))
            assert item.pk

    fill(2)
    with django_assert_max_num_queries(20) as few:
        client.get(url(source.project))
    fill(10)
    with django_assert_max_num_queries(20) as many:
        client.get(url(source.project))
    assert len(many) == len(few)


def test_an_item_shows_its_conversation_by_role_with_evidence_lit(client: Client, source: Source) -> None:
    parts = [RawPart(unique_id="p1", body="It is under Settings.", author="Support Agent")]
    item = said(
        source,
        "Hello. Exports stop.",
        user_id="u1",
        author="Jane",
        conversation_parts=parts,
        url="https://desk.example/7",
    )
    insight = make_insight(source.project, title="Exports stop early")
    make_mention(insight, item, start=7, end=20)
    page = shown(client, url(source.project, f"{item.pk}/"))
    assert '<mark class="lit">Exports stop.</mark>' in page
    assert f'/insights/{insight.pk}/">Exports stop early</a>' in page
    assert "Staff, not counted" in page
    assert 'href="https://desk.example/7" rel="noreferrer noopener"' in page


def test_evidence_whose_words_changed_is_not_lit(client: Client, source: Source) -> None:
    item = said(source, "Exports stop.")
    make_mention(make_insight(source.project), item)
    FeedbackItem.objects.filter(pk=item.pk).update(body="Something else")
    assert '<mark class="lit">' not in shown(client, url(source.project, f"{item.pk}/"))


def test_opening_an_item_marks_it_read_for_who_may_edit_only(client: Client, viewer: Member, source: Source) -> None:
    item = said(source, "Words")
    shown(signed_in(viewer), url(source.project, f"{item.pk}/"))
    item.refresh_from_db()
    assert item.inbox == "unread"
    shown(client, url(source.project, f"{item.pk}/"))
    item.refresh_from_db()
    assert item.inbox == "read"


def test_neighbours_keep_the_order_and_the_filters_of_the_list(client: Client, source: Source) -> None:
    newest, middle, oldest = (said(source, f"Exports {day}", days_ago=day) for day in (1, 3, 5))
    said(source, "Something else", days_ago=2)
    page = shown(client, url(source.project, f"{middle.pk}/?tab=unread&q=exports"))
    assert f'/feedback/{newest.pk}/?tab=unread&amp;q=exports" data-key="p"' in page
    assert f'/feedback/{oldest.pk}/?tab=unread&amp;q=exports" data-key="n"' in page


def test_a_dead_letter_says_its_error_and_is_retried(client: Client, source: Source) -> None:
    item = put_aside(source, "Words", "failed", last_error="The model refused.")
    page = shown(client, url(source.project, f"{item.pk}/"))
    assert "Last error: The model refused." in page
    assert 'value="retry"' in page
    client.post(url(source.project, f"{item.pk}/change/"), {"action": "retry"})
    item.refresh_from_db()
    assert (item.state, item.last_error) == ("waiting", None)


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [("read", "unread", "read"), ("archived", "read", "archived"), ("unread", "archived", "unread")],
)
def test_items_are_moved_in_the_inbox_and_back(
    client: Client, source: Source, action: str, before: str, after: str
) -> None:
    items = [said(source, f"Words {number}", inbox=before) for number in range(2)]
    response = act(client, source.project, action, *items)
    assert set(FeedbackItem.objects.values_list("inbox", flat=True)) == {after}
    client.post(undo_address(response))
    assert set(FeedbackItem.objects.values_list("inbox", flat=True)) == {before}
    assert AuditEvent.objects.filter(verb="items.moved_in_inbox").count() == 2


def test_undo_puts_each_item_back_where_it_was(client: Client, source: Source) -> None:
    unread, read = said(source, "One"), said(source, "Two", inbox="read")
    client.post(undo_address(act(client, source.project, "archived", unread, read)))
    assert dict(FeedbackItem.objects.values_list("body", "inbox")) == {"One": "unread", "Two": "read"}


def test_setting_aside_takes_the_mentions_and_undo_has_the_item_read_again(client: Client, source: Source) -> None:
    item = said(source, "The export stops after 200 rows.")
    make_mention(make_insight(source.project), item)
    response = act(client, source.project, "set_aside", item)
    item.refresh_from_db()
    assert (item.state, item.set_aside_reason) == ("set_aside", "by_hand")
    assert not Mention.objects.exists()
    client.post(undo_address(response))
    item.refresh_from_db()
    assert (item.state, SourceCount.objects.get(source=source).waiting) == ("waiting", 1)


def test_restoring_can_be_undone(client: Client, source: Source) -> None:
    item = put_aside(source, "hi", "low_signal")
    response = act(client, source.project, "restore", item)
    item.refresh_from_db()
    assert (item.state, item.keep) == ("waiting", True)
    client.post(undo_address(response))
    item.refresh_from_db()
    assert item.state == "set_aside"


def test_only_what_the_tab_and_the_role_allow_is_offered(source: Source, owner: Member, viewer: Member) -> None:
    said(source, "Words")
    put_aside(source, "broken", "failed")
    admin = make_member(source.project, Role.SOURCE_ADMIN)
    offered = {
        (member, tab): re.findall(
            r'name="action" value="(\w+)"', shown(signed_in(who), url(source.project, f"?tab={tab}"))
        )
        for member, who in (("owner", owner), ("viewer", viewer), ("admin", admin))
        for tab in ("unread", "set_aside", "dead")
    }
    assert offered == {
        ("owner", "unread"): ["read", "archived", "set_aside"],
        ("owner", "set_aside"): ["restore"],
        ("owner", "dead"): ["retry"],
        ("viewer", "unread"): [],
        ("viewer", "set_aside"): [],
        ("viewer", "dead"): [],
        ("admin", "unread"): [],
        ("admin", "set_aside"): [],
        ("admin", "dead"): ["retry"],
    }


@pytest.mark.parametrize("action", ["read", "set_aside", "restore", "retry"])
def test_who_may_only_look_changes_nothing(viewer: Member, source: Source, action: str) -> None:
    item = put_aside(source, "broken", "failed")
    client = signed_in(viewer)
    for address in ("chosen/", f"{item.pk}/change/"):
        assert client.post(url(source.project, address), {"action": action, "item": item.pk}).status_code == 403
    item.refresh_from_db()
    assert (item.state, item.inbox) == ("set_aside", "unread")


def test_nothing_of_another_project_is_seen_or_changed(stranger: Member, client: Client, source: Source) -> None:
    item = said(source, "Words")
    outsider = signed_in(stranger)
    for address in (url(source.project), url(source.project, f"{item.pk}/"), url(stranger.project, f"{item.pk}/")):
        assert outsider.get(address).status_code == 404
    posted = {"action": "read", "item": item.pk, "role": "agent"}
    for address in ("chosen/", f"{item.pk}/change/", f"{item.pk}/speaker/"):
        assert outsider.post(url(stranger.project, address), posted).status_code == 404
    assert outsider.post(url(stranger.project, f"undo/?archived={item.pk}")).status_code == 404
    item.refresh_from_db()
    assert item.inbox == "unread"


def test_items_of_a_deleted_source_are_not_shown(client: Client, source: Source) -> None:
    item = said(source, "Words")
    Source.objects.filter(pk=source.pk).update(status="deleted", deleted_at=NOW)
    assert titles(shown(client, url(source.project))) == []
    assert client.get(url(source.project, f"{item.pk}/")).status_code == 404


@pytest.mark.parametrize("data", [{"action": "read"}, {"action": "explode", "item": "ITEM"}, {"item": "ITEM"}])
def test_an_act_without_items_or_without_sense_is_refused(client: Client, source: Source, data: dict[str, str]) -> None:
    item = said(source, "Words")
    posted = {name: str(item.pk) if value == "ITEM" else value for name, value in data.items()}
    assert client.post(url(source.project, "chosen/"), posted).status_code == 400


def threaded(source: Source) -> FeedbackItem:
    """A thread whose second speaker is taken for staff, since the opener is known as the customer."""
    parts = [RawPart(unique_id="p1", body="The export stops after 200 rows for me as well.", author="Sam Smith")]
    return said(source, "The calendar loses entries.", user_id="u1", author="Jane", conversation_parts=parts)


def test_who_a_speaker_is_can_be_overruled_and_taken_back(client: Client, source: Source) -> None:
    item = threaded(source)
    analyse_project(source.project)
    part = item.parts.get()
    assert part.role == "agent"
    address = url(source.project, f"{item.pk}/speaker/")
    response = client.post(address, {"part": part.pk, "role": "customer"}, follow=True)
    assert SpeakerRule.objects.get().author == "sam smith"
    item.refresh_from_db()
    assert item.state == "waiting"
    analyse_project(source.project)
    part.refresh_from_db()
    assert part.role == "customer"
    assert "as set by a person" in shown(client, url(source.project, f"{item.pk}/"))
    client.post(undo_address(response))
    assert not SpeakerRule.objects.exists()
    analyse_project(source.project)
    part.refresh_from_db()
    assert part.role == "agent"
    assert AuditEvent.objects.filter(verb="speaker.overruled").count() == 2


def test_staff_by_a_persons_word_gives_no_evidence(owner: Member, source: Source) -> None:
    item = said(source, "The export stops after 200 rows.", author="Jane", email="Jane@acme.example")
    analyse_project(source.project)
    assert Mention.objects.filter(item=item).exists()
    assert overrule(source.project, "Jane@acme.example", ConversationPart.Role.AGENT, actor=owner.user) == 1
    analyse_project(source.project)
    item.refresh_from_db()
    assert (item.state, item.set_aside_reason) == ("set_aside", "empty")
    assert not Mention.objects.filter(item=item).exists()
    counts = SourceCount.objects.get(source=source)
    assert (counts.used, counts.set_aside, counts.waiting) == (0, 1, 0)


def test_overruling_leaves_what_was_set_aside_by_hand_and_what_was_restored_stays_kept(
    owner: Member, source: Source
) -> None:
    by_hand = said(source, "The export stops.", author="Jane")
    services.set_aside([by_hand], actor=owner.user)
    kept = put_aside(source, "hi", "low_signal", author="Jane")
    services.restore([kept], actor=owner.user)
    overrule(source.project, "jane", ConversationPart.Role.CUSTOMER, actor=owner.user)
    by_hand.refresh_from_db()
    kept.refresh_from_db()
    assert (by_hand.state, by_hand.set_aside_reason) == ("set_aside", "by_hand")
    assert (kept.state, kept.keep) == ("waiting", True)
    counts = SourceCount.objects.get(source=source)
    assert (counts.used, counts.set_aside, counts.waiting) == (0, 1, 1)


def test_speakers_are_overruled_by_who_may_edit_only(viewer: Member, client: Client, source: Source) -> None:
    item = said(source, "Words", author="Jane")
    address = url(source.project, f"{item.pk}/speaker/")
    assert signed_in(viewer).post(address, {"role": "agent"}).status_code == 403
    assert client.post(address, {"role": "king"}).status_code == 400
    nameless = said(source, "Words")
    assert client.post(url(source.project, f"{nameless.pk}/speaker/"), {"role": "agent"}).status_code == 400
    assert not SpeakerRule.objects.exists()
