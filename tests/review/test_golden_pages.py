"""The golden pages: lists and their filters, one example, conflicts side by side, files, and runs of checks."""

import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects.models import Project
from review.models import GoldenCheckResult, GoldenCheckRun, GoldenExample, GoldenImport
from review.services import knowledge, transitions
from review.services.conflicts import cite
from review.services.golden import create_example, update_example
from tests.factories import Member
from tests.review.factories import make_feedback

RESET, RESET_TWIN = "How do I reset my password?", "How can I reset my password?"
EXPORT, REFUND = "Can I export my report as PDF?", "How long does a refund take?"


def make_example(member: Member, query: str = RESET, answer: str = "By mail.", **fields: Any) -> GoldenExample:
    return create_example(member.project, actor=member.user, original_query=query, golden_response=answer, **fields)


@pytest.fixture
def console(client: Client, reviewer: Member) -> Client:
    client.force_login(reviewer.user)
    return client


def url(project: Project, *parts: Any) -> str:
    return "/".join(["", "p", project.slug, "golden", *map(str, parts), ""])


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def titles(answer: Any) -> list[str]:
    return re.findall(r'class="row-title[^"]*"[^>]*data-open>([^<]*)<', answer.content.decode())


def filled(example: GoldenExample, *checks: tuple[str, str], **fields: Any) -> dict[str, Any]:
    """Return the detail page's form as a browser sends it."""
    rows: dict[str, Any] = {"checks-TOTAL_FORMS": len(checks), "checks-INITIAL_FORMS": 0}
    for number, (kind, value) in enumerate(checks):
        rows |= {f"checks-{number}-kind": kind, f"checks-{number}-value": value}
    own = {
        "original_query": example.original_query,
        "golden_response": example.golden_response,
        "version": example.version,
    }
    return {**own, **rows, **fields}


@pytest.mark.django_db
def test_the_list_shows_the_newest_first_and_is_narrowed_by_each_filter(
    console: Client, project: Project, reviewer: Member, stranger: Member
) -> None:
    make_example(stranger, "Foreign?")
    one, two = make_example(reviewer, EXPORT), make_example(reviewer, RESET, split="evaluation")
    update_example(one, actor=reviewer.user, is_active=False)
    make_feedback(reviewer.user, project, "positive", query=REFUND, answer="14 days.")
    assert titles(console.get(url(project))) == [REFUND, RESET, EXPORT]
    for query, expected in (
        ({"source_type": "positive"}, [REFUND]),
        ({"approval_type": "manual"}, [RESET, EXPORT]),
        ({"split": "evaluation"}, [RESET]),
        ({"is_active": "False"}, [EXPORT]),
        ({"attention": "conflict"}, []),
        ({"owner": str(reviewer.user.pk)}, [RESET, EXPORT]),
        ({"q": "passw"}, [RESET]),
        ({"q": "mail", "split": "few_shot"}, [EXPORT]),
    ):
        assert titles(console.get(url(project), query)) == expected, query
    assert two.split == "evaluation"


@pytest.mark.django_db
def test_pages_follow_each_other_without_a_gap(console: Client, project: Project, reviewer: Member) -> None:
    GoldenExample.objects.bulk_create(
        GoldenExample(
            project=project, original_query=f"Q{number:03}", golden_response="A", source_type="manual",
            approval_type="manual", split="few_shot", query_hash=b"",
            created_at=timezone.now() - timedelta(hours=number),
        )
        for number in range(120)
    )  # fmt: skip
    seen, address = [], url(project)
    while address:
        answer = console.get(address)
        seen += titles(answer)
        following = answer.context["page"].next_url
        address = url(project) + following if following else ""
    assert seen == [f"Q{number:03}" for number in range(120)]
    back = console.get(url(project) + answer.context["page"].previous_url)
    assert titles(back) == [f"Q{number:03}" for number in range(50, 100)]
    assert titles(console.get(url(project), {"after": "nonsense"}))[0] == "Q000"


