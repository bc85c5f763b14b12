"""Settings in a real browser: every page on wide and narrow screens, light and dark, and keys that are copied."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from projects import services
from projects.roles import Role
from tests.browser import CHROMIUM, complaints_of, signed_in
from tests.factories import Member, make_member

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: settings were NOT tried in a browser"),
]
PAGES = ("", "members/", "keys/", "mail/", "audit/")


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, owner: Member) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce", permissions=["clipboard-read", "clipboard-write"])
    page = signed_in(context, live_server, owner)
    complaints = complaints_of(page)
    page.goto(f"{live_server.url}/p/{owner.project.slug}/settings/")
    yield page
    assert complaints == []
    context.close()


def test_no_settings_page_is_wider_than_the_screen(page: Page, owner: Member) -> None:
    make_member(owner.project, Role.VIEWER, email=f"{'long' * 12}@example.com")
    services.invite(owner.project, "grace@example.org", Role.EDITOR, actor=owner.user)
    address = page.url
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        for tab in PAGES:
            page.goto(address + tab)
            expect(page.locator("h1")).to_have_count(1)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (tab, width)


def test_a_key_is_made_copied_and_revoked(page: Page) -> None:
    page.get_by_role("link", name="Keys").click()
    page.locator("#project_name").fill("Importer")
    page.locator("section", has=page.locator("#project-title")).get_by_role("button", name="Make one").click()
    expect(page.get_by_role("navigation", name="Settings").get_by_role("link", name="Keys")).to_have_attribute(
        "aria-current", "page"
    )
    issued = page.get_by_role("status").filter(has_text="only time")
    secret = issued.locator("pre").nth(1).inner_text()
    assert re.fullmatch(r"[0-9a-f]{32}", secret)
    issued.get_by_role("button", name="Copy").nth(1).click()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.get_by_role("button", name="Revoke Importer").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("it is refused from now on")).to_be_visible()
    expect(page.get_by_role("button", name="Revoke Importer")).to_have_count(0)


def test_a_member_is_given_a_role_and_removed_by_keyboard(page: Page, owner: Member) -> None:
    member = make_member(owner.project, Role.VIEWER, name="Grace")
    page.get_by_role("link", name="Members").click()
    page.get_by_label("Role of Grace", exact=True).select_option("editor")
    page.get_by_role("button", name="Set the role of Grace").press("Enter")
    expect(page.get_by_label("Role of Grace", exact=True)).to_have_value("editor")
    page.get_by_role("button", name="Remove Grace").press("Enter")
    dialog = page.get_by_role("dialog", name="Remove this member?")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Remove").press("Enter")
    expect(page.get_by_text("Grace is no longer in this project.")).to_be_visible()
    assert not member.user.memberships.exists()


def test_an_invited_person_joins_from_the_link(browser: Browser, live_server: LiveServer, owner: Member) -> None:
    link = services.invite(owner.project, "grace@example.org", Role.VIEWER, actor=owner.user).link
    context = browser.new_context(viewport={"width": 390, "height": 800})
    visitor = context.new_page()
    complaints = complaints_of(visitor)
    visitor.goto(live_server.url + "/" + link.split("/", 3)[3])
    visitor.get_by_label("Your name").fill("Grace")
    visitor.get_by_label("Password").fill("seven unrelated words")
    visitor.get_by_role("button", name="Make my account and join").click()
    visitor.wait_for_url(f"**/p/{owner.project.slug}/insights/")
    assert complaints == []
    context.close()


def test_the_back_office_runs_its_scripts_under_its_own_policy(
    browser: Browser, live_server: LiveServer, owner: Member
) -> None:
    owner.user.is_staff = owner.user.is_superuser = True
    owner.user.save()
    context = browser.new_context()
    page = signed_in(context, live_server, owner)
    complaints = complaints_of(page)
    for path in ("/admin/", "/admin/feedback/project/", "/api/docs/"):
        page.goto(live_server.url + path)
        page.wait_for_load_state("networkidle")
    expect(page.get_by_text("Earshot API").first).to_be_visible()
    assert complaints == []
    context.close()
