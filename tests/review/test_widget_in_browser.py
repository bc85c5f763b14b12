"""The feedback buttons on a page of another origin, in a real browser: keys, words, a change of mind, no network."""

from collections.abc import Iterator
from functools import partial
from html import escape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, cast

import pytest
from django.conf import settings
from django.test import Client
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Locator, Page, expect

from projects.models import Project
from review.models import Feedback, FeedbackSpan, Run
from review.services.tokens import mint_token
from review.views.widget import SCRIPT
from tests.browser import CHROMIUM
from tests.factories import Member
from tests.review.factories import make_run

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: the widget was NOT tried in a browser"),
]

ANSWER = "Vous pouvez 👩‍🚀 demander un remboursement. You have 60 days. 三十天是错的。"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A shop</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src {server}; connect-src {server}">
<h1>Help</h1><p id="answer">{answer}</p>
<feedback-buttons feedback-token="{token}" user-id="customer-7" for="answer"></feedback-buttons>
<script type="module" src="{server}/static/{script}"></script></html>"""


def as_it_is(application: Any) -> Any:
    """Leave static files to the product's own middleware."""
    return application


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and writes nothing."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(transactional_db: None) -> Iterator[str]:
    """The product with its static files served as in production, where other origins may load them."""
    thread = LiveServerThread("127.0.0.1", cast(Any, as_it_is))
    thread.start()
    thread.is_ready.wait()
    assert thread.error is None
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[str]:
    """Another site, on a port of its own, whose pages lie in `tmp_path`."""
    handler = partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def run(project: Project) -> Run:
    return make_run(project, output=ANSWER)


@pytest.fixture
def page(browser: Browser, server: str, shop: str, tmp_path: Path, run: Run) -> Iterator[Page]:
    fields = {"server": server, "script": SCRIPT, "answer": escape(ANSWER), "token": mint_token(run)}
    (tmp_path / "help.html").write_text(PAGE.format(**fields), encoding="utf-8")
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{shop}/help.html")
    expect(thumb(page, "Helpful")).to_be_enabled()
    yield page
    # What is under way would meet a database that is being emptied.
    page.wait_for_load_state("networkidle")
    context.close()