@pytest.mark.django_db
def test_an_empty_list_says_what_would_fill_it_and_an_empty_filter_which_to_drop(
    console: Client, project: Project, reviewer: Member
) -> None:
    assert "No golden examples yet." in text(console.get(url(project)))
    make_example(reviewer)
    answer = text(console.get(url(project), {"q": "nothing", "split": "evaluation"}))
    assert "No golden example matches Used: Evaluation and Words: nothing ." in answer
    assert "Some filters in the address are not known" in text(console.get(url(project), {"split": "x"}))


@pytest.mark.django_db
def test_the_list_takes_as_many_queries_for_many_rows_as_for_one(
    console: Client, project: Project, reviewer: Member
) -> None:
    make_example(reviewer)
    console.get(url(project))
    with CaptureQueriesContext(connection) as one:
        console.get(url(project))
    for query in (EXPORT, REFUND, "Where is the canteen?"):
        make_example(reviewer, query)
    with CaptureQueriesContext(connection) as many:
        console.get(url(project))
    assert len(many) == len(one)


@pytest.mark.django_db
def test_an_edit_is_a_version_with_its_words_compared(console: Client, project: Project, reviewer: Member) -> None:
    example = make_example(reviewer, answer="The link works for one hour.")
    sent = filled(example, ("contains", "hours"), ("", ""), golden_response="The link works for 24 hours.")
    answer = console.post(url(project, example.pk, "change"), sent, follow=True)
    assert "Saved as version 2." in text(answer)
    page = answer.content.decode()
    assert "<del>one</del>" in page
    assert "<ins>24</ins>" in page
    stored = GoldenExample.objects.get()
    assert stored.golden_response == "The link works for 24 hours."
    assert stored.checks == [{"kind": "contains", "text": "hours", "case_sensitive": False}]


@pytest.mark.django_db
def test_what_cannot_be_saved_says_why_and_keeps_what_was_typed(
    console: Client, project: Project, reviewer: Member
) -> None:
    example = make_example(reviewer)
    address = url(project, example.pk, "change")
    for sent, words in (
        (filled(example, golden_response=" "), "A golden example needs an answer."),
        (filled(example, ("regex", "(unclosed")), "this is not a regular expression"),
        (filled(example, ("json_schema", "{broken")), "Check 1"),
        (filled(example, version=7), "Somebody else has changed this example meanwhile."),
    ):
        answer = console.post(address, sent)
        assert (answer.status_code, words in text(answer)) == (422, True), words
    assert "(unclosed" in console.post(address, filled(example, ("regex", "(unclosed"))).content.decode()
    assert GoldenExample.objects.get().version == 1


@pytest.mark.django_db
def test_an_example_is_switched_moved_looked_after_and_deleted(
    console: Client, project: Project, reviewer: Member
) -> None:
    example, twin = make_example(reviewer), make_example(reviewer, RESET_TWIN)
    console.post(url(project, example.pk, "switch"), {"active": "false"})
    assert not GoldenExample.objects.get(pk=example.pk).is_active
    console.post(url(project, example.pk, "switch") + "?active=true")
    assert GoldenExample.objects.get(pk=example.pk).is_active
    assert "2 now in tests." in text(console.post(url(project, example.pk, "move"), follow=True))
    assert set(GoldenExample.objects.values_list("split", flat=True)) == {"evaluation"}
    console.post(url(project, example.pk, "tend"), {"owner": "", "expires_at": "2020-01-01T10:00"})
    tended = GoldenExample.objects.get(pk=example.pk)
    assert (tended.owner, tended.expires_at is not None) == (None, True)
    assert "Expired" in text(console.get(url(project, example.pk)))
    console.post(url(project, example.pk, "delete"))
    assert list(GoldenExample.objects.all()) == [twin]


