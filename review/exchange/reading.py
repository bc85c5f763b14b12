"""Imports: the rows of a file, what is wrong with each, and the question and answer of the rest."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from config.errors import DomainError
from review.checks import validate_checks
from sources.files.encodings import detect_encoding
from sources.files.export import restore_cell
from sources.files.identity import clean_text
from sources.files.limits import MEGABYTE, FileRefused, Limits, too_many_rows

LIMITS: Final = Limits(file_bytes=5 * MEGABYTE, rows=1_000)
QUESTION_CHARACTERS: Final = 20_000
ANSWER_CHARACTERS: Final = 100_000
# What the fields are called in the files that people have, the most telling first.
QUESTIONS: Final = ("question", "original_query", "query", "prompt", "input", "user", "text")
ANSWERS: Final = (
    "golden_answer", "golden_response", "ideal", "expected_output", "expected", "reference", "reference_answer",
    "correct_answer", "correct_label", "answer", "output", "completion", "response", "label",
)  # fmt: skip
ORIGINALS: Final = ("original_answer", "original_response", "rejected", "actual_output")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a question with its answer, or the `problem` that refuses it; `number` counts from 1."""

    number: int
    question: str = ""
    answer: str = ""
    original: str = ""
    checks: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""


def read_rows(stream: BinaryIO, filename: str) -> list[Row]:
    """Return the rows of a .jsonl or .csv file. Raises FileRefused for a file that cannot be read as a whole.

    JSONL may hold conversations, preference pairs, `{"item": …}` or `{"input": …, "ideal": …}` of evaluations, or
    plain objects with a question and an answer.
    """
    encoding = detect_encoding(stream, LIMITS)
    stream.seek(0)
    text = clean_text(stream.read().decode(encoding, errors="replace"))
    if filename.lower().endswith(".csv"):
        rows = [_table_row(number, cells) for number, cells in _table(text)]
    elif filename.lower().endswith((".jsonl", ".ndjson", ".json")):
        lines = ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())
        rows = [_json_row(number, line) for number, line in lines]
    else:
        raise FileRefused("Choose a .jsonl or .csv file.", "unknown_format")
    if not rows:
        raise FileRefused("The file has no rows.", "empty")
    if len(rows) > LIMITS.rows:
        raise too_many_rows(LIMITS.rows)
    return _without_repetitions(rows)


def _table(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    lines = io.StringIO(text, newline="")
    header, *_ = (text.splitlines() or [""])[:1]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        names = [name.strip().lower().replace(" ", "_") for name in next(reader, [])]
        if not set(names) & set(QUESTIONS) or not set(names) & set(ANSWERS):
            raise FileRefused("The table needs the columns “question” and “golden_answer”.", "missing_column")
        for number, cells in enumerate((cells for cells in reader if any(cells)), start=1):
            yield number, dict(zip(names, map(restore_cell, cells), strict=False))
    except csv.Error as error:
        raise FileRefused("The file is not a table: a quotation mark or a cell has no end.", "not_a_table") from error


def _table_row(number: int, cells: Mapping[str, str]) -> Row:
    written = cells.get("checks", "").strip()
    try:
        checks = json.loads(written) if written else []
    except (ValueError, RecursionError):
        return Row(number, problem="The checks are not JSON.")
    return _row(number, {**cells, "checks": checks})


def _json_row(number: int, line: str) -> Row:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return Row(number, problem="This line is not JSON.")
    if not isinstance(value, dict):
        return Row(number, problem="This line is not a JSON object.")
    return _row(number, _fields(value))


def _fields(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return question, answer and the rest, whichever of the known shapes a line has."""
    if isinstance(value.get("item"), dict):
        return dict(value["item"])
    if "messages" in value:
        return {"question": _last(value["messages"], "user"), "ideal": _last(value["messages"], "assistant")}
    if "preferred_output" in value:
        asked = value.get("input")
        return {
            "question": _last(asked.get("messages") if isinstance(asked, dict) else None, "user"),
            "ideal": _last(value["preferred_output"], "assistant"),
            "rejected": _last(value.get("non_preferred_output"), "assistant"),
        }
    if isinstance(value.get("input"), list):
        return {**value, "input": _last(value["input"], "user")}
    return dict(value)


def _last(messages: Any, role: str) -> str:
    """Return what `role` said last."""
    if not isinstance(messages, list):
        return ""
    said = [each.get("content") for each in messages if isinstance(each, dict) and each.get("role") == role]
    return _text(said[-1]) if said else ""


def _text(value: Any) -> str:
    """Return a text, the first of several, or the text of a message's parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        return "".join(str(part.get("text") or "") for part in value)
    return _text(value[0]) if isinstance(value, list) and value else ""


def _row(number: int, fields: Mapping[str, Any]) -> Row:
    question, answer, original = (
        clean_text(next((text for name in names if (text := _text(fields.get(name))).strip()), ""))
        for names in (QUESTIONS, ANSWERS, ORIGINALS)
    )
    try:
        checks = validate_checks(fields.get("checks") or [])
    except DomainError as error:
        return Row(number, question, answer, original, problem=error.message)
    return Row(number, question, answer, original, checks, _problem(question, answer, original))


def _problem(question: str, answer: str, original: str) -> str:
    if not question:
        return "There is no question."
    if not answer:
        return "There is no answer."
    if len(question) > QUESTION_CHARACTERS:
        return f"The question has more than {QUESTION_CHARACTERS:,} characters."
    if max(len(answer), len(original)) > ANSWER_CHARACTERS:
        return f"An answer has more than {ANSWER_CHARACTERS:,} characters."
    return ""


def _without_repetitions(rows: list[Row]) -> list[Row]:
    first: dict[tuple[str, str], int] = {}
    kept = []
    for row in rows:
        before = first.setdefault((row.question, row.answer), row.number)
        repeated = not row.problem and before != row.number
        kept.append(
            Row(row.number, row.question, row.answer, problem=f"The same as row {before}.") if repeated else row
        )
    return kept
