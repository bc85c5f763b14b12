"""Adding sources in a real browser: with scripts, where pages follow what happens, and without."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from feedback_ingest import tasks
from feedback_ingest.models import FeedbackItem
from feedback_ingest.services import ingest_items
from sources import tallies
from sources.items import RawItem
from sources.models import FileImport, Source
from tests.browser import CHROMIUM, complaints_of, signed_in
from tests.factories import Member, make_source

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: sources were NOT tried in a browser"),
]

TABLE = b"Comment,Customer,Plan\nThe export stops after 200 rows,Jane Doe,Team\n,Joe Bloggs,Free\n"


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def opened(context: BrowserContext, live_server: LiveServer, member: Member) -> Page:
    page = signed_in(context, live_server, member)
    page.goto(f"{live_server.url}/p/{member.project.slug}/sources/")
    return page


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, owner: Member) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce")
    page = opened(context, live_server, owner)
    complaints = complaints_of(page)
    yield page
    assert complaints == []
    context.close()


@pytest.fixture
def plain_page(browser: Browser, live_server: LiveServer, owner: Member) -> Iterator[Page]:
    """A page in a browser that runs no scripts."""
    context = browser.new_context(java_script_enabled=False)
    yield opened(context, live_server, owner)
    context.close()


def read_newest_import() -> None:
    tasks.import_file(str(FileImport.objects.latest("created_at").pk))


def choose(page: Page, content: bytes = TABLE, name: str = "tickets.csv") -> None:
    file = {"name": name, "mimeType": "text/csv", "buffer": content}
    page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]


def test_a_file_is_uploaded_previewed_and_read(page: Page) -> None:
    page.get_by_role("link", name="Upload a file").click()
    choose(page)
    expect(page.locator("[data-drop-names]")).to_have_text("tickets.csv (1 kB)")
    page.get_by_role("button", name="Upload and look at it").click()
    expect(page.get_by_text("The feedback is empty.")).to_be_visible()

    page.get_by_label("Plan").focus()
    page.get_by_label("Plan").select_option("Leave out")
    expect(page.get_by_text("Plan: Team")).to_have_count(0)
    expect(page.get_by_label("Plan")).to_be_focused()
    page.get_by_label("Plan").select_option("Author's company")
    expect(page.locator("td", has_text="Jane Doe")).to_contain_text("Team")

    page.get_by_role("button", name="Read 2 rows").click()
    expect(page.get_by_text("You can leave this page")).to_be_visible()
    read_newest_import()
    expect(page.get_by_role("link", name="Insights from this source")).to_be_visible(timeout=10_000)
    expect(page.get_by_role("heading", name="Refused rows")).to_be_visible()
    assert FeedbackItem.objects.get().metadata == {"account": "Team"}


def test_a_file_can_be_dropped(page: Page) -> None:
    page.get_by_role("link", name="Upload a file").click()
    transfer = page.evaluate_handle(
        """() => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(["comment\\nToo slow"], "dropped.csv", {type: "text/csv"}));
            return transfer;
        }"""
    )
    zone = page.locator("[data-drop]")
    zone.dispatch_event("dragover", {"dataTransfer": transfer})
    expect(zone).to_have_attribute("data-over", "")
    zone.dispatch_event("drop", {"dataTransfer": transfer})
    expect(page.locator("[data-drop-names]")).to_contain_text("dropped.csv")
    page.get_by_role("button", name="Upload and look at it").click()
    expect(page.get_by_role("heading", name="dropped.csv")).to_be_visible()


def test_a_file_that_is_too_large_is_not_even_sent(page: Page, settings: Any) -> None:
    settings.UPLOAD_BYTES = 1024 * 1024
    page.get_by_role("link", name="Upload a file").click()
    choose(page, b"x" * (2 * 1024 * 1024))
    page.get_by_role("button", name="Upload and look at it").click()
    message = page.locator("input[type=file]").evaluate("input => input.validationMessage")
    assert message == "At most 1.0 MB can be uploaded at once; this is 2.0 MB."
    expect(page.get_by_role("heading", name="Upload files")).to_be_visible()


def test_pasted_text_is_cut_while_it_is_typed(page: Page) -> None:
    page.get_by_role("link", name="Paste text").click()
    page.get_by_label("Text", exact=True).fill("The export is slow.\n\nI love the calendar.")
    expect(page.locator("#preview")).to_contain_text("2 pieces of feedback")
    page.get_by_label("How it is cut").select_option("All of it is one piece")
    expect(page.locator("#preview")).to_contain_text("1 piece of feedback")
    page.get_by_label("Text", exact=True).press("Control+Enter")
    expect(page.get_by_text("You can leave this page")).to_be_visible()
    read_newest_import()
    expect(page.get_by_role("link", name="Insights from this source")).to_be_visible(timeout=10_000)
    assert FeedbackItem.objects.count() == 1


def test_a_webhook_page_turns_green_when_the_first_item_arrives(page: Page) -> None:
    page.get_by_role("link", name="Connect an application").click()
    page.get_by_role("link", name="Add a webhook").click()
    page.get_by_role("button", name="Add the webhook").click()
    expect(page.get_by_text("Waiting for the first item…")).to_be_visible()
    ingest_items(Source.objects.get(), [RawItem(unique_id="first-1", body="Too slow")])
    expect(page.locator("#status .pill", has_text="Active")).to_be_visible(timeout=10_000)
    expect(page.locator("#status")).to_contain_text("Too slow")


def test_a_source_is_deleted_and_brought_back_by_the_toast(page: Page, owner: Member) -> None:
    make_source(owner.project, name="App reviews")
    page.reload()
    page.get_by_label("Actions for App reviews").click()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_label("Type App reviews to confirm").fill("App reviews")
    page.get_by_role("button", name="Delete the source").click()
    expect(page.get_by_role("heading", name="Deleted")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="App reviews")).to_be_visible()


def test_the_catalogue_narrows_while_typing(page: Page) -> None:
    page.get_by_role("link", name="Connect an application").click()
    page.get_by_placeholder("Search applications").fill("zendesk")
    expect(page.locator("#cards article")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q=zendesk"))


def test_a_file_is_read_without_scripts(plain_page: Page) -> None:
    page = plain_page
    page.get_by_role("link", name="Upload a file").click()
    choose(page)
    page.get_by_role("button", name="Upload and look at it").click()
    page.get_by_label("Plan").select_option("Leave out")
    page.get_by_role("button", name="Update the preview").click()
    expect(page.get_by_text("Plan: Team")).to_have_count(0)
    page.get_by_role("button", name="Read 2 rows").click()
    read_newest_import()
    page.reload()
    expect(page.get_by_role("heading", name="Refused rows")).to_be_visible()


def test_nothing_overflows_on_a_phone(browser: Browser, live_server: LiveServer, owner: Member) -> None:
    tallies.count(make_source(owner.project).pk, {"used": 1_116_881, "set_aside": 133_019, "waiting": 100_000})
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = opened(context, live_server, owner)

    def fits() -> bool:
        return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))

    assert fits()
    page.goto(f"{live_server.url}/p/{owner.project.slug}/sources/add/")
    assert fits()
    page.get_by_role("link", name="Upload a file").click()
    assert fits()
    choose(page, TABLE.replace(b"200 rows", b"rows " * 100))
    page.get_by_role("button", name="Upload and look at it").click()
    expect(page.get_by_text("The feedback is empty.")).to_be_visible()
    assert fits()
    page.get_by_role("button", name="Read 2 rows").click()
    read_newest_import()
    page.reload()
    assert fits()
    page.get_by_role("link", name="The source").click()
    assert fits()
    context.close()