@pytest.mark.django_db
def test_the_detail_page_shows_provenance_twins_documents_and_results(
    console: Client, project: Project, reviewer: Member
) -> None:
    feedback = make_feedback(reviewer.user, project, "positive", query=RESET, answer="By mail.")
    example = GoldenExample.objects.get()
    twin = make_example(reviewer, RESET_TWIN, "Ask your administrator.")
    document = knowledge.add_document(project, actor=reviewer.user, title="Sign-in guide", text="By mail.")
    cite(example, [document], actor=reviewer.user)
    knowledge.change_document(document, actor=reviewer.user, text="By telephone.")
    run = GoldenCheckRun.objects.create(project=project, target="http://x", split="evaluation", questions=1)
    GoldenCheckResult.objects.create(
        project=project, run=run, example=example, version=1, outcome="failed", milliseconds=1
    )
    page = console.get(url(project, example.pk))
    assert f"/review/{feedback.uuid}/" in page.content.decode()
    assert url(project, twin.pk) in page.content.decode()
    for words in ("answers differently", "Sign-in guide", "changed since", "Neither is used", "Failed"):
        assert words in text(page)


@pytest.mark.django_db
def test_a_viewer_reads_and_is_offered_nothing_to_change(client: Client, reviewer: Member, viewer: Member) -> None:
    example = make_example(reviewer)
    make_example(reviewer, RESET_TWIN, "Ask your administrator.")
    client.force_login(viewer.user)
    for parts in ((), (example.pk,), ("conflicts",), ("knowledge",), ("checks",)):
        page = client.get(url(viewer.project, *parts))
        assert page.status_code == 200
        main = page.content.decode().split('id="content"')[1].split('id="toasts"')[0]
        assert 'method="post"' not in main, parts
    assert client.get(url(viewer.project, "export")).status_code == 403


@pytest.mark.django_db
def test_an_example_is_written_by_hand(console: Client, project: Project, reviewer: Member) -> None:
    blank = GoldenExample(original_query=RESET, golden_response="By mail.")
    sent = filled(blank, ("similarity", "0.9"), split="evaluation", version="")
    answer = console.post(url(project, "new"), sent, follow=True)
    made = GoldenExample.objects.get()
    assert answer.redirect_chain[-1][0] == url(project, made.pk)
    assert (made.split, made.checks, made.owner) == (
        "evaluation",
        [{"kind": "similarity", "floor": 0.9}],
        reviewer.user,
    )
    assert console.post(url(project, "new"), {}).status_code == 422


@pytest.mark.django_db
def test_a_conflict_is_settled_side_by_side(console: Client, project: Project, reviewer: Member) -> None:
    first = make_example(reviewer, answer="The link works for one hour.")
    twin = make_example(reviewer, RESET_TWIN, "The link works for 24 hours.")
    page = console.get(url(project, "conflicts"))
    assert "<del>one</del>" in page.content.decode()
    assert "Needs a look 2" in text(page)
    console.post(url(project, twin.pk, "settle"), {"keep": "all"})
    assert "Nothing contradicts anything." in text(console.get(url(project, "conflicts")))
    update_example(twin, actor=reviewer.user, golden_response="The link works for 48 hours.")
    answer = console.post(url(project, twin.pk, "settle"), {"keep": "one"}, follow=True)
    assert "Kept. 1 switched off." in text(answer)
    assert list(GoldenExample.objects.filter(is_active=True)) == [twin]
    assert not GoldenExample.objects.get(pk=first.pk).is_active


@pytest.mark.django_db
def test_a_stale_answer_is_found_right(console: Client, project: Project, reviewer: Member) -> None:
    example = make_example(reviewer)
    document = knowledge.add_document(project, actor=reviewer.user, title="Guide", text="By mail.")
    console.post(url(project, example.pk, "cite"), {"documents": [str(document.pk)]})
    knowledge.change_document(document, actor=reviewer.user, text="By telephone.")
    assert "Rest on documents that changed" in text(console.get(url(project, "conflicts")))
    console.post(url(project, example.pk, "settle"), {"keep": "still_right"})
    assert GoldenExample.objects.get().attention == ""


