"""The knowledge pages, and that what is put there reaches the assistant's answers and nobody else's."""

import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from docx import Document

from projects.models import Project
from review.models import KnowledgeDocument
from review.services import knowledge
from review.services.golden import create_example
from tests.factories import Member
from tests.model_server import Asked, CallTool, ModelServer, Reply
from tests.review.factories import make_feedback

FACT = "The blue gate opens with code ZANZIBAR-7741."
QUESTION = "Which code opens the blue gate?"


@pytest.fixture
def console(client: Client, reviewer: Member) -> Client:
    client.force_login(reviewer.user)
    return client


def url(project: Project, *parts: Any) -> str:
    return "/".join(["", "p", project.slug, "golden", "knowledge", *map(str, parts), ""])


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def word_file(*paragraphs: str) -> bytes:
    document = Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    table = document.add_table(rows=2, cols=2)
    for number, cell in enumerate(("Gate", "Code", "Blue", "7741")):
        table.cell(number // 2, number % 2).text = cell
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gates.txt", FACT.encode()),
        ("gates.md", f"# Gates\n\n{FACT}".encode("utf-16")),
        ("gates.docx", word_file("Gates", FACT)),
    ],
)
def test_a_file_becomes_an_article(console: Client, project: Project, name: str, content: bytes) -> None:
    answer = console.post(url(project, "upload"), {"file": SimpleUploadedFile(name, content)}, follow=True)
    document = KnowledgeDocument.objects.get()
    assert answer.redirect_chain[-1][0] == url(project, document.pk)
    assert (document.title, document.kind) == ("gates", "article")
    assert FACT in document.text
    if name.endswith("docx"):
        assert "7741" in document.text.replace(FACT, "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.pdf", b"%PDF-1.7", "Choose a .txt, .md or .docx file."),
        ("a.txt", b"%PDF-1.7", "This is a PDF"),
        ("a.docx", b"not a document", ""),
        ("a.txt", b"x" * 500_001, "at most 500,000 characters"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    console: Client, project: Project, name: str, content: bytes, words: str
) -> None:
    answer = console.post(url(project, "upload"), {"file": SimpleUploadedFile(name, content)})
    assert (answer.status_code, words in text(answer)) == (422, True)
    assert not KnowledgeDocument.objects.exists()


@pytest.mark.django_db
def test_a_document_is_written_found_changed_and_deleted(console: Client, project: Project, stranger: Member) -> None:
    assert "nothing to look up yet" in text(console.get(url(project)))
    knowledge.add_document(stranger.project, actor=stranger.user, title="Foreign", text=FACT)
    incident = {"kind": "incident", "title": "Gate stuck", "text": FACT, "reference": "INC-1", "application": "Gates"}
    made = console.post(url(project, "new"), incident, follow=True)
    assert "INC-1" in text(made)
    for query, there in ((({"q": "zanz"}), True), ({"kind": "incident"}, True), ({"kind": "article"}, False)):
        assert ("Gate stuck" in text(console.get(url(project), query))) is there
    assert "Foreign" not in text(console.get(url(project)))
    document = KnowledgeDocument.objects.get(project=project)
    taken = console.post(url(project, "new"), incident)
    assert (taken.status_code, "Another document has this reference." in text(taken)) == (422, True)
    console.post(url(project, document.pk, "edit"), {**incident, "title": "Gate <stuck>"})
    assert "Gate &lt;stuck&gt;" in console.get(url(project, document.pk)).content.decode()
    console.post(url(project, document.pk, "delete"))
    assert not KnowledgeDocument.objects.filter(project=project).exists()


@pytest.mark.django_db
def test_deleting_a_document_says_which_answers_wait(console: Client, project: Project, reviewer: Member) -> None:
    from review.services.conflicts import cite

    document = knowledge.add_document(project, actor=reviewer.user, title="Gates", text=FACT)
    example = create_example(project, actor=reviewer.user, original_query=QUESTION, golden_response=FACT)
    cite(example, [document], actor=reviewer.user)
    assert QUESTION in text(console.get(url(project, document.pk)))
    answer = console.post(url(project, document.pk, "delete"), follow=True)
    assert "1 golden answers need a re-check" in text(answer)


def answering_from_what_it_finds(asked: Asked) -> Reply:
    """Look the question up; then answer with what the tools told, as a model would."""
    told = [str(message["content"]) for message in asked.messages if message["role"] == "tool"]
    if not told:
        return CallTool((("search_knowledge", {"query": "blue gate code"}), ("recent_incidents", {"days": 7})))
    fact = re.search(r"code (\S+)\.", " ".join(told))
    return f"Use {fact[1]}." if fact else "I do not know."


@pytest.mark.django_db
def test_an_uploaded_fact_reaches_the_suggested_answer_and_no_other_projects_text_does(
    console: Client, project: Project, reviewer: Member, stranger: Member, model: ModelServer
) -> None:
    foreign = "The blue gate of the neighbours opens with code OTHER-0001."
    knowledge.add_document(stranger.project, actor=stranger.user, title="Neighbours' blue gate", text=foreign)
    create_example(stranger.project, actor=stranger.user, original_query=QUESTION, golden_response=foreign)
    feedback = make_feedback(reviewer.user, project, query=QUESTION, answer="I do not know.")
    model.model = answering_from_what_it_finds
    address = f"/feedback/admin/{feedback.uuid}/generate-response"

    before = console.post(address, headers=reviewer.headers).json()
    assert before["generated_response"] == "I do not know."
    console.post(url(project, "upload"), {"file": SimpleUploadedFile("gates.md", FACT.encode())})
    model.requests.clear()
    after = console.post(address, headers=reviewer.headers).json()

    assert after["generated_response"] == "Use ZANZIBAR-7741."
    called = [call for asked in model.requests for each in asked.messages for call in each.get("tool_calls") or []]
    assert after["tool_calls_made"] == len({call["id"] for call in called}) == 2
    assert {call["function"]["name"] for call in called} == {"search_knowledge", "recent_incidents"}
    assert "OTHER-0001" not in model.prompts
    assert "neighbours" not in model.prompts.lower()
