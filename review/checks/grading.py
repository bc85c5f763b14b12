"""Grading an answer: one function of the answer, the golden answer and the checks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from insights.embedding import encoder
from insights.local.encoder import EncoderUnavailable
from review.checks.forms import Check, Contains, ContainsNot, FitsSchema, IsSimilar, Matches, read_checks
from review.checks.guard import problems_of

# Longer answers are graded by their beginning.
GRADED_CHARACTERS: Final = 100_000
COMPARED_CHARACTERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check made of an answer; `problem` says why it did not pass, and is empty where it did."""

    kind: str
    problem: str

    @property
    def passed(self) -> bool:
        """Whether the answer satisfies the check."""
        return not self.problem


def grade(answer: str, *, golden_response: str, checks: Sequence[Any]) -> list[Finding]:
    """Return a finding for each check, in their order; without checks the answer has to mean the golden answer.

    The same arguments give the same findings. Takes at most about `guard.SECONDS` beside the time of one
    embedding. Raises pydantic's ValidationError for stored checks that no check is.
    """
    answer = answer[:GRADED_CHARACTERS]
    wanted = read_checks(checks) or [IsSimilar(kind="similarity")]
    guarded = [check for check in wanted if isinstance(check, Matches | FitsSchema)]
    problems = iter(problems_of([_task(check, answer) for check in guarded]))
    return [
        Finding(
            check.kind,
            next(problems) if isinstance(check, Matches | FitsSchema) else _problem(check, answer, golden_response),
        )
        for check in wanted
    ]


def _task(check: Check, answer: str) -> dict[str, Any]:
    if isinstance(check, Matches):
        return {"pattern": check.pattern, "answer": answer}
    assert isinstance(check, FitsSchema)  # noqa: S101
    return {"schema": check.json_schema, "answer": answer}


def _problem(check: Check, answer: str, golden_response: str) -> str:
    match check:
        case Contains():
            return "" if _holds(check, answer) else f"“{check.text[:100]}” is not in the answer."
        case ContainsNot():
            return f"“{check.text[:100]}” is in the answer." if _holds(check, answer) else ""
        case IsSimilar():
            return _likeness_problem(answer, golden_response, check.floor)
    raise TypeError(check)


def _holds(check: Contains | ContainsNot, answer: str) -> bool:
    text, words = (" ".join(each.split()) for each in (answer, check.text))
    return words in text if check.case_sensitive else words.casefold() in text.casefold()


def _likeness_problem(answer: str, golden_response: str, floor: float) -> str:
    try:
        vectors = encoder().encode([answer[:COMPARED_CHARACTERS], golden_response[:COMPARED_CHARACTERS]])
    except EncoderUnavailable:
        return "There is no encoder to compare meanings with."
    likeness = float(vectors[0] @ vectors[1])
    return "" if likeness >= floor else f"It is {likeness:.2f} like the golden answer, and has to be {floor:.2f}."
