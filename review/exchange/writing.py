"""Exports: the examples of one split as a stream of lines, each validated before it leaves."""

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

from django.db.models import F
from pydantic import BaseModel

from config.errors import DomainError
from projects import audit
from projects.access import require
from projects.models import Project, User
from projects.roles import Permission
from review.exchange.formats import ChatLine, EvaluationLine, PreferenceLine
from review.models import GoldenExample
from review.querysets import GoldenQuerySet
from sources.files.export import csv_rows

Split = GoldenExample.Split
READ_AT_ONCE: Final = 500
SYSTEM_CHARACTERS: Final = 10_000
COLUMNS: Final = (
    "id", "question", "golden_answer", "original_answer", "split", "source_type", "approval_type", "is_active",
    "attention", "version", "checks", "expires_at", "created_at",
)  # fmt: skip


class Format(StrEnum):
    """What an export can be."""

    CHAT = "chat"
    PREFERENCES = "preferences"
    EVALUATION = "evaluation"
    CSV = "csv"

    @property
    def filename(self) -> str:
        """The end of a file's name."""
        return "golden.csv" if self is Format.CSV else f"golden-{self}.jsonl"

    @property
    def content_type(self) -> str:
        """The media type."""
        return "text/csv; charset=utf-8" if self is Format.CSV else "application/jsonl"


LEAKS: Final = {
    (Format.CHAT, Split.EVALUATION): "A model that is trained with the questions of its tests passes them by heart.",
    (Format.PREFERENCES, Split.EVALUATION): "A model that is trained with the questions of its tests passes them by "
    "heart.",
    (Format.EVALUATION, Split.FEW_SHOT): "These questions stand in prompts together with their answers: a test that "
    "asks them proves nothing.",
}


def leak_of(form: Format, split: str) -> str:
    """Say why examples of a split should not leave in a format; nothing where they may."""
    return LEAKS.get((form, Split(split)), "")


def exportable(project: Project, form: Format, split: str) -> GoldenQuerySet:
    """Return the examples that an export holds: of a table all of the split, else those in use that fit the format."""
    examples = GoldenExample.objects.filter(project=project, split=split)
    if form is Format.CSV:
        return examples
    fitting = examples.usable().filter(original_query__regex=r"\S", golden_response__regex=r"\S")
    if form is Format.PREFERENCES:
        fitting = fitting.filter(original_response__regex=r"\S").exclude(original_response=F("golden_response"))
    return fitting


def export_examples(
    project: Project, form: Format, split: str, *, actor: User, system: str = "", accept_leak: bool = False
) -> Iterator[bytes]:
    """Return the lines of an export, to be streamed.

    `system` is put before every conversation. Raises DomainError, at once: 403, 400 where questions of the tests
    would leave for training (or those of prompts for tests) and that was not asked for.
    """
    require(actor, Permission.MANAGE, project)
    warning = leak_of(form, split)
    if warning and not accept_leak:
        raise DomainError(f"{warning} Say that you want them all the same.", code="would_leak")
    audit.record("golden_example.exported", project, actor=actor, project=project, format=str(form), split=split)
    examples = exportable(project, form, split).order_by("created_at", "pk").defer("search", "vector", "answer_vector")
    rows = examples.iterator(chunk_size=READ_AT_ONCE)
    if form is Format.CSV:
        return csv_rows(_table(rows), byte_order_mark=True)
    return (_written(_line(form, example, system[:SYSTEM_CHARACTERS].strip())) for example in rows)


def _line(form: Format, example: GoldenExample, system: str) -> BaseModel:
    """Return an example as a line. Raises pydantic's ValidationError for one that the format cannot hold."""
    instruction = [{"role": "system", "content": system}] if system else []
    asked = [*instruction, {"role": "user", "content": example.original_query}]
    match form:
        case Format.CHAT:
            return ChatLine.model_validate({"messages": [*asked, _answered(example.golden_response)]})
        case Format.PREFERENCES:
            return PreferenceLine.model_validate(
                {
                    "input": {"messages": asked},
                    "preferred_output": [_answered(example.golden_response)],
                    "non_preferred_output": [_answered(example.original_response)],
                }
            )
    item = {
        "id": str(example.pk),
        "question": example.original_query,
        "ideal": example.golden_response,
        "checks": example.checks,
    }
    return EvaluationLine.model_validate({"item": item})


def _answered(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def _written(line: BaseModel) -> bytes:
    # Line separators that some readers take for ends of lines are escaped with everything beyond ASCII.
    return json.dumps(line.model_dump()).encode() + b"\n"


def _table(examples: Iterator[GoldenExample]) -> Iterator[tuple[Any, ...]]:
    yield COLUMNS
    for each in examples:
        yield (
            each.pk, each.original_query, each.golden_response, each.original_response, each.split, each.source_type,
            each.approval_type, each.is_active, each.attention, each.version,
            json.dumps(each.checks, ensure_ascii=False) if each.checks else "", each.expires_at, each.created_at,
        )  # fmt: skip
