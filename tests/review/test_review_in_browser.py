"""The review queue in a real browser: ten verdicts by keyboard alone, suggestions as they come, and without scripts."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from projects.roles import Role
from review.models import Feedback, GoldenExample, ReviewDraft
from review.services.feedback import Verdict, submit_on_run
from review.services.spans import Span
from tests.browser import CHROMIUM, complaints_of, signed_in
from tests.factories import Member, make_member
from tests.model_server import Asked, CallTool, Fault, ModelServer, Reply, Trouble
from tests.review.factories import make_feedback, make_run

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: the queue was NOT tried in a browser"),
]


@pytest.fixture
def verdicts(owner: Member) -> list[Feedback]:
    """Ten thumbs-down, the newest first."""
    made = [make_feedback(owner.user, owner.project, query=f"Question {n}?", answer=f"Answer {n}.") for n in range(10)]
    for age, feedback in enumerate(made):
        Feedback.objects.filter(pk=feedback.pk).update(created_at=timezone.now() - timedelta(hours=age + 1))
    return made


def queue_of(live_server: LiveServer, member: Member) -> str:
    return f"{live_server.url}/p/{member.project.slug}/review/"


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, owner: Member, verdicts: list[Feedback]) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 900})
    page = signed_in(context, live_server, owner)
    complaints = complaints_of(page)
    page.goto(queue_of(live_server, owner))
    yield page
    assert complaints == []
    context.close()


def in_view(page: Page, number: int) -> None:
    """Wait until a verdict is the one in the middle, and its page listens to keys."""
    expect(page.get_by_role("region", name="Question")).to_contain_text(f"Question {number}?")
    page.wait_for_load_state("load")


def version(page: Page, name: str) -> Locator:
    """Return the tab of a version of the answer."""
    return page.locator(".seg-radio label", has_text=name)


def test_ten_verdicts_are_reviewed_by_the_keyboard_alone(page: Page, owner: Member) -> None:
    in_view(page, 0)
    page.keyboard.press("y")
    in_view(page, 1)
    page.keyboard.press("e")
    expect(page.get_by_label("The right answer")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("It depends.")
    page.keyboard.press("Control+Enter")
    in_view(page, 2)
    page.keyboard.press("3")
    page.keyboard.press("d")
    in_view(page, 3)
    page.keyboard.press("h")
    in_view(page, 4)
    page.keyboard.press("z")
    in_view(page, 3)
    page.keyboard.press("ArrowRight")
    in_view(page, 4)
    page.keyboard.press("ArrowLeft")
    in_view(page, 3)
    for number in range(3, 9):
        in_view(page, number)
        page.keyboard.press("d" if number % 2 else "y")
    in_view(page, 9)
    page.keyboard.press("d")
    expect(page.get_by_text("Queue clear. 10 reviewed this week, 5 goldens added.")).to_be_visible()
    page.keyboard.press("z")
    in_view(page, 9)
    page.keyboard.press("y")
    expect(page.get_by_text("Queue clear.")).to_be_visible()
    assert not Feedback.objects.filter(status="pending").exists()
    assert Feedback.objects.get(original_query="Question 2?").dismissal_reason == "Not about the answer"
    assert GoldenExample.objects.get(original_query="Question 1?").golden_response == "It depends."


def test_keys_rest_while_somebody_types_and_help_lists_them(page: Page) -> None:
    in_view(page, 0)
    page.keyboard.press("e")
    page.keyboard.type("dyh")
    page.keyboard.press("Escape")
    in_view(page, 0)
    assert "dyh" in page.get_by_label("The right answer").input_value()
    page.keyboard.press("?")
    shortcuts = page.get_by_role("dialog", name="Keyboard shortcuts")
    for words in ("Good as is", "Edit the answer", "Dismiss", "Reason: Out of scope", "Next verdict"):
        expect(shortcuts.get_by_text(words, exact=True)).to_be_visible()


def test_arrows_go_from_field_to_field_and_leave_choices_to_the_browser(page: Page) -> None:
    in_view(page, 0)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Good as is")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("The right answer")).to_be_focused()
    page.get_by_label("The question was unclear").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("The answer is fine")).to_be_checked()
    in_view(page, 0)


def test_what_is_typed_is_kept_and_previewed(page: Page) -> None:
    in_view(page, 0)
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("Answer zero.")
    expect(page.locator("#draft-state")).to_have_text("Draft saved")
    expect(page.locator("#preview ins")).to_have_text("zero")
    page.reload()
    expect(page.get_by_label("The right answer")).to_have_value("Answer zero.")


def looks_up_first(asked: Asked) -> Reply:
    if any(message["role"] == "tool" for message in asked.messages):
        return "It depends on the severity."
    return CallTool((("search_knowledge", {"query": "resolution"}),))


def test_a_suggestion_arrives_in_steps_and_is_used_by_a_key(page: Page, model: ModelServer) -> None:
    page.reload()
    in_view(page, 0)
    model.model = looks_up_first
    page.keyboard.press("i")
    suggestion = page.locator("[data-suggestion]")
    expect(suggestion).to_contain_text("Looked up: search knowledge")
    expect(suggestion.locator("[data-words]")).to_have_text("It depends on the severity.")
    expect(suggestion.locator("[data-took]")).to_contain_text("1 look-up")
    assert ReviewDraft.objects.get().suggestion == "It depends on the severity."
    assert not GoldenExample.objects.exists()
    page.keyboard.press("u")
    expect(page.get_by_label("The right answer")).to_have_value("It depends on the severity.")
    page.keyboard.press("Control+Enter")
    in_view(page, 1)
    assert GoldenExample.objects.get().golden_response == "It depends on the severity."


def test_a_suggestion_that_fails_leaves_a_line_to_try_again(page: Page, model: ModelServer) -> None:
    page.reload()
    in_view(page, 0)
    model.fail(Trouble(Fault.SERVER_ERROR))
    page.keyboard.press("i")
    expect(page.locator("[data-failure]")).to_have_text("The model cannot be reached.")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-words]")).to_have_text("An answer.")
    expect(page.locator("[data-failed]")).to_be_hidden()


def test_without_a_model_the_missing_setting_is_named(page: Page) -> None:
    version(page, "Suggestion").click()
    expect(page.get_by_text("Set OPENAI_API_KEY")).to_be_visible()
    expect(page.get_by_role("button", name="Suggest")).to_be_disabled()


def test_two_reviewers_are_kept_apart_until_one_leaves(
    page: Page, browser: Browser, live_server: LiveServer, owner: Member
) -> None:
    in_view(page, 0)
    expect(page.locator("#hold[hx-trigger='every 60s']")).to_be_attached()
    context = browser.new_context()
    other = signed_in(context, live_server, make_member(owner.project, Role.REVIEWER))
    other.goto(queue_of(live_server, owner))
    in_view(other, 1)
    other.goto(page.locator("ol a[data-open]").first.evaluate("link => link.href"))
    expect(other.get_by_text(f"{owner.user} has this open")).to_be_visible()
    expect(other.get_by_role("button", name="Good as is")).to_have_count(0)
    page.goto(f"{live_server.url}/p/{owner.project.slug}/review/statistics/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Review statistics")
    other.reload()
    expect(other.get_by_role("button", name="Good as is")).to_be_visible()
    context.close()


def test_selected_words_are_lit(page: Page, owner: Member, live_server: LiveServer) -> None:
    run = make_run(owner.project, output="Two hours 😀 on average.", answer="Two hours 😀 on average.")
    feedback = submit_on_run(run, Verdict("negative", spans=[Span(4, 11, "hours 😀", "wrong")]), external_user_id="a")
    page.goto(f"{queue_of(live_server, owner)}{feedback.uuid}/")
    expect(page.locator("mark.lit")).to_have_text("hours 😀")


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_its_window(page: Page, live_server: LiveServer, owner: Member, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    for path in ("", "table/", "statistics/", "guidelines/", "settings/", "filters/", "?show=done"):
        page.goto(queue_of(live_server, owner) + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_all_of_it_works_without_scripts(
    browser: Browser, live_server: LiveServer, owner: Member, verdicts: list[Feedback], model: ModelServer
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = signed_in(context, live_server, owner)
    page.goto(queue_of(live_server, owner))
    version(page, "Suggestion").click()
    page.get_by_role("button", name="Suggest").click()
    version(page, "Suggestion").click()
    expect(page.locator("[data-words] ins").first).to_have_text("An")
    page.get_by_role("button", name="Use suggestion").click()
    expect(page.get_by_label("The right answer")).to_have_value("An answer.")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Becomes a golden example")).to_be_visible()
    page.get_by_role("link", name="Back", exact=True).click()
    page.get_by_role("button", name="Save and next").click()
    expect(page.get_by_text("Saved as a golden example.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: it waits again.")).to_be_visible()
    page.get_by_label("Out of scope").check()
    page.get_by_role("button", name="Dismiss", exact=False).first.click()
    expect(page.get_by_text("Question 1?").first).to_be_visible()
    context.close()


def test_what_is_selected_becomes_tests(page: Page) -> None:
    in_view(page, 0)
    page.keyboard.press("e")
    page.get_by_label("The right answer").fill("It depends on the severity.")
    page.get_by_text("Make tests of it").click()
    page.get_by_label("The right answer").evaluate("field => field.setSelectionRange(18, 26)")
    page.locator("[data-answer]").evaluate("answer => getSelection().selectAllChildren(answer)")
    page.get_by_role("button", name="From what is selected").click()
    expect(page.get_by_label("Later answers must say")).to_have_value("severity")
    expect(page.get_by_label("and must not say")).to_have_value("Answer 0.")
    page.get_by_role("button", name="Save and next").click()
    expect(page.get_by_text("Saved as a golden example with 2 tests.")).to_be_visible()
    in_view(page, 1)
