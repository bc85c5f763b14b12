"""Signed requests in a real browser: the preview follows the typing, and the page sees the first item arrive."""

import re
from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from sources.models import Source
from tests.browser import CHROMIUM, complaints_of, signed_in
from tests.factories import Member, make_item, make_source

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        CHROMIUM is None, reason="Chromium is not installed: signed requests were NOT tried in a browser"
    ),
]


@pytest.fixture
def webhook(owner: Member) -> Source:
    return make_source(owner.project, name="Survey tool")


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, owner: Member, webhook: Source) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce")
    page = signed_in(context, live_server, owner)
    complaints = complaints_of(page)
    page.goto(live_server.url + reverse("source_signed", args=[owner.project.slug, webhook.pk]))
    yield page
    assert complaints == []
    context.close()


def test_the_preview_follows_what_is_typed_and_keys_save_it(page: Page, webhook: Source) -> None:
    preview = page.locator("#preview")
    expect(preview).to_contain_text("The export stops after 200 rows.")
    page.get_by_label("Text", exact=True).fill("words.said")
    expect(preview).to_contain_text("The feedback is empty.")
    page.get_by_label("A sample answer").fill('{"words": {"said": "Where is the dark theme?"}}')
    page.get_by_label("ID (optional)", exact=True).fill("")
    expect(preview).to_contain_text("Where is the dark theme?")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Saved. What is sent from now on is read like this.")).to_be_visible()
    webhook.refresh_from_db()
    assert webhook.settings["mapping"]["body"] == "words.said"


def test_the_page_turns_green_when_the_first_item_arrives(page: Page, webhook: Source) -> None:
    expect(page.locator("#requests")).to_contain_text("Waiting for the first item…")
    make_item(webhook)
    expect(page.locator("#requests .tone-good")).to_contain_text("1 item received")


def test_the_page_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Signed requests"))
