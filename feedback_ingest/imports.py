"""Reading an import into feedback: in batches, each committed with its report, so that any crash loses none."""

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import BinaryIO, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from config.errors import DomainError
from feedback_ingest.services import IngestResult, ingest_items
from feedback_ingest.wire import Rejection
from sources import importers, uploads
from sources.exports import ExampleResult
from sources.files import RowResult
from sources.models import FileImport
from sources.reading import Reading, examples_of, rows_of, stored_reading

log = structlog.get_logger()

BATCH = 500
# Each example is embedded and compared with the others, inside the transaction of its batch.
EXAMPLES_BATCH = 25
TURN = 45.0  # seconds; a job must end well before the cluster's timeout
LEASE = timedelta(minutes=3)
MAX_ATTEMPTS = 5
REJECTIONS_KEPT = 100
WARNINGS_KEPT = 50
SUPPRESSED = "This person asked to be deleted, so what they said is not taken again."
QUOTED = re.compile(r"^“.*”(?= is )", re.DOTALL)


class LeaseLost(Exception):
    """Another worker has taken the import over, or it is gone."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Taken:
    """What became of one batch."""

    created: int
    updated: int
    unchanged: int
    rejected: int
    refused: Sequence[_Refusal]


def run_import(file_import_id: UUID, *, seconds: float = TURN) -> bool:
    """Read an import for `seconds` at the most; tell whether something is left.

    Does nothing where another worker reads it. A file that turns out to be unreadable ends the import with
    the reason; a crash is tried again from the last batch, at most MAX_ATTEMPTS times without progress.
    """
    file_import = _claim(file_import_id)
    if file_import is None:
        return False
    try:
        return _read(file_import, until=time.monotonic() + seconds)
    except LeaseLost:
        return False
    except DomainError as error:
        _end(file_import, FileImport.Status.FAILED, error.message)
        return False


def bury_dead_imports() -> int:
    """Fail, visibly, the imports whose workers died as often as they may; return how many."""
    dead = FileImport.objects.claimable().filter(attempts__gte=MAX_ATTEMPTS)
    return dead.update(
        status=FileImport.Status.FAILED,
        error="Reading this file stopped unexpectedly, again and again. What was read is stored.",
        finished_at=timezone.now(),
        lease_until=None,
    )


def _claim(file_import_id: UUID) -> FileImport | None:
    """Take an import for this worker, counting the attempt before anything can go wrong."""
    claimed = (
        FileImport.objects.claimable()
        .filter(pk=file_import_id, attempts__lt=MAX_ATTEMPTS)
        .update(status=FileImport.Status.RUNNING, attempts=F("attempts") + 1, lease_until=timezone.now() + LEASE)
    )
    if not claimed:
        return None
    file_import: FileImport = FileImport.objects.select_related("source", "project").get(pk=file_import_id)
    return file_import


def _read(file_import: FileImport, *, until: float) -> bool:
    with uploads.open_upload(file_import.path) as stream:
        for batch in _batches(file_import, stream, stored_reading(file_import)):
            _store(file_import, batch)
            if time.monotonic() > until:
                _put_back(file_import)
                return True
    _end(file_import, FileImport.Status.DONE)
    return False


def _batches(file_import: FileImport, stream: BinaryIO, reading: Reading) -> "Iterator[_Batch]":
    """Yield what is to be stored together.

    The same bytes give the same rows in the same order: what is stored already is passed over.
    """
    form, done = FileImport.Format(file_import.format), file_import.rows_read
    if reading.holds_examples:
        examples = islice(examples_of(stream, form, reading), done, None)
        while found := list(islice(examples, EXAMPLES_BATCH)):
            yield _ExampleBatch(found)
        return
    rows = rows_of(stream, form, reading, ZoneInfo(file_import.project.time_zone), skip=done)
    while batch := list(islice(rows, BATCH)):
        yield _FeedbackBatch(batch)


class _Batch(Protocol):
    """Rows that are stored in one transaction."""

    @property
    def rows(self) -> Sequence[RowResult] | Sequence[ExampleResult]: ...

    def take(self, file_import: FileImport) -> _Taken: ...


@dataclass(frozen=True, slots=True)
class _FeedbackBatch:
    rows: Sequence[RowResult]

    def take(self, file_import: FileImport) -> _Taken:
        items = [row.item for row in self.rows if row.item is not None]
        refused = [_Refusal(row.number, row.reasons[0]) for row in self.rows if row.item is None]
        rejections = [Rejection(None, refusal.reason) for refusal in refused]
        result = ingest_items(file_import.source, items, rejections=rejections)
        return _Taken(
            created=result.count("created"),
            updated=result.count("updated"),
            unchanged=result.count("unchanged") + result.repeated,
            rejected=result.failed,
            refused=refused + _refused_on_arrival(self.rows, result),
        )


@dataclass(frozen=True, slots=True)
class _ExampleBatch:
    rows: Sequence[ExampleResult]

    def take(self, file_import: FileImport) -> _Taken:
        receiver, actor = importers.receiver(), file_import.created_by
        if receiver is None or actor is None:
            raise DomainError("Who uploaded this file is not here any more.", code="nobody", status=409)
        examples = [row.example for row in self.rows if row.example is not None]
        outcomes = Counter(receiver.take(file_import.project, actor, examples))
        refused = [_Refusal(row.number, row.reasons[0]) for row in self.rows if row.example is None]
        return _Taken(outcomes["created"], outcomes["updated"], outcomes["unchanged"], len(refused), refused)


@transaction.atomic
def _store(file_import: FileImport, batch: _Batch) -> None:
    """Store one batch and its report together. Raises LeaseLost, with nothing stored, where it is no longer ours."""
    # Somebody may have paused or deleted the source since the last batch.
    file_import.source.refresh_from_db(fields=["status"])
    taken = batch.take(file_import)
    lease = timezone.now() + LEASE
    ours = FileImport.objects.filter(
        pk=file_import.pk, status=FileImport.Status.RUNNING, lease_until=file_import.lease_until
    )
    changed = ours.update(
        rows_read=F("rows_read") + len(batch.rows),
        created=F("created") + taken.created,
        updated=F("updated") + taken.updated,
        unchanged=F("unchanged") + taken.unchanged,
        rejected=F("rejected") + taken.rejected,
        rejections=_kept_rejections(file_import, taken.refused),
        warnings=_counted_warnings(file_import, batch.rows),
        attempts=0,
        lease_until=lease,
    )
    if not changed:
        raise LeaseLost
    file_import.refresh_from_db(fields=["rows_read", "rejections", "warnings", "lease_until"])


def _refused_on_arrival(batch: Sequence[RowResult], result: IngestResult) -> list[_Refusal]:
    numbers = {row.item.unique_id: row.number for row in batch if row.item is not None}
    return [
        _Refusal(numbers[outcome.unique_id], SUPPRESSED if outcome.outcome == "suppressed" else outcome.error or "")
        for outcome in result.outcomes
        if outcome.unique_id in numbers and outcome.outcome in ("rejected", "suppressed")
    ]


def _kept_rejections(file_import: FileImport, refused: Sequence[_Refusal]) -> list[dict[str, object]]:
    room = REJECTIONS_KEPT - len(file_import.rejections)
    first = sorted(refused, key=lambda refusal: refusal.row)[: max(room, 0)]
    return [*file_import.rejections, *({"row": each.row, "reason": each.reason} for each in first)]


def _counted_warnings(file_import: FileImport, rows: Sequence[RowResult] | Sequence[ExampleResult]) -> dict[str, int]:
    """Count what rows lost, without the words they lost: a report must not keep what an erasure removes."""
    counts = Counter(file_import.warnings)
    counts.update(QUOTED.sub("A value", reason) for row in rows if not row.is_refused for reason in row.reasons)
    return dict(counts.most_common(WARNINGS_KEPT))


def _put_back(file_import: FileImport) -> None:
    FileImport.objects.filter(pk=file_import.pk, lease_until=file_import.lease_until).update(
        status=FileImport.Status.QUEUED, lease_until=None
    )


@transaction.atomic
def _end(file_import: FileImport, status: FileImport.Status, error: str = "") -> None:
    """End an import and, where it was read, remove its file; a failed one can be tried again for a week."""
    done = status == FileImport.Status.DONE
    ours = FileImport.objects.filter(pk=file_import.pk, lease_until=file_import.lease_until)
    changed = ours.update(
        status=status,
        error=error[:300],
        finished_at=timezone.now(),
        lease_until=None,
        rows_total=F("rows_read") if done else file_import.rows_total,
        path="" if done else file_import.path,
    )
    log.info("import_ended", file_import=str(file_import.pk), status=str(status))
    if changed and done:
        transaction.on_commit(partial(uploads.remove, file_import.path))
