"""Golden examples out to files and in from them: shapes, the split, formulas, repetition, and refusals."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from config.errors import DomainError
from projects.models import AuditEvent
from review.exchange import writing
from review.exchange.formats import ChatLine, EvaluationLine, PreferenceLine
from review.exchange.importing import Imported, forget_abandoned_imports, preview, run_import, stage_import
from review.exchange.reading import read_rows
from review.exchange.writing import Format, export_examples
from review.models import GoldenExample, GoldenImport
from review.services.golden import create_example, update_example
from sources.files.limits import FileRefused
from tests.factories import Member

RESET, EXPORT, REFUND = "How do I reset my password?", "Can I export as PDF?", "How long does a refund take?"
FEW_SHOT, EVALUATION = "few_shot", "evaluation"
ROLES = {"system", "user", "assistant", "tool", "developer"}


def make_example(member: Member, query: str, split: str = FEW_SHOT, **fields: Any) -> GoldenExample:
    written = {"golden_response": "Like this.", **fields}
    return create_example(member.project, actor=member.user, original_query=query, split=split, **written)


def exported(member: Member, form: Format, split: str, **options: Any) -> list[dict[str, Any]]:
    content = b"".join(export_examples(member.project, form, split, actor=member.user, **options))
    return [json.loads(line) for line in content.decode().split("\n") if line]


def lines(*values: Any) -> io.BytesIO:
    return io.BytesIO("\n".join(json.dumps(value) for value in values).encode())


@pytest.mark.django_db
def test_the_chat_file_is_what_fine_tuning_wants(reviewer: Member, stranger: Member) -> None:
    make_example(reviewer, RESET)
    make_example(reviewer, EXPORT, golden_response="Yes:\n- one\u2028- two")
    make_example(stranger, REFUND)
    found = exported(reviewer, Format.CHAT, FEW_SHOT, system="Be short.")
    assert found[0] == {
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": RESET},
            {"role": "assistant", "content": "Like this."},
        ]
    }
    assert found[1]["messages"][-1]["content"] == "Yes:\n- one\u2028- two"
    for line in found:
        assert set(line) == {"messages"}
        assert all(set(each) == {"role", "content"} and each["role"] in ROLES for each in line["messages"])
        assert line["messages"][-1]["role"] == "assistant"
        assert all(isinstance(each["content"], str) and each["content"].strip() for each in line["messages"])
    assert len(exported(reviewer, Format.CHAT, FEW_SHOT)[0]["messages"]) == 2
    assert AuditEvent.objects.filter(verb="golden_example.exported").first() is not None


@pytest.mark.parametrize(
    "line",
    [
        {"messages": []},
        {"messages": [{"role": "user", "content": "a"}]},
        {"messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "a"}]},
        {"messages": [{"role": "user", "content": " "}, {"role": "assistant", "content": "a"}]},
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": None}]},
        {"messages": [{"role": "user", "content": "a", "x": 1}, {"role": "assistant", "content": "a"}]},
    ],
)
def test_a_line_that_is_no_conversation_never_leaves(line: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChatLine.model_validate(line)


@pytest.mark.django_db
def test_a_preference_pair_has_two_different_answers(reviewer: Member) -> None:
    make_example(reviewer, RESET, original_response="I do not know.")
    make_example(reviewer, EXPORT, original_response="Like this.")
    make_example(reviewer, REFUND)
    [pair] = exported(reviewer, Format.PREFERENCES, FEW_SHOT)
    PreferenceLine.model_validate(pair)
    assert pair == {
        "input": {"messages": [{"role": "user", "content": RESET}]},
        "preferred_output": [{"role": "assistant", "content": "Like this."}],
        "non_preferred_output": [{"role": "assistant", "content": "I do not know."}],
    }


@pytest.mark.django_db
def test_questions_of_the_tests_leave_for_training_only_when_asked_for(reviewer: Member) -> None:
    make_example(reviewer, RESET, EVALUATION)
    make_example(reviewer, EXPORT)
    assert [line["messages"][0]["content"] for line in exported(reviewer, Format.CHAT, FEW_SHOT)] == [EXPORT]
    for form, split in (
        (Format.CHAT, EVALUATION), (Format.PREFERENCES, EVALUATION), (Format.EVALUATION, FEW_SHOT),
    ):  # fmt: skip
        with pytest.raises(DomainError) as refused:
            export_examples(reviewer.project, form, split, actor=reviewer.user)
        assert refused.value.code == "would_leak"
    asked = exported(reviewer, Format.CHAT, EVALUATION, accept_leak=True)
    assert [line["messages"][0]["content"] for line in asked] == [RESET]


@pytest.mark.django_db
def test_only_what_is_in_use_is_exported_for_models_and_all_in_the_table(reviewer: Member) -> None:
    used, off = make_example(reviewer, RESET), make_example(reviewer, EXPORT)
    update_example(off, actor=reviewer.user, is_active=False)
    assert len(exported(reviewer, Format.CHAT, FEW_SHOT)) == 1
    table = b"".join(export_examples(reviewer.project, Format.CSV, FEW_SHOT, actor=reviewer.user)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [(row["id"], row["is_active"]) for row in rows] == [(str(used.pk), "True"), (str(off.pk), "False")]


@pytest.mark.django_db
def test_no_cell_of_the_table_is_a_formula_and_it_comes_back_as_it_was(reviewer: Member, stranger: Member) -> None:
    queries = ["=HYPERLINK(1)", "+1", "@cmd", "-2", "'quoted"]
    for query in queries:
        make_example(reviewer, query, golden_response=f"={query}", checks=[{"kind": "contains", "text": "="}])
    table = b"".join(export_examples(reviewer.project, Format.CSV, FEW_SHOT, actor=reviewer.user))
    for row in csv.reader(io.StringIO(table.decode("utf-8-sig"))):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
    staged = stage_import(stranger.project, io.BytesIO(table), "golden.csv", actor=stranger.user)
    assert run_import(staged, actor=stranger.user) == Imported(len(queries), left=0)
    stored = GoldenExample.objects.filter(project=stranger.project)
    assert set(stored.values_list("original_query", "golden_response")) == {(query, f"={query}") for query in queries}
    assert all(example.checks[0]["text"] == "=" for example in stored)


@pytest.mark.django_db
def test_an_export_is_streamed_and_not_held_in_memory(reviewer: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        make_example(reviewer, f"{REFUND} {number * 'x'}")
    written: list[Any] = []
    real = writing._line

    def counted(*arguments: Any) -> Any:
        written.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(writing, "_line", counted)
    stream = export_examples(reviewer.project, Format.CHAT, FEW_SHOT, actor=reviewer.user)
    assert written == []
    next(stream)
    assert len(written) == 1


@pytest.mark.parametrize(
    "line",
    [
        {"item": {"question": "Q?", "ideal": "A"}},
        {"item": {"input": "Q?", "expected_output": "A"}},
        {"item": {"query": "Q?", "reference_answer": ["A", "B"]}},
        {"input": [{"role": "system", "content": "S"}, {"role": "user", "content": "Q?"}], "ideal": "A"},
        {"input": "Q?", "ideal": ["A"]},
        {"messages": [{"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A"}]},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Q?"}]},
                {"role": "assistant", "content": "A"},
            ]
        },
        {"prompt": "Q?", "completion": "A"},
        {
            "input": {"messages": [{"role": "user", "content": "Q?"}]},
            "preferred_output": [{"role": "assistant", "content": "A"}],
            "non_preferred_output": [{"role": "assistant", "content": "B"}],
        },
    ],
)
def test_every_known_shape_of_a_line_is_understood(line: dict[str, Any]) -> None:
    [row] = read_rows(lines(line), "x.jsonl")
    assert (row.question, row.answer, row.problem) == ("Q?", "A", "")


def test_each_row_that_cannot_be_used_says_why() -> None:
    content = lines(
        {"item": {"question": "Q?", "ideal": "A"}},
        [1],
        {"item": {"ideal": "A"}},
        {"item": {"question": "Q?"}},
        {"item": {"question": "Q" * 20_001, "ideal": "A"}},
        {"item": {"question": "Q?", "ideal": "A"}},
        {"item": {"question": "Q2?", "ideal": "A", "checks": [{"kind": "regex", "pattern": "("}]}},
    ).getvalue()
    rows = read_rows(io.BytesIO(content + b"\n\n{broken\n"), "x.jsonl")
    assert [(row.number, row.problem.split(":")[0]) for row in rows] == [
        (1, ""),
        (2, "This line is not a JSON object."),
        (3, "There is no question."),
        (4, "There is no answer."),
        (5, "The question has more than 20,000 characters."),
        (6, "The same as row 1."),
        (7, "Check 1"),
        (9, "This line is not JSON."),
    ]


@pytest.mark.parametrize(
    ("content", "filename"),
    [
        (b"", "x.jsonl"),
        (b"hello", "x.txt"),
        (b"a,b\n1,2\n", "x.csv"),
        (b"\n \n", "x.jsonl"),
        (b"PK\x03\x04....", "x.jsonl"),
        (b"\n".join([b'{"prompt": "q", "completion": "a"}'] * 1_001), "x.jsonl"),
        (b"question,answer\n" + b'"' + b"a" * 200_000, "x.csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(content: bytes, filename: str) -> None:
    with pytest.raises(FileRefused):
        read_rows(io.BytesIO(content), filename)


VALUES = st.none() | st.booleans() | st.floats() | st.text(max_size=5)
SHAPES = VALUES | st.lists(VALUES, max_size=2) | st.lists(st.dictionaries(st.sampled_from(["role", "text"]), VALUES))


@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(SHAPES, max_size=3))
def test_no_line_of_json_breaks_the_reader(values: Iterable[Any]) -> None:
    content = lines(*[{"item": value, "messages": value, "input": value, "question": value} for value in values], {})
    for row in read_rows(content, "x.jsonl"):
        assert row.problem or row.question


@pytest.mark.django_db
def test_an_import_shows_what_it_would_do_and_does_it_once(reviewer: Member) -> None:
    make_example(reviewer, RESET, golden_response="By mail.")
    content = lines(
        {"item": {"question": RESET, "ideal": "By mail."}},
        {"item": {"question": EXPORT, "ideal": "Yes.", "checks": [{"kind": "contains", "text": "yes"}]}},
        {"item": {"question": ""}},
    )
    staged = stage_import(reviewer.project, content, "evals.jsonl", actor=reviewer.user, split=EVALUATION)
    seen = preview(staged)
    assert ([row.number for row in seen.new], [row.number for row in seen.known]) == ([2], [1])
    assert [row.problem for row in seen.refused] == ["There is no question."]
    assert run_import(staged, actor=reviewer.user) == Imported(1, left=0)
    assert not GoldenImport.objects.exists()
    made = GoldenExample.objects.get(original_query=EXPORT)
    assert (made.split, made.source_type, made.checks[0]["text"]) == (EVALUATION, "manual", "yes")
    content.seek(0)
    again = stage_import(reviewer.project, content, "evals.jsonl", actor=reviewer.user, split=EVALUATION)
    assert run_import(again, actor=reviewer.user) == Imported(0, left=0)
    assert GoldenExample.objects.count() == 2


@pytest.mark.django_db
def test_what_one_request_has_no_time_for_is_left_for_the_next(reviewer: Member) -> None:
    questions = [RESET, EXPORT, REFUND]
    content = lines(*({"item": {"question": question, "ideal": "Yes."}} for question in questions))
    staged = stage_import(reviewer.project, content, "evals.jsonl", actor=reviewer.user)
    done = [run_import(staged, actor=reviewer.user, seconds=0) for _ in questions]
    assert done == [Imported(1, left=2), Imported(1, left=1), Imported(1, left=0)]
    assert set(GoldenExample.objects.values_list("original_query", flat=True)) == set(questions)
    assert not GoldenImport.objects.exists()


@pytest.mark.django_db
def test_an_imported_question_that_prompts_hold_does_not_become_a_test(reviewer: Member) -> None:
    make_example(reviewer, RESET)
    content = lines({"item": {"question": "How can I reset my password?", "ideal": "Like this."}})
    staged = stage_import(reviewer.project, content, "evals.jsonl", actor=reviewer.user, split=EVALUATION)
    run_import(staged, actor=reviewer.user)
    assert set(GoldenExample.objects.values_list("split", flat=True)) == {FEW_SHOT}


@pytest.mark.django_db
def test_our_own_evaluation_file_comes_back_with_its_checks(reviewer: Member, stranger: Member) -> None:
    make_example(reviewer, RESET, EVALUATION, checks=[{"kind": "regex", "pattern": r"\d+"}])
    content = b"".join(export_examples(reviewer.project, Format.EVALUATION, EVALUATION, actor=reviewer.user))
    EvaluationLine.model_validate_json(content)
    staged = stage_import(stranger.project, io.BytesIO(content), "e.jsonl", actor=stranger.user, split=EVALUATION)
    assert run_import(staged, actor=stranger.user) == Imported(1, left=0)
    copy = GoldenExample.objects.get(project=stranger.project)
    assert (copy.original_query, copy.checks) == (RESET, [{"kind": "regex", "pattern": r"\d+"}])


@pytest.mark.django_db
def test_a_file_that_nobody_decided_about_is_forgotten_after_a_day(reviewer: Member) -> None:
    staged = stage_import(reviewer.project, lines({"prompt": "q", "completion": "a"}), "x.jsonl", actor=reviewer.user)
    assert forget_abandoned_imports() == 0
    GoldenImport.objects.update(created_at="2020-01-01T00:00:00Z")
    assert forget_abandoned_imports() == 1
    assert not GoldenImport.objects.filter(pk=staged.pk).exists()


@pytest.mark.django_db
def test_who_may_only_look_neither_imports_nor_exports(viewer: Member) -> None:
    with pytest.raises(DomainError) as refused:
        export_examples(viewer.project, Format.CHAT, FEW_SHOT, actor=viewer.user)
    assert refused.value.status == 403
    with pytest.raises(DomainError):
        stage_import(viewer.project, lines({}), "x.jsonl", actor=viewer.user)


@pytest.mark.django_db
def test_files_go_in_and_out_over_rest(client: Client, reviewer: Member) -> None:
    content = lines({"item": {"question": RESET, "ideal": "By mail."}}, {"item": {}}).getvalue()
    address = "/api/v1/golden-examples/import/"

    def send(**fields: str) -> Any:
        file = SimpleUploadedFile("evals.jsonl", content)
        return client.post(address, {"file": file, "split": EVALUATION, **fields}, headers=reviewer.headers)

    looked = send()
    refused = [{"row": 2, "problem": "There is no question."}]
    assert looked.json() == {"new": 1, "known": 0, "refused": refused, "imported": 0, "left": 1}
    assert not GoldenExample.objects.exists()
    assert send(confirm="true").json()["imported"] == 1
    export = "/api/v1/golden-examples/export/"
    answer = client.get(export, {"form": "evaluation", "split": EVALUATION}, headers=reviewer.headers)
    assert json.loads(b"".join(answer.streaming_content))["item"]["question"] == RESET  # type: ignore[attr-defined]
    leak = client.get(export, {"form": "chat", "split": EVALUATION}, headers=reviewer.headers)
    assert (leak.status_code, leak.json()["error"]["code"]) == (400, "would_leak")
