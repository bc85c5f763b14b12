"""The golden pages in a real browser: keys, a conflict settled, and the same work without scripts."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from review.models import GoldenExample
from review.services.golden import create_example
from tests.browser import CHROMIUM, complaints_of, signed_in
from tests.factories import Member

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: golden pages were NOT tried in a browser"),
]
RESET, RESET_TWIN, REFUND = "How do I reset my password?", "How can I reset my password?", "How long is a refund?"
NARROW = 390


@pytest.fixture
def examples(owner: Member) -> list[GoldenExample]:
    """Two answers to one question that contradict each other, and one to another question."""
    answers = {RESET: "Choose Forgot password.", RESET_TWIN: "Ask your administrator.", REFUND: "14 days."}
    return [
        create_example(owner.project, actor=owner.user, original_query=query, golden_response=answer)
        for query, answer in answers.items()
    ]


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, owner: Member, examples: list[GoldenExample]) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce")
    page = signed_in(context, live_server, owner)
    complaints = complaints_of(page)
    page.goto(f"{live_server.url}/p/{owner.project.slug}/golden/")
    yield page
    assert complaints == []
    context.close()


def test_keys_lead_to_an_example_and_an_edit_of_it_is_saved(page: Page) -> None:
    expect(page.locator(".row-title")).to_have_text([REFUND, RESET_TWIN, RESET])
    page.keyboard.press("/")
    expect(page.get_by_placeholder("Search examples")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(REFUND)
    page.get_by_label("Right answer").fill("30 days.")
    page.get_by_label("Kind of check 1").select_option("regex")
    page.get_by_label("Words, pattern, schema or number of check 1").fill(r"\d+ days")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast-text")).to_have_text("Saved as version 2.")
    page.get_by_text("What changed").click()
    expect(page.locator("ins")).to_have_text("30")
    expect(page.get_by_label("Kind of check 1")).to_have_value("regex")


def test_switching_off_is_undone_by_a_key(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_role("button", name="Use it")).to_be_visible()
    page.keyboard.press("z")
    expect(page.get_by_role("button", name="Switch off")).to_be_visible()


def test_a_conflict_is_settled(page: Page) -> None:
    page.get_by_role("link", name="Needs a look").click()
    expect(page.locator("article")).to_have_count(2)
    page.get_by_role("button", name="Keep this one").first.click()
    expect(page.get_by_text("Nothing contradicts anything.")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Golden")


def test_the_filter_dialog_narrows_the_list(page: Page) -> None:
    page.keyboard.press("f")
    page.get_by_label("Needs a look").select_option("conflict")
    page.get_by_role("button", name="Show examples").click()
    expect(page.locator(".row-title")).to_have_text([RESET_TWIN, RESET])
    page.get_by_role("link", name=re.compile("Remove the filter")).click()
    expect(page.locator(".row-title")).to_have_count(3)


def test_an_example_is_written_without_scripts_on_a_narrow_screen(
    browser: Browser, live_server: LiveServer, owner: Member
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": NARROW, "height": 844})
    page = signed_in(context, live_server, owner)
    page.goto(f"{live_server.url}/p/{owner.project.slug}/golden/")
    page.get_by_role("link", name="New example").click()
    page.get_by_label("Question", exact=True).fill(REFUND)
    page.get_by_label("Right answer").fill("14 days.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(REFUND)
    context.close()


@pytest.mark.parametrize("folder", ["", "conflicts/", "new/", "import/", "export/", "checks/", "knowledge/"])
def test_no_page_is_wider_than_a_telephone(page: Page, folder: str) -> None:
    page.set_viewport_size({"width": NARROW, "height": 844})
    page.goto(page.url + folder)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW
