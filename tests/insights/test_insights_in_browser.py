"""The insight pages in a real browser: keys, partial updates, and the same work without scripts."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from insights import corrections
from insights.models import Insight, Mention
from tests.browser import CHROMIUM, complaints_of, signed_in
from tests.factories import Member, make_insight, make_item, make_mention, make_person, make_source

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: insights were NOT tried in a browser"),
]


@pytest.fixture
def insights(owner: Member) -> list[Insight]:
    """Three insights, of four, three and two people."""
    source = make_source(owner.project, name="Support desk")
    made = []
    for title, people in (("Exports stop", 4), ("Search is slow", 3), ("Dark mode wanted", 2)):
        insight = make_insight(owner.project, title=title)
        for number in range(people):
            item = make_item(source, body=f"Hello there. {title}, says customer {number}. Thank you.", author="Ada")
            said = timezone.now() - timedelta(hours=number + 1)
            make_mention(insight, item, start=13, end=len(item.body or "") - 11, created_at=said)
        made.append(insight)
    return made


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, owner: Member, insights: list[Insight]) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce")
    page = signed_in(context, live_server, owner)
    complaints = complaints_of(page)
    page.goto(f"{live_server.url}/p/{owner.project.slug}/insights/")
    yield page
    assert complaints == []
    context.close()


@pytest.fixture
def plain(browser: Browser, live_server: LiveServer, owner: Member, insights: list[Insight]) -> Iterator[Page]:
    """The list in a browser that runs no scripts."""
    context = browser.new_context(java_script_enabled=False)
    page = signed_in(context, live_server, owner)
    page.goto(f"{live_server.url}/p/{owner.project.slug}/insights/")
    yield page
    context.close()


def test_two_insights_are_merged_by_keys_and_the_merge_is_undone(page: Page) -> None:
    for key in ("j", "x", "j", "x", "m"):
        page.keyboard.press(key)
    expect(page.locator("#drawer-body")).to_contain_text("4 + 3 people = 7")
    page.get_by_label("Or another name").fill("Everything is slow")
    page.locator("#drawer-body").get_by_role("button", name="Merge").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Everything is slow"))
    expect(page.locator(".figure")).to_have_text("7 people")
    page.keyboard.press("z")
    expect(page.locator(".toast-text")).to_have_text("Undone.")
    page.keyboard.press("g")
    page.keyboard.press("i")
    expect(page.locator(".row-title")).to_have_text(["Exports stop", "Search is slow", "Dark mode wanted"])


def test_a_row_is_renamed_in_place(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("r")
    field = page.get_by_label("Name", exact=True)
    expect(field).to_be_focused()
    field.fill("Exports end early")
    page.keyboard.press("Enter")
    expect(page.locator(".row-title").first).to_have_text("Exports end early")
    expect(page.get_by_label("Locked")).to_be_visible()


def test_a_status_is_set_by_two_keys_and_a_row_archived_by_one(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect(page.get_by_role("button", name="Planned 3")).to_be_visible()
    page.keyboard.press("3")
    expect(page.locator(".row-status").first).to_have_text("Planned")
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.locator(".row-title")).to_have_text(["Search is slow", "Dark mode wanted"])
    expect(page.locator(".chips")).to_contain_text("1 archived")
    page.keyboard.press("z")
    expect(page.locator(".row-title")).to_have_count(3)


def test_an_insight_is_opened_and_its_quotes_walked_read_and_removed(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".figure")).to_have_text("4 people")
    page.keyboard.press("j")
    page.keyboard.press("o")
    drawer = page.locator("#drawer-body")
    expect(drawer.locator("mark.is-lit")).to_have_text("Exports stop, says customer 0.")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    expect(page.locator(".figure")).to_have_text("3 people")
    expect(page.locator(".toast-text")).to_have_text("Removed. Later analysis does not bring it back.")
    page.keyboard.press("z")
    expect(page.locator(".figure")).to_have_text("4 people")


def test_a_quote_is_moved_through_the_drawer(page: Page, insights: list[Insight]) -> None:
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/insights/*-*/**")
    page.keyboard.press("j")
    page.keyboard.press("v")
    search = page.locator("#drawer-body").get_by_placeholder("Search insights")
    search.fill("dark")
    search.press("Enter")
    expect(page.locator("#drawer-body button[name=to]")).to_have_count(1)
    page.locator("#drawer-body button[name=to]").click()
    expect(page.locator(".figure")).to_have_text("3 people")
    assert Mention.objects.filter(insight=insights[2]).count() == 3


def test_name_kind_and_status_are_changed_on_the_page(page: Page) -> None:
    page.locator(".row-title").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Exports stop"))
    page.keyboard.press("r")
    page.get_by_label("Name", exact=True).fill("Exports end early")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Exports end early"))
    page.get_by_label("Change the kind").click()
    page.get_by_role("button", name="Complaint").click()
    expect(page.locator(".page-head .kind-complaint").first).to_be_visible()
    page.get_by_role("button", name="Planned").click()
    expect(page.locator(".steps-line [aria-current=step]")).to_have_text("Planned")
    history = page.locator("main aside")
    for words in ("renamed it from “Exports stop”", "changed the kind to complaint", "set the status to planned"):
        expect(history).to_contain_text(words)


def test_neighbours_are_reached_by_keys(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Exports stop"))
    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Search is slow"))
    page.keyboard.press("p")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Exports stop"))


def test_the_list_fills_itself_when_the_first_insight_is_found(
    browser: Browser, live_server: LiveServer, owner: Member
) -> None:
    source = make_source(owner.project)
    item = make_item(source)
    context = browser.new_context()
    page = signed_in(context, live_server, owner)
    page.goto(f"{live_server.url}/p/{owner.project.slug}/insights/")
    expect(page.get_by_text("0 of 1 read")).to_be_visible()
    make_mention(make_insight(owner.project, title="Exports stop"), item, person=make_person(owner.project))
    expect(page.locator(".row-title")).to_have_text(["Exports stop"], timeout=10_000)
    context.close()


def test_without_scripts_insights_are_filtered_merged_and_undone(plain: Page) -> None:
    plain.get_by_role("button", name="Filter").click()
    plain.get_by_role("checkbox", name="Bug", exact=True).check()
    plain.get_by_role("button", name="Show insights").click()
    expect(plain.locator(".chips")).to_contain_text("Kind: Bug")
    for box in plain.locator("input[name=insight]").all()[:2]:
        box.check()
    plain.get_by_role("button", name="Merge").click()
    expect(plain.get_by_text("4 + 3 people = 7")).to_be_visible()
    plain.get_by_role("button", name="Merge").click()
    expect(plain.locator(".figure")).to_have_text("7 people")
    plain.locator(".toast-button", has_text="Undo").click()
    expect(plain.locator(".figure")).to_have_text("4 people")


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_runs_over_the_edge(page: Page, insights: list[Insight], owner: Member, width: int) -> None:
    corrections.change_insight(insights[0], actor=owner.user, title="Exports" * 17, area="Exports" * 11)
    page.set_viewport_size({"width": width, "height": 900})
    for address in (page.url, f"{page.url}?tab=look", page.locator(".row-title").first.evaluate("link => link.href")):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_titles_have_the_width_and_the_tab_in_view_is_seen(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for words in page.locator(".row-main").all():
        box = words.bounding_box()
        assert box is not None
        assert box["width"] > 250
    page.goto(f"{page.url}?tab=look")
    expect(page.locator(".tab-strip [aria-current]")).to_be_in_viewport(ratio=0.99)


def test_the_ring_of_a_focused_title_is_not_cut_off(page: Page) -> None:
    page.keyboard.press("j")
    title = page.locator(".row-title").first
    expect(title).to_be_focused()
    reach = "style => parseFloat(style.outlineOffset) + parseFloat(style.outlineWidth)"
    ring = title.evaluate(f"title => ({reach})(getComputedStyle(title))")
    assert title.locator("..").evaluate("words => parseFloat(getComputedStyle(words).overflowClipMargin)") >= ring


def test_the_command_menu_asks_the_feedback_what_it_does_not_know(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("slow searches")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Search")
    expect(page.get_by_role("searchbox")).to_have_value("slow searches")
    expect(page.locator("mark").first).to_have_text(re.compile("Search is slow, says customer"))
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/feedback/\d+/"))
