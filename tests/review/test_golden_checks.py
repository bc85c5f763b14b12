"""Checks: what each kind asks of an answer, what is refused when it is saved, and that nothing takes for ever."""

import time
from typing import Any

import pytest

from config.errors import DomainError
from review.checks import Finding, grade, guard, validate_checks
from review.models import GoldenExample
from review.services.golden import create_example, update_example
from tests.factories import Member

GOLDEN = "Refunds take 14 days."
BACKTRACKING = {"kind": "regex", "pattern": "(a+)+$"}
ENDLESS = "a" * 60 + "!"
ORDER = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}


def findings(answer: str, *checks: dict[str, Any]) -> list[Finding]:
    return grade(answer, golden_response=GOLDEN, checks=validate_checks(list(checks)))


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        ({"kind": "contains", "text": "14  days"}, "It takes 14 DAYS.", "It takes 15 days."),
        ({"kind": "contains", "text": "API", "case_sensitive": True}, "Use the API.", "Use the api."),
        ({"kind": "not_contains", "text": "30 days"}, GOLDEN, "It takes\n30 Days."),
        ({"kind": "regex", "pattern": r"\b\d+ days\b"}, "In 3 days.", "In three days."),
        ({"kind": "regex", "pattern": r"(?i)^refund"}, GOLDEN, "A refund."),
        ({"kind": "json_schema", "schema": ORDER}, '{"id": 1}', '{"id": "1"}'),
        ({"kind": "json_schema", "schema": ORDER}, '{"id": 1, "more": []}', "It is 1."),
        ({"kind": "similarity", "floor": 0.7}, "You get your refund within 14 days.", "We have no canteen."),
    ],
)
def test_each_kind_passes_a_good_answer_and_says_what_is_wrong_with_a_bad_one(
    check: dict[str, Any], good: str, bad: str
) -> None:
    [passed], [failed] = findings(good, check), findings(bad, check)
    assert (passed.kind, passed.passed) == (check["kind"], True)
    assert not failed.passed
    assert failed.problem.endswith((".", "“30 days” is in the answer.", "'integer'"))


def test_findings_come_in_the_order_of_the_checks_and_are_the_same_each_time() -> None:
    checks: list[dict[str, Any]] = [
        {"kind": "regex", "pattern": "14"},
        {"kind": "contains", "text": "no such words"},
        {"kind": "json_schema", "schema": {}},
        {"kind": "not_contains", "text": "sorry"},
    ]
    found = findings(GOLDEN, *checks)
    assert [(finding.kind, finding.passed) for finding in found] == [
        ("regex", True), ("contains", False), ("json_schema", False), ("not_contains", True),
    ]  # fmt: skip
    assert findings(GOLDEN, *checks) == found


def test_without_checks_an_answer_has_to_mean_the_golden_one() -> None:
    assert [finding.passed for finding in findings("A refund takes 14 days.")] == [True]
    assert [finding.passed for finding in findings("Ask the canteen.")] == [False]


def test_a_pattern_that_would_run_for_ever_is_stopped_and_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "SECONDS", 1.0)
    started = time.monotonic()
    first, endless, last = findings(
        ENDLESS, {"kind": "regex", "pattern": "a"}, BACKTRACKING, {"kind": "contains", "text": "a"}
    )
    assert time.monotonic() - started < 10
    assert (first.problem, endless.problem, last.problem) == ("", guard.TOO_LONG, "")


def test_so_is_one_inside_a_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "SECONDS", 1.5)
    [found] = findings(f'"{ENDLESS}"', {"kind": "json_schema", "schema": {"pattern": "(a+)+$"}})
    assert found.problem == guard.TOO_LONG


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("contains", "a list"),
        ([{}], "Check 1"),
        (["x"], "Check 1"),
        ([{"kind": "rubric"}], "Check 1"),
        ([{"kind": "contains", "text": " "}], "say what is looked for"),
        ([{"kind": "contains", "text": "a\x00"}], "say what is looked for"),
        ([{"kind": "contains", "text": "a", "more": 1}], "Check 1"),
        ([{"kind": "contains", "text": "a"}, {"kind": "regex", "pattern": "("}], "Check 2: this is not a regular"),
        ([{"kind": "regex", "pattern": "x" * 501}], "500"),
        ([{"kind": "json_schema", "schema": {"type": 5}}], "not a JSON schema"),
        ([{"kind": "json_schema", "schema": {"$ref": "https://example.com/s.json"}}], "refer only to itself"),
        ([{"kind": "json_schema", "schema": {"const": "x" * 20_000}}], "at most"),
        ([{"kind": "similarity", "floor": 1.5}], "less than or equal to 1"),
        ([{"kind": "contains", "text": "a"}] * 21, "at most 20"),
    ],
)
def test_what_is_no_check_is_refused_with_the_reason(given: Any, words: str) -> None:
    with pytest.raises(DomainError, match=words) as refused:
        validate_checks(given)
    assert refused.value.code == "bad_checks"


@pytest.mark.django_db
def test_checks_are_validated_when_an_example_is_written_or_changed(reviewer: Member) -> None:
    with pytest.raises(DomainError):
        create_example(
            reviewer.project, actor=reviewer.user, original_query="Q?", golden_response="A", checks=[{"kind": "x"}]
        )
    example = create_example(reviewer.project, actor=reviewer.user, original_query="Q?", golden_response="A")
    with pytest.raises(DomainError):
        update_example(example, actor=reviewer.user, checks=[{"kind": "regex", "pattern": "("}])
    update_example(example, actor=reviewer.user, checks=[{"kind": "contains", "text": "A"}])
    stored = GoldenExample.objects.get()
    assert stored.checks == [{"kind": "contains", "text": "A", "case_sensitive": False}]
    assert stored.version == 2
