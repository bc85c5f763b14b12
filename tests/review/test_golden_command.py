"""`manage.py golden run`: whom it asks what, how it grades, what it writes, and its exit status."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.core.management import CommandError, call_command

from review.checks.asking import Target
from review.models import GoldenCheckResult, GoldenCheckRun, GoldenExample
from review.services import check_runs
from review.services.check_runs import questions_of
from review.services.golden import create_example
from tests.factories import Member, make_project
from tests.model_server import Asked, Fault, model_server

REFUND, RESET, EXPORT = "How long does a refund take?", "How do I reset my password?", "Can I export as PDF?"
ANSWERS = {REFUND: "A refund takes 14 days.", RESET: "Ask the canteen.", EXPORT: "Yes, you can | <b>really</b>."}


def make_example(member: Member, query: str, answer: str, split: str = "evaluation", **fields: Any) -> GoldenExample:
    return create_example(
        member.project, actor=member.user, original_query=query, golden_response=answer, split=split, **fields
    )


def answers(asked: Asked) -> str:
    return ANSWERS[asked.user]


def run(target: str, *options: str) -> tuple[int, str]:
    """Run the command; return its exit status and what it said."""
    said = StringIO()
    try:
        call_command("golden", "run", "--target", target, *options, stdout=said, stderr=said)
    except SystemExit as error:
        return int(str(error.code)), said.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, said.getvalue()


@pytest.mark.django_db
def test_every_question_of_the_tests_is_asked_graded_and_kept(reviewer: Member, tmp_path: Path) -> None:
    refund = make_example(reviewer, REFUND, "Refunds take 14 days.", checks=[{"kind": "contains", "text": "14 days"}])
    reset = make_example(reviewer, RESET, "Choose Forgot password.", checks=[{"kind": "contains", "text": "password"}])
    make_example(reviewer, EXPORT, "Yes.", split="few_shot")
    junit, markdown = tmp_path / "junit.xml", tmp_path / "report.md"

    with model_server(answers) as server:
        status, said = run(
            server.url, "--project", reviewer.project.slug, "--key", "secret-key", "--model", "small",
            "--junit", str(junit), "--markdown", str(markdown),
        )  # fmt: skip

    assert status == 1
    assert "1 of 2 passed, 1 failed, 0 without an answer." in said
    assert {asked.user for asked in server.requests} == {REFUND, RESET}
    assert {asked.path for asked in server.requests} == {"/v1/chat/completions"}
    assert {(asked.headers["authorization"], asked.body["model"]) for asked in server.requests} == {
        ("Bearer secret-key", "small")
    }
    stored = GoldenCheckRun.objects.get()
    assert (stored.questions, stored.passed, stored.failed, stored.errors) == (2, 1, 1, 0)
    assert (stored.target, stored.model, stored.share_passed) == (server.url, "small", 0.5)
    results = GoldenCheckResult.objects.in_bulk(field_name="pk").values()
    assert {(result.example_id, result.outcome, result.answer, result.version) for result in results} == {
        (refund.pk, "passed", ANSWERS[REFUND], 1),
        (reset.pk, "failed", ANSWERS[RESET], 1),
    }
    suite = ET.fromstring(junit.read_bytes())[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    [failure] = suite.iter("failure")
    assert failure.get("message") == "“password” is not in the answer."
    assert failure.text == ANSWERS[RESET]
    assert "### Golden checks: 1 of 2 passed" in markdown.read_text()
    assert "secret-key" not in said + junit.read_text() + markdown.read_text() + stored.target


@pytest.mark.django_db
def test_when_all_pass_the_status_is_nought(reviewer: Member) -> None:
    make_example(reviewer, REFUND, "Refunds take 14 days.")
    with model_server(answers) as server:
        assert run(server.url, "--project", str(reviewer.project.pk))[0] == 0


@pytest.mark.django_db
def test_a_target_that_fails_is_an_error_and_no_failure_of_the_answer(reviewer: Member, tmp_path: Path) -> None:
    make_example(reviewer, REFUND, "Refunds take 14 days.")
    project = reviewer.project.slug
    with model_server(answers) as server:
        server.fail(Fault.SERVER_ERROR, Fault.NO_CHOICES, Fault.EMPTY, Fault.DROP)
        problems = []
        for _ in range(4):
            status, said = run(server.url, "--project", project)
            assert status == 2
            problems.append(said)
        server.fail(Fault.HANG)
        status, said = run(server.url, "--project", project, "--seconds", "0.3")
    assert "status 500" in problems[0]
    assert "secret-provider-text" not in "".join(problems)
    assert "No answer within 0.3 seconds" in said
    assert set(GoldenCheckResult.objects.values_list("outcome", flat=True)) == {"error"}


@pytest.mark.django_db
def test_what_prompts_hold_is_never_asked(reviewer: Member) -> None:
    """Neither by choosing that split, nor if a row should ever stand on both sides."""
    make_example(reviewer, REFUND, "Refunds take 14 days.", split="few_shot")
    with model_server(answers) as server:
        status, said = run(server.url, "--project", reviewer.project.slug, "--split", "few_shot")
        assert (status, "prompts may hold" in said) == (2, True)
        status, said = run(server.url, "--project", reviewer.project.slug)
        assert (status, "nothing to ask" in said) == (2, True)
        twin = make_example(reviewer, REFUND, "Refunds take 14 days.", split="few_shot")
        GoldenExample.objects.filter(pk=twin.pk).update(split="evaluation")
        assert not questions_of(reviewer.project)
        assert run(server.url, "--project", reviewer.project.slug)[0] == 2
    assert server.requests == []


@pytest.mark.django_db
def test_what_is_off_or_waits_for_a_person_and_other_projects_are_not_asked(reviewer: Member, stranger: Member) -> None:
    make_example(stranger, RESET, "Foreign.")
    off, stale = make_example(reviewer, RESET, "A."), make_example(reviewer, EXPORT, "B.")
    asked = make_example(reviewer, REFUND, "C.")
    GoldenExample.objects.filter(pk=off.pk).update(is_active=False)
    GoldenExample.objects.filter(pk=stale.pk).update(attention="stale")
    assert list(questions_of(reviewer.project)) == [asked]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--target", "ftp://example.com"], "http"),
        (["--target", "http://127.0.0.1:1", "--project", "no-such"], "no project"),
        (["--target", "http://127.0.0.1:1"], "Say which project"),
        (["--target", "http://127.0.0.1:1", "--key-env", "NO_SUCH_NAME"], "is empty"),
    ],
)
def test_what_cannot_be_run_says_why(reviewer: Member, options: list[str], words: str) -> None:
    make_project()
    with pytest.raises(CommandError, match=words) as refused:
        call_command("golden", "run", *options)
    assert refused.value.returncode == 2
    assert not GoldenCheckRun.objects.exists()


@pytest.mark.django_db
def test_an_example_deleted_meanwhile_leaves_no_result(reviewer: Member) -> None:
    make_example(reviewer, REFUND, "Refunds take 14 days.")
    gone = make_example(reviewer, RESET, "Choose Forgot password.")
    with model_server(answers) as server:
        target = Target(server.url)
        begun = check_runs.begin_run(reviewer.project, target, split="evaluation")
        results = []
        for result in check_runs.ask_all(begun, target, at_once=1):
            GoldenExample.objects.filter(pk=gone.pk).delete()
            results.append(result)
    assert len(results) == 1
    assert (begun.questions, begun.passed) == (1, 1)


class Agent(BaseHTTPRequestHandler):
    """Answers as an agent's run address does."""

    asked: list[dict[str, Any]]

    def log_message(self, format: str, *arguments: Any) -> None:
        """Write no log."""

    def do_POST(self) -> None:
        """Answer with what was put in."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body)
        content = json.dumps({"id": "1", "task_output": {"answer": "14 days"}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def agent_server() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    asked: list[dict[str, Any]] = []
    handler = type("Handler", (Agent,), {"asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/_/agents/support/schemas/1/run", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.django_db
def test_an_agent_is_asked_by_its_run_address(reviewer: Member) -> None:
    schema = {"kind": "json_schema", "schema": {"required": ["answer"]}}
    make_example(reviewer, REFUND, "14 days", checks=[schema])
    make_example(reviewer, '{"order": 7, "topic": "refund"}', "14 days", checks=[schema])
    with agent_server() as (url, asked):
        assert run(url, "--project", reviewer.project.slug, "--field", "text")[0] == 0
    sent = [body["task_input"] for body in asked]
    assert {"text": REFUND} in sent
    assert {"order": 7, "topic": "refund"} in sent
