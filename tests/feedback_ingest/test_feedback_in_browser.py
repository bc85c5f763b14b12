"""The feedback pages in a real browser: walked by keys, moved and taken back, on a desk and on a phone."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from feedback_ingest.models import FeedbackItem, SpeakerRule
from sources.items import RawPart
from sources.models import Source
from tests.browser import CHROMIUM, complaints_of, signed_in
from tests.factories import Member, make_insight, make_item, make_mention, make_source

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: feedback was NOT tried in a browser"),
]
BODIES = ["Exports stop after 200 rows", "Search is slow", "I love the calendar"]


@pytest.fixture
def source(owner: Member) -> Source:
    """A source with three items, the newest a thread."""
    source = make_source(owner.project, name="Support desk")
    now = timezone.now()
    part = RawPart(unique_id="p1", body="It is under Settings.", author="Sam Smith", created_at=now)
    for number, body in enumerate(BODIES):
        make_item(
            source,
            body=body,
            author="Jane Doe",
            user_id="u1",
            created_at=now - timedelta(days=number + 1),
            conversation_parts=[part] if number == 0 else [],
        )
    return source


def opened(context: BrowserContext, live_server: LiveServer, member: Member) -> Page:
    page = signed_in(context, live_server, member)
    page.goto(f"{live_server.url}/p/{member.project.slug}/feedback/")
    return page


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, owner: Member, source: Source) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce")
    page = opened(context, live_server, owner)
    complaints = complaints_of(page)
    yield page
    assert complaints == []
    context.close()


def test_the_list_is_walked_opened_and_left_for_the_next_item_by_keys(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name=BODIES[1])).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(BODIES[1])
    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=1)).to_have_text(BODIES[2])
    page.keyboard.press("p")
    expect(page.get_by_role("heading", level=1)).to_have_text(BODIES[1])
    assert FeedbackItem.objects.get(body=BODIES[0]).inbox == "unread"
    assert FeedbackItem.objects.filter(inbox="read").count() == 2


def test_chosen_items_are_archived_by_a_key_and_brought_back_by_another(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-selected-count]")).to_have_text("2")
    page.keyboard.press("e")
    expect(page.get_by_text("Archived 2 items.")).to_be_visible()
    expect(page.get_by_role("link", name="Archived 2")).to_be_visible()
    page.keyboard.press("z")
    expect(page.get_by_text("Undone.")).to_be_visible()
    assert not FeedbackItem.objects.filter(inbox="archived").exists()


def test_an_item_is_set_aside_with_its_reason_and_restored(page: Page) -> None:
    page.get_by_role("link", name=BODIES[1]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(BODIES[1])
    page.keyboard.press("s")
    expect(page.get_by_text("Set aside by hand.")).to_be_visible()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("Not analysed yet")).to_be_visible()
    assert FeedbackItem.objects.get(body=BODIES[1]).state == "waiting"


def test_the_role_of_a_speaker_is_overruled_and_taken_back(page: Page) -> None:
    page.get_by_role("link", name=BODIES[0]).click()
    turn = page.locator(".turn", has_text="It is under Settings.")
    expect(turn).to_contain_text("Staff, not counted")
    turn.locator("summary").click()
    turn.get_by_role("button", name="Customer").click()
    expect(turn).to_contain_text("Customer, as set by a person")
    page.get_by_role("button", name="Undo").click()
    expect(turn).to_contain_text("Staff, not counted")
    assert not SpeakerRule.objects.exists()


def test_filters_become_chips_that_can_be_removed(page: Page) -> None:
    page.keyboard.press("f")
    page.locator("#filters").get_by_label("Negative").check()
    page.get_by_role("button", name="Show feedback").click()
    expect(page).to_have_url(re.compile("sentiment=-1"))
    expect(page.get_by_text("Nothing matches sentiment “Negative” in this view.")).to_be_visible()
    page.get_by_label("Remove the filter Sentiment: Negative").click()
    expect(page.locator("[data-row]")).to_have_count(3)
    page.keyboard.press("/")
    page.keyboard.type("calendar")
    page.keyboard.press("Enter")
    expect(page.locator("[data-row]")).to_have_count(1)


def test_a_lit_quote_leads_to_its_insight(page: Page, owner: Member) -> None:
    make_mention(make_insight(owner.project, title="Export is cut"), FeedbackItem.objects.get(body=BODIES[0]))
    page.get_by_role("link", name=BODIES[0]).click()
    expect(page.locator("mark.lit")).to_have_text(BODIES[0])
    page.get_by_role("link", name="Export is cut").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Export is cut")


def test_everything_works_without_scripts(
    browser: Browser, live_server: LiveServer, owner: Member, source: Source
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = opened(context, live_server, owner)
    page.get_by_label(f"Select {BODIES[1]}").check()
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_text("Archived 1 item.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("link", name=BODIES[1]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(BODIES[1])
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_on_a_phone(
    browser: Browser, live_server: LiveServer, owner: Member, source: Source, scheme: str
) -> None:
    make_item(source, body="Unbroken" * 60, author="x" * 200, metadata={"key" * 40: "value" * 200})
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)  # type: ignore[arg-type]
    page = opened(context, live_server, owner)

    def fits() -> bool:
        return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))

    assert fits()
    page.locator("[data-select]").first.check()
    assert fits()
    page.locator("[data-open]").first.click()
    expect(page.get_by_role("heading", name="Who and when")).to_be_visible()
    assert fits()
    page.locator(".turn summary").first.click()
    assert fits()
    context.close()
