"""Connecting an application in a real browser: its sign-in pages on loopback, its history, the first insight."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from insights.pipeline import analyse_project
from projects.models import Project
from sources import rounds
from sources.models import Source
from tests.browser import CHROMIUM, signed_in
from tests.factories import Member
from tests.sources.connectors.provider import TOKEN, Provider, providing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: connecting was NOT tried in a browser"),
]


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as made:
        yield made


@pytest.fixture(params=["with scripts", "without scripts"])
def context(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(reduced_motion="reduce", java_script_enabled=request.param == "with scripts")
    yield made
    made.close()


def opened(context: BrowserContext, live_server: LiveServer, member: Member) -> Page:
    page = signed_in(context, live_server, member)
    page.goto(f"{live_server.url}/p/{member.project.slug}/sources/add/?q=zendesk")
    return page


def read_and_analyse(project: Project) -> None:
    rounds.read_connection(Source.objects.get().pk)
    while analyse_project(project, seconds=None):
        pass


def test_an_application_is_connected_by_signing_in_and_its_history_becomes_an_insight(
    context: BrowserContext, live_server: LiveServer, owner: Member, vendor: Provider, settings: object
) -> None:
    settings.SITE_URL = live_server.url  # type: ignore[attr-defined]
    for row in vendor.add(4):
        row.text = "The export to CSV crashes every time I click it."
    page = opened(context, live_server, owner)
    page.get_by_role("link", name="Connect", exact=True).click()
    page.get_by_label("Subdomain").fill("acme")
    page.get_by_label("Client ID of your app").fill("app")
    page.get_by_label("Client secret of your app").fill("app-secret")
    page.get_by_role("button", name="Sign in at Zendesk").click()
    page.get_by_role("link", name="Allow").click()

    expect(page.get_by_text("Signed in at Zendesk.").last).to_be_visible()
    page.get_by_label("Satisfaction ratings").select_option("no")
    page.get_by_label("Name of the source").fill("Support tickets")
    page.get_by_label("What this source is for").fill("What customers write to support")
    page.get_by_role("button", name="Look at what comes").click()
    expect(page.get_by_text("The first 4 items as they will be read")).to_be_visible()
    expect(page.get_by_role("cell", name="The export to CSV crashes").first).to_be_visible()
    page.get_by_role("button", name="This is right").click()
    page.get_by_role("button", name="Connect Zendesk").click()

    expect(page.get_by_role("heading", name="Support tickets")).to_be_visible()
    expect(page.get_by_text("The first reading begins within a minute")).to_be_visible()
    read_and_analyse(owner.project)
    page.reload()
    expect(page.get_by_label("4 received: show them")).to_be_visible()
    expect(page.get_by_label("4 in insights: show them")).to_be_visible()
    page.goto(f"{live_server.url}/p/{owner.project.slug}/insights/")
    page.locator("a.row-title").first.click()
    expect(page.get_by_text("The export to CSV crashes every time I click it.").first).to_be_visible()
    assert TOKEN not in page.content()
