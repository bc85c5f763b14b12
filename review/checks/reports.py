"""Reports of a run of the checks: JUnit for build servers, Markdown for pull requests."""

import re
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET

from review.models import GoldenCheckResult, GoldenCheckRun

# Characters that no XML document may hold, not even escaped.
NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
NAME_CHARACTERS: Final = 120
ANSWER_CHARACTERS: Final = 2_000
SHOWN_IN_MARKDOWN: Final = 50
Outcome = GoldenCheckResult.Outcome


def problems_of(result: GoldenCheckResult) -> list[str]:
    """Return what is wrong with an answer, in words."""
    return [finding["problem"] for finding in result.findings if finding["problem"]]


def name_of(result: GoldenCheckResult) -> str:
    """Return a question as the name of its test."""
    words = " ".join(result.example.original_query.split())
    return words if len(words) <= NAME_CHARACTERS else f"{words[: NAME_CHARACTERS - 1]}…"


def junit(run: GoldenCheckRun, results: Sequence[GoldenCheckResult]) -> bytes:
    """Return a report as JUnit XML."""
    seconds = f"{sum(result.milliseconds for result in results) / 1000:.3f}"
    counts = {"tests": str(run.questions), "failures": str(run.failed), "errors": str(run.errors), "time": seconds}
    suites = ET.Element("testsuites", counts)
    suite = ET.SubElement(suites, "testsuite", {"name": f"golden.{run.split}", **counts})
    for result in results:
        case = ET.SubElement(
            suite,
            "testcase",
            {
                "classname": f"golden.{run.split}",
                "name": _clean(f"{name_of(result)} [{result.example_id}]"),
                "time": f"{result.milliseconds / 1000:.3f}",
            },
        )
        if result.outcome != Outcome.PASSED:
            tag = "error" if result.outcome == Outcome.ERROR else "failure"
            problem = ET.SubElement(case, tag, {"message": _clean(" ".join(problems_of(result)))})
            problem.text = _clean(result.answer[:ANSWER_CHARACTERS])
    written: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return written


def markdown(run: GoldenCheckRun, results: Sequence[GoldenCheckResult]) -> str:
    """Return a report as Markdown: the numbers, and the questions that did not pass."""
    lines = [
        f"### Golden checks: {run.passed} of {run.questions} passed",
        "",
        f"{run.failed} failed, {run.errors} without an answer. Asked: `{run.target}`.",
    ]
    wrong = [result for result in results if result.outcome != Outcome.PASSED]
    if wrong:
        lines += ["", "| Question | Outcome | Why |", "|---|---|---|"]
        lines += [
            f"| {_cell(name_of(result))} | {result.get_outcome_display()} | {_cell(' '.join(problems_of(result)))} |"
            for result in wrong[:SHOWN_IN_MARKDOWN]
        ]
    if len(wrong) > SHOWN_IN_MARKDOWN:
        lines += ["", f"And {len(wrong) - SHOWN_IN_MARKDOWN} more."]
    return "\n".join(lines) + "\n"


def _clean(text: str) -> str:
    return NOT_XML.sub("\ufffd", text)


def _cell(text: str) -> str:
    """Return text as one cell in which nothing is a mark of Markdown or a tag."""
    flat = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>()#!|~@])", r"\\\1", flat)