def thumb(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def said(page: Page) -> Locator:
    return page.locator("feedback-buttons").get_by_role("status")


def stored() -> Feedback:
    return Feedback.objects.current().get()


def test_an_answer_is_judged_by_keyboard_and_the_verdict_is_there_the_next_time(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(thumb(page, "Helpful")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(said(page)).to_have_text("Your verdict is sent: Not helpful. You can add a comment.")
    expect(thumb(page, "Not helpful")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Tab")
    page.keyboard.type("It is 30 days.")
    page.get_by_role("button", name="Send").press("Enter")
    expect(said(page)).to_have_text("Thank you. Your feedback is sent.")
    expect(thumb(page, "Not helpful")).to_be_focused()
    assert (stored().sentiment, stored().comment, stored().external_user_id) == (
        "negative", "It is 30 days.", "customer-7",
    )  # fmt: skip

    page.reload()
    expect(thumb(page, "Not helpful")).to_have_attribute("aria-pressed", "true")
    expect(thumb(page, "Helpful")).to_have_attribute("aria-pressed", "false")


def test_a_user_may_change_their_mind(page: Page) -> None:
    thumb(page, "Not helpful").click()
    expect(said(page)).to_contain_text("Not helpful")
    thumb(page, "Helpful").click()
    expect(said(page)).to_have_text("Your verdict is sent: Helpful. You can add a comment.")
    expect(thumb(page, "Not helpful")).to_have_attribute("aria-pressed", "false")
    assert stored().sentiment == "positive"
    assert Feedback.objects.count() == 2


def test_escape_closes_the_panel_and_gives_the_focus_back(page: Page) -> None:
    thumb(page, "Helpful").click()
    expect(said(page)).to_contain_text("Your verdict is sent: Helpful.")
    comment = page.get_by_label("What was good? (optional)")
    comment.fill("All of it")
    comment.press("Escape")
    expect(comment).to_be_hidden()
    expect(thumb(page, "Helpful")).to_be_focused()


def test_selected_words_are_sent_with_their_place_in_code_points(page: Page) -> None:
    thumb(page, "Not helpful").click()
    select(page, "60 days")
    page.get_by_role("button", name="Mark “60 days”").click()
    expect(page.get_by_role("button", name="Remove “60 days”")).to_be_focused()
    page.get_by_role("button", name="Send").click()
    expect(said(page)).to_have_text("Thank you. Your feedback is sent.")
    span = FeedbackSpan.objects.get(feedback=stored())
    assert ANSWER[span.start : span.end] == "60 days"


def test_sentences_are_chosen_without_a_mouse(page: Page) -> None:
    thumb(page, "Not helpful").press("Enter")
    page.get_by_text("Choose sentences from a list").press("Enter")
    page.get_by_role("checkbox", name="You have 60 days.").press("Space")
    page.get_by_role("checkbox", name="三十天是错的。").press("Space")
    page.get_by_role("button", name="Remove “You have 60 days.”").press("Enter")
    expect(page.get_by_role("checkbox", name="You have 60 days.")).not_to_be_checked()
    page.get_by_role("button", name="Send").press("Enter")
    expect(said(page)).to_have_text("Thank you. Your feedback is sent.")
    span = FeedbackSpan.objects.get(feedback=stored())
    assert ANSWER[span.start : span.end] == "三十天是错的。"


def test_words_that_the_answer_does_not_have_are_refused_in_words(page: Page) -> None:
    page.evaluate("document.querySelector('feedback-buttons').answer = 'Another answer.'")
    thumb(page, "Not helpful").click()
    page.get_by_text("Choose sentences from a list").click()
    page.get_by_role("checkbox", name="Another answer.").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("The marked words are not in this answer.")
    page.get_by_role("button", name="Remove “Another answer.”").click()
    page.get_by_role("button", name="Send").click()
    expect(said(page)).to_have_text("Thank you. Your feedback is sent.")
    assert not FeedbackSpan.objects.exists()


def test_a_verdict_given_offline_is_kept_said_so_and_sent_when_online(page: Page) -> None:
    page.context.set_offline(True)
    thumb(page, "Not helpful").click()
    expect(said(page)).to_contain_text("You are offline. Your feedback is kept on this device")
    page.get_by_label("What was wrong? (optional)").fill("No signal down here")
    page.get_by_role("button", name="Send").click()
    expect(said(page)).to_contain_text("You are offline.")
    assert not Feedback.objects.exists()

    page.context.set_offline(False)
    expect(said(page)).to_have_text("Thank you. Your feedback is sent.")
    assert (stored().sentiment, stored().comment) == ("negative", "No signal down here")
    assert page.evaluate("localStorage.length") == 0


def test_a_verdict_that_could_not_be_sent_survives_the_page(page: Page) -> None:
    page.route("**/v1/feedback", lambda route: route.abort())
    thumb(page, "Helpful").click()
    expect(said(page)).to_contain_text("The server cannot be reached. Your feedback is kept on this device")
    page.unroute("**/v1/feedback")
    page.reload()
    expect(thumb(page, "Helpful")).to_have_attribute("aria-pressed", "true")
    expect(said(page)).to_have_text("Thank you. Your feedback is sent.")
    assert stored().sentiment == "positive"


def test_a_token_of_somebody_else_judges_nothing(page: Page) -> None:
    page.evaluate("document.querySelector('feedback-buttons').feedbackToken = 'made.up'")
    expect(page.get_by_role("alert")).to_have_text("This answer cannot be judged any more.")
    expect(thumb(page, "Helpful")).to_be_disabled()


def test_a_page_speaks_its_own_language(page: Page) -> None:
    page.evaluate(
        "document.querySelector('feedback-buttons').words = {positive: 'Hilfreich', sent: 'Danke.', send: 'Senden'}"
    )
    thumb(page, "Hilfreich").click()
    page.get_by_role("button", name="Senden").click()
    expect(said(page)).to_have_text("Danke.")


def select(page: Page, words: str) -> None:
    """Select words in the answer as a mouse would."""
    page.evaluate(
        """words => {
            const node = document.querySelector("#answer").firstChild;
            const start = node.data.indexOf(words);
            document.getSelection().setBaseAndExtent(node, start, node, start + words.length);
        }""",
        words,
    )


def test_the_consoles_own_page_lets_members_try_them_under_its_policy(
    browser: Browser, server: str, owner: Member
) -> None:
    make_run(owner.project, output={"reply": ANSWER})
    client = Client()
    client.force_login(owner.user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context = browser.new_context()
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": server}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{server}/p/{owner.project.slug}/review/widget/?theme=dark&look=round")
    thumb(page, "Not helpful").click()
    page.get_by_text("Choose sentences from a list").click()
    page.get_by_role("checkbox", name="You have 60 days.").check()
    page.get_by_role("button", name="Send").click()
    expect(said(page)).to_have_text("Thank you. Your feedback is sent.")
    span = FeedbackSpan.objects.get(feedback=stored())
    assert (stored().original_response or "")[span.start : span.end] == "You have 60 days."
    page.reload()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("Your verdict is removed.")).to_be_visible()
    assert complaints == []
    context.close()
