"""Importing golden examples: a file is read and shown first, and becomes examples at a person's word."""

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import BinaryIO, Final

from django.db import transaction
from django.utils import timezone

from insights.embedding import text_hash
from projects import audit
from projects.access import require
from projects.models import Project, User
from projects.roles import Permission
from review.exchange.reading import Row, read_rows
from review.models import GoldenExample, GoldenImport
from review.services.golden import create_example, lock_examples

KEPT: Final = timedelta(days=1)
# Reading a question and finding its twins takes some milliseconds: a request makes what it can in this time.
SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do: which rows are new, which are here already, which are refused."""

    new: tuple[Row, ...]
    known: tuple[Row, ...]
    refused: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """How many examples were made, and how many rows are left for another time."""

    made: int
    left: int


def stage_import(project: Project, stream: BinaryIO, filename: str, *, actor: User, split: str = "") -> GoldenImport:
    """Read a file and keep its rows until somebody decides. Raises DomainError: 403, FileRefused."""
    require(actor, Permission.MANAGE, project)
    rows = read_rows(stream, filename)
    return GoldenImport.objects.create(
        project=project, filename=filename[:255], split=split, rows=[asdict(row) for row in rows], created_by=actor
    )


def preview(staged: GoldenImport) -> Preview:
    """Say what the rows of a file would become now."""
    rows = [Row(**row) for row in staged.rows]
    good = [row for row in rows if not row.problem]
    known = _known(staged.project, good)
    return Preview(
        new=tuple(row for row in good if row.number not in known),
        known=tuple(row for row in good if row.number in known),
        refused=tuple(row for row in rows if row.problem),
    )


def run_import(staged: GoldenImport, *, actor: User, seconds: float = SECONDS) -> Imported:
    """Make examples of the new rows for about that long; with none left, forget the file. Raises DomainError: 403.

    A question that is here already keeps its side of the split, any other goes where the import says. What is
    left, or breaks off, is done by another call, or by importing the file again: nothing is made twice.
    """
    require(actor, Permission.MANAGE, staged.project)
    started = time.monotonic()
    rows = preview(staged).new
    made = looked_at = 0
    for row in rows:
        if made and time.monotonic() - started > seconds:
            break
        made += _make(staged, row, actor)
        looked_at += 1
    audit.record("golden_example.imported", staged, actor=actor, project=staged.project, examples=made)
    if looked_at == len(rows):
        staged.delete()
    return Imported(made, left=len(rows) - looked_at)


def _make(staged: GoldenImport, row: Row, actor: User) -> bool:
    """Make an example of a row; tell if it was not there, for two requests may import the same file."""
    with transaction.atomic():
        lock_examples(staged.project)
        if _known(staged.project, [row]):
            return False
        create_example(
            staged.project,
            actor=actor,
            original_query=row.question,
            golden_response=row.answer,
            original_response=row.original,
            checks=row.checks,
            preferred_split=staged.split or None,
            provenance={"import": str(staged.pk), "row": str(row.number)},
        )
    return True


def forget_abandoned_imports() -> int:
    """Remove files that nobody decided about; return how many."""
    _, deleted = GoldenImport.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    return deleted.get("review.GoldenImport", 0)


def _known(project: Project, rows: Iterable[Row]) -> set[int]:
    """Return the numbers of the rows whose question and answer are here."""
    hashes = {row.number: text_hash(row.question) for row in rows}
    stored = GoldenExample.objects.filter(project=project, query_hash__in=set(hashes.values()))
    pairs = {(bytes(query_hash), answer) for query_hash, answer in stored.values_list("query_hash", "golden_response")}
    return {row.number for row in rows if (hashes[row.number], row.answer) in pairs}