@pytest.mark.django_db
def test_a_file_is_looked_at_and_then_imported(console: Client, project: Project) -> None:
    content = "\n".join(
        [json.dumps({"item": {"question": RESET, "ideal": "<b>By mail.</b>"}}), "{broken", json.dumps({"item": {}})]
    )
    file = SimpleUploadedFile("evals.jsonl", content.encode())
    answer = console.post(url(project, "import"), {"file": file, "split": "evaluation"}, follow=True)
    assert "1 row to import, 0 here already, 2 refused." in text(answer)
    assert "&lt;b&gt;By mail.&lt;/b&gt;" in answer.content.decode()
    staged = GoldenImport.objects.get()
    assert "1 golden example imported." in text(console.post(url(project, "import", staged.pk, "run"), follow=True))
    assert GoldenExample.objects.get().split == "evaluation"
    refused = console.post(
        url(project, "import"), {"file": SimpleUploadedFile("x.pdf", b"%PDF"), "split": "evaluation"}
    )
    assert (refused.status_code, "This is a PDF" in text(refused)) == (422, True)


@pytest.mark.django_db
def test_an_import_is_its_projects_alone_and_may_be_dropped(
    console: Client, client: Client, project: Project, stranger: Member
) -> None:
    foreign = GoldenImport.objects.create(project=stranger.project, filename="x.jsonl")
    assert console.get(url(project, "import", foreign.pk)).status_code == 404
    own = GoldenImport.objects.create(project=project, filename="x.jsonl")
    console.post(url(project, "import", own.pk, "discard"))
    assert list(GoldenImport.objects.all()) == [foreign]


@pytest.mark.django_db
def test_an_export_warns_before_questions_of_the_tests_leave(
    console: Client, project: Project, reviewer: Member
) -> None:
    make_example(reviewer, split="evaluation")
    make_example(reviewer, EXPORT)
    asked = {"form": "chat", "split": "evaluation", "system": ""}
    warned = console.get(url(project, "export"), asked)
    assert (warned.status_code, "passes them by heart" in text(warned)) == (422, True)
    sent: Any = console.get(url(project, "export"), {**asked, "accept_leak": "on"})
    assert RESET in b"".join(sent.streaming_content).decode()
    sent = console.get(url(project, "export"), {**asked, "split": "few_shot"})
    content = io.BytesIO(b"".join(sent.streaming_content)).read().decode()
    assert sent["Content-Disposition"] == f'attachment; filename="{project.slug}-golden-chat.jsonl"'
    assert EXPORT in content
    assert RESET not in content


@pytest.mark.django_db
def test_runs_of_checks_are_listed_with_what_was_answered(
    console: Client, project: Project, reviewer: Member, stranger: Member
) -> None:
    assert "No run yet." in text(console.get(url(project, "checks")))
    example = make_example(reviewer, split="evaluation")
    run = GoldenCheckRun.objects.create(
        project=project, target="http://api.example.com/v1", split="evaluation", questions=2, passed=1, failed=1,
        finished_at=timezone.now(),
    )  # fmt: skip
    GoldenCheckResult.objects.create(
        project=project, run=run, example=example, version=1, outcome="failed", answer="<script>no</script>",
        findings=[{"kind": "contains", "problem": "“mail” is not in the answer."}], milliseconds=12,
    )  # fmt: skip
    assert "1 of 2 passed" in text(console.get(url(project, "checks")))
    page = console.get(url(project, "checks", run.pk))
    assert "“mail” is not in the answer." in text(page)
    assert "&lt;script&gt;no" in page.content.decode()
    assert "No result of this kind" in text(console.get(url(project, "checks", run.pk), {"outcome": "passed"}))
    foreign = GoldenCheckRun.objects.create(project=stranger.project, target="x", split="evaluation", questions=0)
    assert console.get(url(project, "checks", foreign.pk)).status_code == 404


@pytest.mark.django_db
def test_deleting_the_feedback_takes_its_example_from_the_pages(
    console: Client, project: Project, reviewer: Member
) -> None:
    feedback = make_feedback(reviewer.user, project, "positive", query=RESET, answer="By mail.")
    example = GoldenExample.objects.get()
    transitions.delete_feedback(feedback, actor=reviewer.user)
    assert console.get(url(project, example.pk)).status_code == 404
    assert titles(console.get(url(project))) == []
