"""The insight pages as people use them: what is listed, shown, exported and corrected, without a browser."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from pytest_django import DjangoAssertNumQueries

from feedback_ingest.models import Account, ConversationPart, FeedbackItem
from insights import corrections, panels
from insights.listing import count_insight
from insights.models import Correction, Insight, InsightVisit, Mention
from insights.ranges import Range
from projects.models import Project
from sources.models import Source
from tests.factories import Member, make_insight, make_item, make_mention, make_person, make_source

NOW = timezone.now()


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
    return f"/p/{project.slug}/insights/{rest}"


def heard(source: Source, title: str, people: int, *, days_ago: float = 1, **fields: Any) -> Insight:
    """Make an insight that some people spoke of."""
    insight = make_insight(source.project, title=title, **fields)
    for _ in range(people):
        make_mention(
            insight, make_item(source, body=f"Words about {title}."), created_at=NOW - timedelta(days=days_ago)
        )
    return insight


def titles(page: str) -> list[str]:
    return re.findall(r'class="row-title" href="[^"]*" data-open>([^<]*)<', page)


def shown(client: Client, address: str, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def rows_of(response: Any) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_insights_are_listed_by_people_with_their_numbers_and_a_quote(client: Client, source: Source) -> None:
    heard(source, "Search is slow", 1)
    heard(source, "Exports stop", 3)
    page = shown(client, url(source.project))
    assert titles(page) == ["Exports stop", "Search is slow"]
    assert "3 people" in page
    assert "3 mentions" in page
    assert "“<bdi>Words about Exports stop.</bdi>”" in page
    assert "4 in = 0 used + 0 set aside + 4 waiting" in page
    assert "evidence verified 100%" in page


def test_the_period_comes_from_the_address(client: Client, source: Source) -> None:
    heard(source, "Long ago", 2, days_ago=50)
    heard(source, "Just now", 1)
    assert titles(shown(client, url(source.project))) == ["Just now"]
    assert titles(shown(client, url(source.project, "?days=all"))) == ["Long ago", "Just now"]
    day = (NOW - timedelta(days=50)).date()
    custom = url(source.project, f"?from={day}&to={day + timedelta(days=1)}")
    assert titles(shown(client, custom)) == ["Long ago"]


def test_a_period_that_ends_before_it_begins_says_so_and_shows_the_usual_one(client: Client, source: Source) -> None:
    heard(source, "Exports stop", 1)
    page = shown(client, url(source.project, "?from=2026-05-01&to=2026-04-01"))
    assert "The range ends before it begins." in page
    assert titles(page) == ["Exports stop"]


def test_tabs_tell_new_growing_fading_and_back_again_apart(client: Client, source: Source) -> None:
    heard(source, "Fresh", 1)
    grown = heard(source, "Grown", 1, days_ago=40)
    make_mention(grown, make_item(source))
    make_mention(grown, make_item(source))
    heard(source, "Silent now", 2, days_ago=40)
    returned = heard(source, "Returned", 1, days_ago=100)
    make_mention(returned, make_item(source))
    found = {tab: titles(shown(client, url(source.project, f"?tab={tab}"))) for tab in ("new", "growing", "back")}
    assert found == {"new": ["Fresh"], "growing": ["Grown"], "back": ["Returned"]}
    fading = shown(client, url(source.project, "?tab=fading"))
    assert titles(fading) == ["Silent now"]
    assert "0 people" in fading
    assert "down 2" in fading
    for tab in ("", "look"):
        page = shown(client, url(source.project, f"?tab={tab}"))
        assert re.search(r'All <span class="tally">3<', page)
        assert re.search(r'New <span class="tally">1<', page)
        assert re.search(r'Fading <span class="tally">1<', page)


def test_what_fell_silent_is_not_counted_among_what_was_heard(client: Client, source: Source) -> None:
    heard(source, "Fresh", 1)
    heard(source, "Silent now", 2, days_ago=40)
    page = shown(client, url(source.project))
    said = " ".join(re.sub(r"<[^>]*>", "", page[page.index('aria-label="In short"') :]).split())
    assert "1 insight heard in the last 30 days: 1 new. 1 faded or fell silent." in said


def test_what_fades_most_comes_first_among_what_fades(client: Client, source: Source) -> None:
    heard(source, "Silent", 1, days_ago=40)
    heard(source, "Quiet", 3, days_ago=40)
    halved = heard(source, "Halved", 4, days_ago=40)
    for _ in range(2):
        make_mention(halved, make_item(source))
    assert titles(shown(client, url(source.project, "?tab=fading"))) == ["Quiet", "Halved", "Silent"]
    assert titles(shown(client, url(source.project, "?tab=fading&ordering=-people")))[0] == "Halved"


def test_without_a_period_before_nothing_is_compared(client: Client, source: Source) -> None:
    heard(source, "Exports stop", 1)
    page = shown(client, url(source.project, "?days=all&tab=growing"))
    assert "Growing" not in page
    assert titles(page) == ["Exports stop"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=loved_feature", ["Dark mode"]),
        ("area=Export", ["Exports stop"]),
        ("status=planned", ["Dark mode"]),
        ("q=exports", ["Exports stop"]),
        ("source_type=zendesk", ["Exports stop", "Dark mode"]),
        ("source_type=slack", ["Exports stop", "Dark mode"]),
        ("sentiment=-1", []),
        ("kind=nonsense", ["Exports stop", "Dark mode"]),
    ],
)
def test_filters_narrow_the_list(client: Client, source: Source, query: str, expected: list[str]) -> None:
    heard(source, "Exports stop", 2, area="Export")
    heard(source, "Dark mode", 1, kind=Insight.Kind.LOVED_FEATURE, status=Insight.Status.PLANNED)
    page = shown(client, url(source.project, f"?{query}"))
    assert titles(page) == expected
    is_unknown = query in ("kind=nonsense", "source_type=slack")
    assert ("are not known here" in page) == is_unknown


def test_a_source_filter_counts_only_its_mentions_on_list_and_detail(client: Client, source: Source) -> None:
    insight = heard(source, "Exports stop", 2)
    other = make_source(source.project, name="Reviews")
    make_mention(insight, make_item(other))
    listed = shown(client, url(source.project, f"?source={other.pk}"))
    assert "1 person<" in listed
    detail = shown(client, url(source.project, f"{insight.pk}/?source={other.pk}"))
    assert re.search(r'class="figure">1 person<', detail)
    assert detail.count("evidence-acts") == 1


def test_a_filter_without_match_is_named_with_the_way_out(client: Client, source: Source) -> None:
    heard(source, "Exports stop", 1)
    page = shown(client, url(source.project, "?kind=bug&q=unheard"))
    assert "Drop Text: unheard" in page
    assert 'href="?kind=bug' in page
    assert "there is 1." in page


def test_archived_insights_are_left_out_visibly_and_can_be_shown(client: Client, source: Source) -> None:
    heard(source, "Old news", 1, status=Insight.Status.ARCHIVED)
    heard(source, "Exports stop", 1)
    page = shown(client, url(source.project))
    assert titles(page) == ["Exports stop"]
    assert "1 archived" in page
    assert titles(shown(client, url(source.project, "?status=archived"))) == ["Old news"]


def test_pages_follow_each_other_both_ways(client: Client, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insights.views.listing.PAGE_SIZE", 2)
    for number in range(5):
        heard(source, f"Insight {number}", 1)
    seen, address = [], url(source.project)
    pages = []
    while address:
        page = shown(client, address)
        pages.append(titles(page))
        following = re.search(r'rel="next" href="([^"]*)"', page)
        address = url(source.project, following[1].replace("&amp;", "&")) if following else ""
    seen = [title for titles_ in pages for title in titles_]
    assert sorted(seen) == [f"Insight {number}" for number in range(5)]
    back = re.search(r'rel="prev" href="([^"]*)"', page)
    assert back
    assert titles(shown(client, url(source.project, back[1].replace("&amp;", "&")))) == pages[1]


def test_the_first_lines_name_the_top_riser_bug_and_loved_feature(client: Client, source: Source) -> None:
    heard(source, "Exports stop", 2)
    heard(source, "Offline wanted", 4, kind=Insight.Kind.FEATURE_REQUEST)
    heard(source, "Dark mode", 1, kind=Insight.Kind.LOVED_FEATURE)
    page = shown(client, url(source.project))
    section = page[page.index('aria-label="In short"') :]
    section = section[: section.index("</section>")]
    assert re.findall(r">([^<]*)</a>", section)[-3:] == ["Offline wanted", "Exports stop", "Dark mode"]


def test_since_you_last_looked_counts_from_the_end_of_the_visit_before(
    client: Client, source: Source, owner: Member
) -> None:
    heard(source, "Known", 1, days_ago=3)
    InsightVisit.objects.create(project=source.project, user=owner.user, seen_at=NOW - timedelta(days=2))
    heard(source, "Said since", 1, days_ago=1)
    assert "Since you last looked" in shown(client, url(source.project))
    assert titles(shown(client, url(source.project, "?since=visit"))) == ["Said since"]


def test_words_that_no_longer_stand_in_their_item_are_not_shown(client: Client, source: Source) -> None:
    insight = heard(source, "Exports stop", 1)
    FeedbackItem.objects.update(body="Something else entirely, longer than it was.")
    assert "“" not in shown(client, url(source.project))
    page = shown(client, url(source.project, f"{insight.pk}/"))
    assert "Something else" not in page
    assert "no longer stand in their item" in page
    assert "evidence verified 0%" in shown(client, url(source.project))


def test_text_from_outside_is_never_markup(client: Client, source: Source) -> None:
    attack = "<script>alert(1)</script>"
    insight = make_insight(source.project, title=attack, area=attack, summary=attack)
    person = make_person(source.project, name=attack)
    mention = make_mention(insight, make_item(source, body=attack, url="javascript:alert(1)"), person=person)
    pages = [
        url(source.project),
        url(source.project, f"{insight.pk}/"),
        url(source.project, f"?q={attack}&area={attack}"),
    ]
    pages += [url(source.project, f"mentions/{mention.pk}/{each}/") for each in ("thread", "move")]
    for address in pages:
        page = shown(client, address)
        assert attack not in page
        assert 'href="javascript:' not in page


def test_a_project_without_sources_offers_three_ways_to_begin_and_a_sample(client: Client, project: Project) -> None:
    page = shown(client, url(project))
    for words in ("Connect a source", "Upload a file", "Paste text", "Try sample data"):
        assert words in page


def test_progress_is_shown_until_there_is_a_first_insight(client: Client, source: Source) -> None:
    item = make_item(source)
    assert "0 of 1 read" in shown(client, url(source.project))
    polled = client.get(url(source.project, "progress/?until=first"))
    assert "0 of 1 read" in polled.content.decode()
    make_mention(make_insight(source.project), item)
    assert client.get(url(source.project, "progress/?until=first")).headers["HX-Refresh"] == "true"


def test_a_quiet_period_says_when_something_was_last_heard(client: Client, source: Source) -> None:
    heard(source, "Exports stop", 1, days_ago=12)
    page = shown(client, url(source.project, "?days=7"))
    assert "Nothing new in the last 7 days" in page
    assert "Show all time" in page


def test_an_insight_shows_its_evidence_with_the_words_lit(client: Client, source: Source) -> None:
    insight = make_insight(source.project, title="Exports stop", summary="Exports end early.")
    body = "We like it. But every export stops. Please help."
    account = Account.objects.create(project=source.project, key="northwind", name="Northwind")
    person = make_person(source.project, name="Ada", account=account)
    make_mention(insight, make_item(source, body=body), person=person, start=12, end=35)
    page = shown(client, url(source.project, f"{insight.pk}/"))
    assert '<mark class="lit">But every export stops.</mark>' in page
    assert "We like it. " in page
    assert "Ada" in page
    assert "Northwind" in page
    assert "Exports end early." in page


def test_list_detail_and_export_say_the_same_numbers(client: Client, source: Source) -> None:
    insight = heard(source, "Exports stop", 3)
    make_mention(insight, make_item(source), person=Mention.objects.filter(insight=insight)[0].person)
    counts = count_insight(insight, Range.days(source.project, 30))
    assert (counts.people, counts.mentions) == (3, 4)
    (exported,) = rows_of(client.get(url(source.project, "export.csv")))
    assert (exported["people"], exported["mentions"]) == ("3", "4")
    assert "4 mentions" in shown(client, url(source.project))
    page = shown(client, url(source.project, f"{insight.pk}/"))
    assert page.count("evidence-acts") == 4
    assert len(rows_of(client.get(url(source.project, f"{insight.pk}/mentions.csv")))) == 4


def test_who_may_not_see_people_sees_them_masked_everywhere(source: Source, viewer: Member) -> None:
    insight = make_insight(source.project)
    person = make_person(source.project, name="Ada Lovelace", email="ada@example.com")
    item = make_item(source, author="Ada Lovelace", email="ada@example.com")
    mention = make_mention(insight, item, person=person)
    client = signed_in(viewer)
    for rest in (f"{insight.pk}/", f"mentions/{mention.pk}/thread/", "?tab=look"):
        page = shown(client, url(source.project, rest))
        assert "Lovelace" not in page
        assert "ada@" not in page
    (row,) = rows_of(client.get(url(source.project, f"{insight.pk}/mentions.csv")))
    assert row["person"] == f"Person {person.pk}"


def test_exported_formulas_are_made_harmless(client: Client, source: Source) -> None:
    heard(source, "=HYPERLINK(1)", 1)
    (row,) = rows_of(client.get(url(source.project, "export.csv")))
    assert row["title"] == "'=HYPERLINK(1)"


def test_a_merged_insight_leads_to_the_survivor(client: Client, source: Source, owner: Member) -> None:
    first, second, third = (heard(source, title, 1) for title in ("First", "Second", "Third"))
    corrections.merge_insights(second, [first], actor=owner.user)
    corrections.merge_insights(third, [Insight.objects.get(pk=second.pk)], actor=owner.user)
    response = client.get(url(source.project, f"{first.pk}/?days=7"))
    assert response.status_code == 301
    assert response.headers["Location"] == url(source.project, f"{third.pk}/?days=7")


def test_a_deleted_insight_says_so_and_can_be_brought_back(client: Client, source: Source) -> None:
    insight = heard(source, "Exports stop", 1)
    client.post(url(source.project, f"{insight.pk}/delete/"))
    response = client.get(url(source.project, f"{insight.pk}/"))
    assert response.status_code == 404
    page = response.content.decode()
    undo = re.search(r'action="([^"]*undo/\?correction=\d+)"', page)
    assert undo
    client.post(undo[1])
    assert client.get(url(source.project, f"{insight.pk}/")).status_code == 200


def test_a_rename_locks_the_name_and_can_be_undone(client: Client, source: Source) -> None:
    insight = heard(source, "Exports stop", 1)
    page = client.post(url(source.project, f"{insight.pk}/change/"), {"title": "Exports end early"}, follow=True)
    assert "Renamed to “Exports end early”." in page.content.decode()
    insight.refresh_from_db()
    assert (insight.title, insight.locked) == ("Exports end early", ["title"])
    correction = Correction.objects.get(insight=insight)
    client.post(url(source.project, f"undo/?correction={correction.pk}"))
    insight.refresh_from_db()
    assert (insight.title, insight.locked) == ("Exports stop", [])


def test_an_insight_is_given_to_a_member_from_list_or_page_and_taken_back(
    client: Client, source: Source, viewer: Member, stranger: Member
) -> None:
    insight = heard(source, "Exports stop", 1)
    assert f'value="{viewer.user.pk}"' in shown(client, url(source.project, f"?row={insight.pk}&edit=owner"))
    client.post(url(source.project, "row/"), {"insight": insight.pk, "owner": viewer.user.pk})
    insight.refresh_from_db()
    assert insight.owner == viewer.user
    page = client.get(url(source.project, f"{insight.pk}/")).content.decode()
    assert viewer.user.email in page
    assert "gave it to a member" in page
    assert client.post(url(source.project, f"{insight.pk}/change/"), {"owner": stranger.user.pk}).status_code == 400
    correction = Correction.objects.get(insight=insight)
    client.post(url(source.project, f"undo/?correction={correction.pk}"))
    insight.refresh_from_db()
    assert insight.owner is None


def test_a_lock_is_set_taken_off_and_undone(client: Client, source: Source) -> None:
    insight = heard(source, "Exports stop", 1)
    change = url(source.project, f"{insight.pk}/change/")
    client.post(change, {"title": "Exports end early"})
    client.post(change, {"lock": "on"})
    insight.refresh_from_db()
    assert insight.locked == ["title", "kind", "area"]
    client.post(change, {"lock": "off"})
    insight.refresh_from_db()
    assert insight.locked == []
    client.post(url(source.project, f"undo/?correction={Correction.objects.latest('pk').pk}"))
    insight.refresh_from_db()
    assert insight.locked == ["title", "kind", "area"]


def test_a_row_is_renamed_archived_and_set_in_place(client: Client, source: Source) -> None:
    insight = heard(source, "Exports stop", 1)
    assert 'name="title" value="Exports stop"' in shown(client, url(source.project, f"?row={insight.pk}&edit=title"))
    client.post(url(source.project, "row/"), {"insight": insight.pk, "title": "Exports end early"})
    client.post(url(source.project, "row/"), {"insight": insight.pk, "status": "planned"})
    insight.refresh_from_db()
    assert (insight.title, insight.status) == ("Exports end early", "planned")
    client.post(url(source.project, "row/"), {"archive": insight.pk})
    insight.refresh_from_db()
    assert insight.status == "archived"


def test_several_are_changed_at_once_and_undone_at_once(client: Client, source: Source) -> None:
    insights = [heard(source, title, 1) for title in ("First", "Second")]
    chosen = {"insight": [insight.pk for insight in insights], "next": url(source.project, "?days=90")}
    for act in ({"action": "area", "area": "Export"}, {"action": "status", "status": "watching"}):
        response = client.post(url(source.project, "chosen/"), chosen | act)
        assert response.headers["Location"] == url(source.project, "?days=90")
    changed = {(insight.area, insight.status) for insight in Insight.objects.all()}
    assert changed == {("Export", "watching")}
    page = client.post(url(source.project, "chosen/"), chosen | {"action": "delete"}, follow=True).content.decode()
    assert "Deleted 2 insights." in page
    assert not Insight.objects.live().exists()
    newest = re.findall(r'action="([^"]*/undo/[^"]*)"', page)[-1]
    client.post(newest.replace("&amp;", "&"))
    assert Insight.objects.live().count() == 2


def test_a_merge_is_previewed_done_under_a_typed_name_and_undone_exactly(client: Client, source: Source) -> None:
    first, second = heard(source, "First", 2), heard(source, "Second", 1, kind=Insight.Kind.COMPLAINT)
    shared = Mention.objects.filter(insight=first)[0].person
    make_mention(second, make_item(source), person=shared)
    chosen: dict[str, Any] = {"insight": [first.pk, second.pk]}
    preview = client.get(url(source.project, "merge/"), chosen).content.decode()
    assert "2 + 2 people = 3" in preview
    assert "(1 in both)" in preview
    assert "different kinds" in preview
    done = client.post(url(source.project, "merged/"), chosen | {"into": first.pk, "title": "Both"}, follow=True)
    page = done.content.decode()
    assert re.search(r'class="figure">3 people<', page)
    assert "Merged into “Both”." in page
    undo = re.search(r'action="([^"]*/undo/\?correction=\d+&amp;correction=\d+)"', page)
    assert undo
    client.post(undo[1].replace("&amp;", "&"))
    within = Range.days(source.project, 30)
    assert [count_insight(insight, within).people for insight in (first, second)] == [2, 2]
    first.refresh_from_db()
    assert first.title == "First"


def test_what_is_said_to_be_different_is_not_proposed_again(client: Client, source: Source) -> None:
    first, second = heard(source, "First", 1), heard(source, "Second", 1)
    Insight.objects.update(centroid=[1.0, 0.0, 0.5])
    assert "Similar insights" in shown(client, url(source.project, f"{first.pk}/"))
    client.post(url(source.project, "different/"), {"insight": [first.pk, second.pk]})
    for insight in (first, second):
        assert "Similar insights" not in shown(client, url(source.project, f"{insight.pk}/"))


def test_the_same_subject_the_other_way_round_is_also_heard(client: Client, source: Source) -> None:
    bug = heard(source, "Exports stop", 1)
    heard(source, "Exports are great", 2, kind=Insight.Kind.LOVED_FEATURE)
    Insight.objects.update(centroid=[1.0, 0.0, 0.5])
    page = shown(client, url(source.project, f"{bug.pk}/"))
    assert "Also heard" in page
    assert "Exports are great" in page


def test_a_quote_is_removed_for_good_and_brought_back(client: Client, source: Source) -> None:
    insight = heard(source, "Exports stop", 2)
    mention = Mention.objects.filter(insight=insight).first()
    assert mention
    page = client.post(url(source.project, f"mentions/{mention.pk}/delete/"), follow=True).content.decode()
    assert re.search(r'class="figure">1 person<', page)
    assert "Later analysis does not bring it back." in page
    assert "Removed for good" in page
    client.post(url(source.project, f"undo/?correction={Correction.objects.get().pk}"))
    assert re.search(r'class="figure">2 people<', shown(client, url(source.project, f"{insight.pk}/")))


def test_a_quote_is_moved_or_split_off(client: Client, source: Source) -> None:
    insight, other = heard(source, "Exports stop", 2), heard(source, "Search is slow", 1)
    one, two = Mention.objects.filter(insight=insight)
    assert "Search is slow" in shown(client, url(source.project, f"mentions/{one.pk}/move/?q=search"))
    client.post(url(source.project, f"mentions/{one.pk}/moved/"), {"to": other.pk})
    client.post(url(source.project, f"mentions/{two.pk}/moved/"), {"title": "Exports lose rows"})
    one.refresh_from_db()
    two.refresh_from_db()
    assert one.insight == other
    assert (two.insight.title, two.moved_by_hand) == ("Exports lose rows", True)


@pytest.mark.parametrize("act", ["moved", "split", "confirm"])
def test_undo_leaves_a_doubtful_quote_as_doubtful_as_it_was(client: Client, source: Source, act: str) -> None:
    insight, other = heard(source, "Exports stop", 1), heard(source, "Search is slow", 1)
    mention = make_mention(insight, make_item(source), unsure=True)
    if act == "confirm":
        page = client.post(url(source.project, f"mentions/{mention.pk}/confirm/"), follow=True)
    else:
        to = {"to": other.pk} if act == "moved" else {"title": "Exports lose rows"}
        page = client.post(url(source.project, f"mentions/{mention.pk}/moved/"), to, follow=True)
    mention.refresh_from_db()
    assert (mention.moved_by_hand, mention.unsure) == (True, False)
    undo = re.search(r'action="([^"]*/undo/[^"]*)"', page.content.decode())
    assert undo
    client.post(undo[1])
    mention.refresh_from_db()
    assert (mention.insight, mention.moved_by_hand, mention.unsure) == (insight, False, True)


def test_doubtful_quotes_wait_to_be_confirmed(client: Client, source: Source) -> None:
    insight = make_insight(source.project, title="Exports stop")
    mention = make_mention(insight, make_item(source, body="Perhaps an export."), unsure=True)
    page = shown(client, url(source.project, "?tab=look"))
    assert "Perhaps an export." in page
    assert re.search(r'Needs a look <span class="tally">1<', page)
    client.post(url(source.project, f"mentions/{mention.pk}/confirm/"))
    assert "Nothing needs a look." in shown(client, url(source.project, "?tab=look"))


def test_a_thread_lights_all_evidence_and_says_who_speaks(client: Client, source: Source) -> None:
    insight = make_insight(source.project, title="Exports stop")
    other = make_insight(source.project, title="Search is slow")
    item = make_item(source, body="Exports stop. Search is slow.", author="Ada", email="ada@example.com")
    agent = ConversationPart.objects.create(
        project=source.project, source=source, item=item, unique_id="a", body="We look into it.", author="Support",
        created_at=NOW,
    )  # fmt: skip
    focus = make_mention(insight, item, end=13)
    make_mention(other, item, start=14, end=29)
    page = shown(client, url(source.project, f"mentions/{focus.pk}/thread/"))
    assert '<mark class="lit is-lit">Exports stop.</mark>' in page
    assert '<mark class="lit">Search is slow.</mark>' in page
    assert agent.body in page
    assert "Staff, not counted" in page
    fragment = shown(
        client, url(source.project, f"mentions/{focus.pk}/thread/"), HX_Target="drawer-body", HX_Request="true"
    )
    assert "<html" not in fragment


def test_next_and_previous_keep_the_order_of_the_list(client: Client, source: Source) -> None:
    most, some, least = (heard(source, f"{people} people", people) for people in (3, 2, 1))
    page = shown(client, url(source.project, f"{some.pk}/?days=90"))
    assert f'{most.pk}/?days=90" data-key="p"' in page
    assert f'{least.pk}/?days=90" data-key="n"' in page


def test_nearly_all_people_from_one_source_are_warned_of(client: Client, source: Source) -> None:
    insight = heard(source, "Exports stop", 5)
    address = url(source.project, f"{insight.pk}/")
    assert "of these people" not in shown(client, address)
    make_source(source.project)
    assert "100% of these people spoke in Support desk." in shown(client, address)


def test_other_apps_put_panels_on_an_insight(client: Client, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    def panel(request: Any, insight: Insight) -> SafeString | None:
        return mark_safe(f"<p>Tickets of {insight.pk}</p>") if insight.title == "Exports stop" else None

    monkeypatch.setattr(panels, "_panels", [])
    panels.register_panel(panel)
    insight, other = heard(source, "Exports stop", 1), heard(source, "Search is slow", 1)
    assert f"<p>Tickets of {insight.pk}</p>" in shown(client, url(source.project, f"{insight.pk}/"))
    assert "Tickets of" not in shown(client, url(source.project, f"{other.pk}/"))


def test_viewers_see_no_buttons_and_may_not_act(source: Source, viewer: Member) -> None:
    insight = heard(source, "Exports stop", 1)
    client = signed_in(viewer)
    for rest in ("", f"{insight.pk}/"):
        page = shown(client, url(source.project, rest))
        assert "/delete/" not in page
        assert 'data-row-key="r"' not in page
    for rest in (f"{insight.pk}/change/", f"{insight.pk}/delete/", "chosen/", "merged/", "row/", "undo/"):
        assert client.post(url(source.project, rest), {"title": "X"}).status_code == 403


def test_another_projects_insights_do_not_exist(source: Source, stranger: Member) -> None:
    insight = heard(source, "Exports stop", 1)
    mention = Mention.objects.get(insight=insight)
    client = signed_in(stranger)
    for project in (source.project, stranger.project):
        assert client.get(url(project, f"{insight.pk}/")).status_code == 404
        assert client.get(url(project, f"mentions/{mention.pk}/thread/")).status_code == 404
        assert client.post(url(project, f"{insight.pk}/delete/")).status_code == 404
    assert "Exports stop" not in shown(client, url(stranger.project))
    for action in ("delete", "merge"):
        data = {"insight": insight.pk, "action": action}
        assert client.post(url(stranger.project, "chosen/"), data).status_code == 404
    correction = Correction.objects.create(project=source.project, act="rename", insight=insight)
    assert client.post(url(stranger.project, f"undo/?correction={correction.pk}")).status_code == 404


def test_nobody_is_sent_to_another_site_after_an_act(client: Client, source: Source) -> None:
    insight = heard(source, "Exports stop", 1)
    data = {"status": "planned", "next": "https://evil.example/"}
    response = client.post(url(source.project, f"{insight.pk}/change/"), data)
    assert response.headers["Location"] == url(source.project, f"{insight.pk}/")


@pytest.fixture
def crowd(source: Source) -> Source:
    for number in range(12):
        heard(source, f"Insight {number}", 2)
    return source


def test_a_longer_list_takes_no_more_queries(
    client: Client, crowd: Source, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.get(url(crowd.project))
    with django_assert_max_num_queries(24):
        client.get(url(crowd.project))
    for number in range(12):
        heard(crowd, f"More {number}", 2)
    with django_assert_max_num_queries(24):
        client.get(url(crowd.project))


def test_the_detail_takes_no_more_queries_for_more_evidence(
    client: Client, source: Source, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    insight = heard(source, "Exports stop", 18)
    client.get(url(source.project))
    with django_assert_max_num_queries(34):
        client.get(url(source.project, f"{insight.pk}/"))


def test_a_brand_is_not_compared_with_what_is_measured_otherwise(client: Client, owner: Member) -> None:
    like, brand = make_insight(owner.project, title="Looks alike"), make_insight(owner.project, kind="brand")
    shown = make_insight(owner.project)
    Insight.objects.update(centroid=[1.0, 0.0, 0.5])
    Insight.objects.filter(pk=brand.pk).update(centroid=[1.0, 0.0])
    for insight in (shown, brand):
        insight.refresh_from_db()
    assert list(Insight.objects.nearest_to(shown)) == [like]
    assert list(Insight.objects.nearest_to(brand)) == []
    client.force_login(owner.user)
    page = client.get(f"/p/{owner.project.slug}/insights/{shown.pk}/")
    assert page.status_code == 200
    assert "Looks alike" in page.content.decode()


@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_date_inputs_get_dates_that_they_can_read_whatever_the_browser_speaks(
    client: Client, project: Project, source: Source, language: str
) -> None:
    heard(source, "Offline maps", people=1)
    page = shown(client, url(project), **{"Accept-Language": language})
    dates = re.findall(r'value="([^"]*)"', " ".join(re.findall(r'<input[^>]* type="date"[^>]*>', page)))
    assert len(dates) == 2
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for date in dates)
