"""Five hundred hostile texts, brought in every way there is, are words on every page of the console and no more."""

import csv
import io
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import docx
import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Dialog, Route
from pytest_django.live_server_helper import LiveServer

from feedback_ingest import tasks
from feedback_ingest.models import FeedbackItem
from feedback_ingest.services.tracking import Said, get_or_create_conversation, track_message
from projects.models import Project
from projects.roles import Permission
from review.models import Feedback, GoldenExample, KnowledgeDocument
from review.services.feedback import Verdict, submit_on_conversation
from sources.models import FileImport, Source
from tests.browser import CHROMIUM, signed_in
from tests.factories import Member, make_insight, make_item, make_mention, make_source
from tests.feedback_ingest.test_ingest_api import Sender
from tests.hostile_texts import hostile_texts
from tests.review.factories import make_feedback
from tests.sources.test_file_import import begin, upload
from tests.surface import ADDRESSES, CONSOLE, REVIEW, World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: hostile texts were NOT shown to a browser"),
]
# Downloads, and the way to the sign-in of another product.
NO_PAGES = {"insight_export", "mention_export", "golden_export", "source_import_refused", "source_sign_in"}
CONFESSION = """
window.reports = [];
document.addEventListener("securitypolicyviolation", (event) => window.reports.push(
    `${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
WORDS = """() => [
    document.body.innerText, document.title,
    ...Array.from(document.querySelectorAll("input, textarea"), (each) => each.value),
    ...Array.from(document.querySelectorAll("[title]"), (each) => each.title),
].join("\\n")"""
ALIVE = """() => Array.from(document.querySelectorAll(
    "[onerror], [onload], [onfocus], [onmouseover], [ontoggle], [onbegin], [onloadstart], iframe, object, embed," +
    "base, meta[http-equiv=refresh], math, [hx-get*=evil], [data-hx-get*=evil], [src*=evil]," +
    "[href*=evil]:not([href^='?']), [action*=evil], [formaction*=evil], [href^='javascript:' i]," +
    "[href^='vbscript:' i], [href^='data:' i]:not(link)," +
    "[style*=evil]"
), (each) => each.outerHTML.slice(0, 200))"""


@pytest.fixture(autouse=True)
def quiet(settings: Any, tmp_path: Path) -> Iterator[None]:
    """Keep uploads for themselves, and refusals out of the log."""
    settings.MEDIA_ROOT = tmp_path
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@dataclass
class Bringer:
    """Brings texts into a project in every way there is; remembers the pages that show them."""

    world: World
    owner: Member
    texts: Iterator[str]
    pages: list[str] = field(default_factory=list)
    brought: list[str] = field(default_factory=list)

    @property
    def project(self) -> Project:
        """Where to."""
        return self.world.project

    def take(self, number: int) -> list[str]:
        """Return the next texts."""
        taken = list(islice(self.texts, number))
        self.brought += taken
        return taken

    def shown_at(self, name: str, query: str = "", **ids: Any) -> None:
        """Remember a page."""
        self.pages.append(reverse(name, kwargs={"slug": self.project.slug, **ids}) + query)

    def ingest(self) -> None:
        """Send them through the ingest API: as words, as names, and as replies."""
        sender = Sender(self.project)
        sender.post([{"unique_id": f"body-{n}", "body": text} for n, text in enumerate(self.take(45))])
        self.shown_at("feedback_list", f"?source={sender.source.pk}")
        named = Sender(self.project)
        named.post([{"unique_id": str(n), "body": "Hello.", "author": text} for n, text in enumerate(self.take(45))])
        self.shown_at("feedback_list", f"?source={named.source.pk}")
        replies = [{"unique_id": f"reply-{n}", "body": text, "author": "Jane"} for n, text in enumerate(self.take(45))]
        sender.post([{"unique_id": "thread", "body": "Hello.", "conversation_parts": replies}])
        self.shown_at("feedback_item", pk=FeedbackItem.objects.get(unique_id="thread").pk)

    def import_files(self) -> None:
        """Upload a table and a document, and paste a text."""
        console = Client()
        console.force_login(self.owner.user)
        table = io.StringIO()
        csv.writer(table).writerows(
            [("Ticket", "Comment"), *((f"T-{n}", text) for n, text in enumerate(self.take(45)))]
        )
        begin(console, upload(console, self.owner, table.getvalue()))
        self.read_import()
        document = docx.Document()
        for text in self.take(45):
            document.add_paragraph(text)
        stream = io.BytesIO()
        document.save(stream)
        begin(console, upload(console, self.owner, stream.getvalue(), "notes.docx"))
        self.read_import()
        address = reverse("source_paste", kwargs={"slug": self.project.slug})
        console.post(address, {"text": "\n\n".join(self.take(45)), "name": "Pasted"})
        self.read_import()

    def read_import(self) -> None:
        """Read the newest upload."""
        file_import = FileImport.objects.latest("created_at")
        tasks.import_file(str(file_import.pk))
        self.shown_at("feedback_list", f"?source={file_import.source_id}")
        self.shown_at("source_import", pk=file_import.source_id, import_pk=file_import.pk)

    def track(self) -> None:
        """Say them to an assistant."""
        agent = self.project.tracked_agents.get()
        [name, customer] = self.take(2)
        conversation = get_or_create_conversation(agent, "hostile", is_used=True, name=name, customer_id=customer)[0]
        for number, text in enumerate(self.take(45)):
            track_message(conversation, Said("end_user" if number % 2 else "agent", text, {}, None))
        self.shown_at("conversation_list")
        self.shown_at("conversation_detail", pk=conversation.pk)
        for comment in self.take(10):
            verdict = submit_on_conversation(
                conversation, Verdict("negative", comment=comment), origin=Feedback.Origin.CUSTOMER
            )
            self.shown_at("verdict_detail", uuid=verdict.uuid)

    def judge(self) -> None:
        """Give them as questions, answers and reasons of verdicts."""
        for _ in range(12):
            query, answer, reason = self.take(3)
            verdict = make_feedback(self.owner.user, self.project, reason=reason, query=query, answer=answer)
            self.shown_at("review_item", uuid=verdict.uuid)
            self.shown_at("verdict_detail", uuid=verdict.uuid)
        self.shown_at("review_table")

    def teach(self) -> None:
        """Write them into golden examples and knowledge."""
        for _ in range(10):
            question, answer = self.take(2)
            example = GoldenExample.objects.create(
                project=self.project,
                original_query=question,
                golden_response=answer,
                source_type="manual",
                approval_type="manual",
            )
            self.shown_at("golden_detail", pk=example.pk)
            title, text = self.take(2)
            document = KnowledgeDocument.objects.create(project=self.project, title=title, text=text)
            self.shown_at("knowledge_document", pk=document.pk)

    def name(self) -> None:
        """Call sources and insights by them."""
        for name in self.take(25):
            make_source(self.project, name=name[-110:], purpose=name)
        self.shown_at("source_list")
        sources = list(Source.objects.filter(project=self.project).order_by("-created_at")[:2])
        rest = list(self.texts)
        self.brought += rest
        for number, title in enumerate(rest):
            insight = make_insight(self.project, title=title[-118:], summary=title, area="Export")
            make_mention(insight, make_item(sources[number % 2], body=title, author=title[-60:]))
            if number % 6 == 0:
                self.shown_at("insight_detail", pk=insight.pk)
        self.shown_at("insight_list")
        for source in sources:
            self.shown_at("feedback_list", f"?source={source.pk}")


@pytest.fixture
def bringer(db: None) -> Bringer:
    """All texts brought in."""
    world = World()
    made = Bringer(world, world.holding(*Permission), iter(hostile_texts(500)))
    for bring in (made.ingest, made.import_files, made.track, made.judge, made.teach, made.name):
        bring()
    return made


def every_page(world: World) -> Iterator[str]:
    """Yield the address of each page that the console has."""
    for row in (*CONSOLE, *REVIEW):
        if row.method == "get" and row.name not in NO_PAGES and ADDRESSES.get(row.name, "").startswith("p/"):
            yield world.url(row.name, ADDRESSES[row.name])


def keeper_of(origin: str, left: list[str]) -> Callable[[Route], None]:
    """Let requests to one origin through, and note the others."""

    def route(asked: Route) -> None:
        if asked.request.url.startswith((f"{origin}/", "data:image/")):
            asked.continue_()
        else:
            left.append(asked.request.url)
            asked.abort()

    return route


def flat(text: str) -> str:
    """Return a text as a page shows its spaces."""
    return re.sub(r"\s+", " ", text).strip()


def test_they_are_words_and_nothing_else(browser: Browser, live_server: LiveServer, bringer: Bringer) -> None:
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 1280, "height": 900})
    context.add_init_script(CONFESSION)
    left: list[str] = []
    context.route("**/*", keeper_of(live_server.url, left))
    page = signed_in(context, live_server, bringer.owner)
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    shown, complaints = "", []
    for address in dict.fromkeys([*bringer.pages, *every_page(bringer.world)]):
        answer = page.goto(f"{live_server.url}{address}")
        assert answer
        assert answer.status < 500, address
        shown += flat(page.evaluate(WORDS))
        complaints += [(address, report) for report in page.evaluate("() => window.reports")]
        complaints += [(address, element) for element in page.evaluate(ALIVE)]
    context.close()
    assert complaints == []
    assert dialogs == []
    assert left == []
    assert len(bringer.brought) == 500
    assert [text for text in bringer.brought if flat(text) not in shown] == []
