"""The console in a real browser, under the product's own security policy, and with scripts switched off."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser import CHROMIUM, complaints_of, signed_in
from tests.factories import Member

pytestmark = [
    pytest.mark.browser,
    pytest.mark.urls("tests.projects.test_console_components"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: the console was NOT tried in a browser"),
]


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, owner: Member) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce")
    page = signed_in(context, live_server, owner)
    complaints = complaints_of(page)
    page.goto(f"{live_server.url}/p/{owner.project.slug}/insights/?toast=1")
    yield page
    assert complaints == []
    context.close()


def test_a_list_is_walked_and_selected_by_keys(page: Page) -> None:
    rows = page.locator("[data-open]")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(page.locator("[data-selected-count]")).to_have_text("3")
    expect(page.locator(".selection-bar")).to_be_visible()
    page.keyboard.press("k")
    expect(rows.nth(2)).to_be_focused()


def test_keys_pressed_while_the_page_still_loads_are_not_lost(page: Page) -> None:
    held: list[Route] = []
    script = re.compile(r"/keyboard[^/]*\.js")
    page.route(script, lambda route: held.append(route))
    with page.expect_request(script):
        page.goto(page.url, wait_until="commit")
    rows = page.locator("[data-open]")
    expect(rows.nth(1)).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(1)).not_to_be_focused()
    held[0].continue_()
    expect(rows.nth(1)).to_be_focused()


def test_g_and_a_letter_go_to_a_section(page: Page) -> None:
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/sources/")


def test_shortcuts_rest_while_typing_and_escape_ends_it(page: Page) -> None:
    page.keyboard.press("/")
    search = page.locator("[data-search]")
    expect(search).to_be_focused()
    page.keyboard.type("g s?")
    expect(search).to_have_value("g s?")
    page.keyboard.press("Escape")
    expect(search).not_to_be_focused()


def test_shortcuts_leave_the_browsers_own_alone(page: Page) -> None:
    page.keyboard.press("Control+j")
    page.keyboard.press("Alt+j")
    assert page.evaluate("document.activeElement === document.body")


def test_a_question_mark_lists_the_keys_of_this_page_and_focus_comes_back(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("?")
    dialog = page.locator("#shortcuts")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Insights")
    expect(dialog).to_contain_text("Next and previous row")
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(page.locator("[data-open]").first).to_be_focused()


def test_the_command_menu_finds_a_page_by_a_part_of_its_name(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("sour")
    expect(page.locator("#commands-list [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sources/")


def test_a_dangerous_button_waits_for_the_typed_name(page: Page) -> None:
    page.locator("aside [popovertarget=delete-source]").click()
    dialog = page.locator("#delete-source")
    expect(dialog).to_be_visible()
    typed = dialog.locator("input[name=confirmation]")
    typed.fill("App review")
    assert not typed.evaluate("input => input.checkValidity()")
    typed.fill("App reviews")
    assert typed.evaluate("input => input.checkValidity()")
    page.keyboard.press("Escape")
    expect(page.locator("aside [popovertarget=delete-source]")).to_be_focused()


def test_toasts_leave_after_ten_seconds_but_problems_stay(
    browser: Browser, live_server: LiveServer, owner: Member
) -> None:
    context = browser.new_context()
    page = signed_in(context, live_server, owner)
    page.clock.install()
    page.goto(f"{live_server.url}/styleguide/?toast=1")
    expect(page.locator("[data-toast]")).to_have_count(2)
    page.clock.run_for(9_000)
    expect(page.locator("[data-toast]")).to_have_count(2)
    page.clock.run_for(1_500)
    expect(page.locator("[data-toast]")).to_have_text(re.compile("could not be sent"))
    context.close()


def test_the_theme_changes_at_once_and_is_remembered(page: Page, owner: Member) -> None:
    page.locator(".rail-foot summary").click()
    with page.expect_response("**/preferences/"):
        page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "earshot-dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "earshot-dark")


@pytest.mark.parametrize("width", [390, 800, 1280])
def test_no_width_makes_the_page_scroll_sideways(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_on_a_telephone_every_section_is_reached_by_keyboard(
    browser: Browser, live_server: LiveServer, owner: Member
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = signed_in(context, live_server, owner)
    page.goto(f"{live_server.url}/p/{owner.project.slug}/insights/")
    sources = page.get_by_role("navigation", name="Sections").get_by_role("link", name="Sources")
    sources.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/sources/")
    context.close()


def test_without_scripts_menus_dialogs_and_preferences_still_work(
    browser: Browser, live_server: LiveServer, owner: Member
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = signed_in(context, live_server, owner)
    page.goto(f"{live_server.url}/styleguide/")
    page.locator("aside [popovertarget=delete-source]").click()
    expect(page.locator("#delete-source")).to_be_visible()
    page.locator("#delete-source").get_by_role("button", name="Cancel").click()
    expect(page.locator("#delete-source")).not_to_be_visible()
    page.locator(".rail-foot summary").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "earshot-dark")
    context.close()
