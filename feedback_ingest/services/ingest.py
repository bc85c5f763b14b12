"""The one way in: validate, store all in one statement per table, account for every item, wake the analysis."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

from django.db import connection, transaction
from django.utils import timezone
from msgspec import UNSET, json

from config.errors import DomainError
from feedback_ingest import events
from feedback_ingest.models import ConversationPart, FeedbackItem
from feedback_ingest.wire import Rejection
from privacy.suppressions import Claim, suppressed
from sources import tallies
from sources.items import RawItem, RawPart
from sources.models import Source

MOMENT = timedelta(microseconds=1)
Outcome = Literal["created", "updated", "unchanged", "rejected", "suppressed"]

# The order gives each field its bit in `given`.
FIELDS = ("body", "author", "email", "user_id", "url", "metadata", "rating", "created_at")
COLUMN_TYPES = {"metadata": "jsonb", "rating": "double precision", "created_at": "timestamptz"}


def _columns(prefix: str = "") -> str:
    return ", ".join(prefix + name for name in FIELDS)


def _record(names: Iterable[str]) -> str:
    return ", ".join(f"{name} {COLUMN_TYPES.get(name, 'text')}" for name in names)


def _was_given(name: str) -> str:
    return f"(excluded.given & {1 << FIELDS.index(name)}) > 0"


REOPEN = """state_before = {table}.state, state = 'waiting', set_aside_reason = NULL, attempts = 0,
    lease_until = NULL, last_error = NULL"""

UPSERT_ITEMS = f"""
INSERT INTO feedback_ingest_feedbackitem AS item
    (project_id, source_id, unique_id, {_columns()}, language, given, received_at)
SELECT %(project)s, %(source)s, row.unique_id, {_columns("row.").replace("row.created_at", "coalesce(row.created_at, %(now)s)")},
    row.language, row.given, %(now)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS row(unique_id text, {_record(FIELDS)}, language text, given smallint)
ON CONFLICT (project_id, source_id, unique_id) DO UPDATE SET
    {", ".join(f"{name} = CASE WHEN {_was_given(name)} THEN excluded.{name} ELSE item.{name} END" for name in FIELDS)},
    given = excluded.given, {REOPEN.format(table="item")}
WHERE {" OR ".join(f"({_was_given(name)} AND item.{name} IS DISTINCT FROM excluded.{name})" for name in FIELDS)}
RETURNING id, unique_id, xmax = 0, state_before
"""  # noqa: S608, E501

PART_FIELDS = ("body", "author", "email", "user_id", "url", "metadata", "created_at")
KEPT = ", ".join(f"{name} = coalesce(excluded.{name}, part.{name})" for name in PART_FIELDS)
CHANGED = " OR ".join(
    f"(excluded.{name} IS NOT NULL AND part.{name} IS DISTINCT FROM excluded.{name})" for name in PART_FIELDS
)

# Looked up row by row, here and below: joined, all of a source would be read while the tables are too young to have
# statistics, which is when most is sent.
STORED = """SELECT {column} FROM {table} AS stored
    WHERE stored.project_id = %(project)s AND stored.source_id = %(source)s AND stored.unique_id = {key}"""

UPSERT_PARTS = f"""
INSERT INTO feedback_ingest_conversationpart AS part
    (project_id, source_id, item_id, unique_id, {", ".join(PART_FIELDS)})
SELECT %(project)s, %(source)s, row.item_id, row.unique_id,
    {", ".join(f"row.{name}" for name in PART_FIELDS[:-1])},
    coalesce(
        row.created_at,
        ({STORED.format(column="created_at", table="feedback_ingest_conversationpart", key="row.unique_id")}),
        row.default_time
    )
FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS row(item_id bigint, unique_id text, default_time timestamptz, {_record(PART_FIELDS)})
ON CONFLICT (project_id, source_id, unique_id) DO UPDATE SET {KEPT}
WHERE part.item_id = excluded.item_id AND ({CHANGED})
RETURNING item_id
"""  # noqa: S608

STORED_ITEMS = f"""
SELECT key, ({STORED.format(column="id", table="feedback_ingest_feedbackitem", key="key")})
FROM unnest(%(keys)s::text[]) AS key
"""  # noqa: S608

# What waits and was never claimed stays as it is; locked, so that nobody claims it before its new parts are there.
REOPEN_ITEMS = f"""
WITH held AS MATERIALIZED (
    SELECT id, unique_id, state, attempts, lease_until FROM feedback_ingest_feedbackitem
    WHERE id = ANY(%s) ORDER BY unique_id FOR NO KEY UPDATE
), reopened AS (
    UPDATE feedback_ingest_feedbackitem AS item SET {REOPEN.format(table="item")} FROM held
    WHERE item.id = held.id AND (held.state, held.attempts, held.lease_until IS NULL) <> ('waiting', 0, true)
)
SELECT unique_id, state FROM held
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What became of one item that was sent."""

    unique_id: str | None
    outcome: Outcome
    error: str | None = None


@dataclass(slots=True)
class IngestResult:
    """What became of all items, in the order of the distinct ids; refused ones last."""

    outcomes: list[ItemOutcome] = field(default_factory=list)
    repeated: int = 0

    def count(self, *outcomes: Outcome) -> int:
        """Return how many items ended in one of `outcomes`."""
        return sum(1 for item in self.outcomes if item.outcome in outcomes)

    @property
    def ingested(self) -> int:
        """How many sent items are stored now, repeats within the request included."""
        return self.count("created", "updated", "unchanged") + self.repeated

    @property
    def failed(self) -> int:
        """How many sent items were refused."""
        return self.count("rejected", "suppressed")


class _DryRunDone(Exception):
    """Takes a trial's changes back."""


def ingest_items(
    source: Source,
    items: Sequence[RawItem],
    *,
    rejections: Sequence[Rejection] = (),
    dry_run: bool = False,
) -> IngestResult:
    """Store items with their parts and return what became of each; all is committed on return.

    `rejections` are items that were refused on the way here; they are accounted for. A dry run stores
    nothing. Raises DomainError (409) where the source takes no feedback.
    """
    if not source.takes_feedback:
        raise DomainError("This source is paused or deleted.", code="source_closed", status=409)
    result = IngestResult()
    try:
        with transaction.atomic():
            _Batch(source, items, rejections, result).store()
            if dry_run:
                raise _DryRunDone
            if result.count("created", "updated"):
                transaction.on_commit(partial(events.stored, source.project_id))
    except _DryRunDone:
        pass
    return result


def merge_repeats(items: Sequence[RawItem]) -> dict[str, RawItem]:
    """Lay items of one id over each other in the order they were sent: what was given last wins."""
    merged: dict[str, RawItem] = {}
    for item in items:
        earlier = merged.get(item.unique_id)
        merged[item.unique_id] = _overlay(earlier, item) if earlier else item
    return merged


def _overlay(earlier: RawItem, later: RawItem) -> RawItem:
    values = {
        name: getattr(later, name) if getattr(later, name) is not UNSET else getattr(earlier, name)
        for name in (*FIELDS, "language")
    }
    parts = [*(earlier.conversation_parts or ()), *(later.conversation_parts or ())]
    return RawItem(unique_id=later.unique_id, conversation_parts=parts or UNSET, **values)


class _Batch:
    """One batch on its way into the tables; used inside one transaction."""

    def __init__(
        self, source: Source, items: Sequence[RawItem], rejections: Sequence[Rejection], result: IngestResult
    ) -> None:
        self.source = source
        self.now = timezone.now()
        self.sent = Counter(item.unique_id for item in items)
        self.items = merge_repeats(items)
        self.rejections = list(rejections)
        self.result = result
        self.reopened: dict[str, str | None] = {}

    def store(self) -> None:
        """Write items, then parts, then the counters: always in the order of the keys, so that nobody deadlocks."""
        self._refuse_suppressed()
        self._refuse_empty()
        self._refuse_foreign_parts()
        ids, created = self._upsert_items()
        self._upsert_parts(ids, created)
        self._report(created)
        self._count(created)

    def _reject(self, unique_id: str, error: str, outcome: Literal["rejected", "suppressed"] = "rejected") -> None:
        del self.items[unique_id]
        self.rejections += [Rejection(unique_id, error, outcome)] * self.sent[unique_id]

    def _refuse_suppressed(self) -> None:
        claims = map(_claim, self.items.values())
        for unique_id in suppressed(self.source.project_id, self.source.pk, claims):
            self._reject(unique_id, "suppressed", "suppressed")

    def _refuse_empty(self) -> None:
        bare = [key for key, item in self.items.items() if not item.body and not item.conversation_parts]
        if not bare:
            return
        stored = self._stored(bare)
        for unique_id in bare:
            if unique_id not in stored:
                self._reject(unique_id, "A new item needs a body or conversation_parts")

    def _refuse_foreign_parts(self) -> None:
        owners: dict[str, str] = {}
        for unique_id, item in list(self.items.items()):
            for part in item.conversation_parts or ():
                if owners.setdefault(part.unique_id, unique_id) != unique_id:
                    self._reject(unique_id, f"Conversation part {part.unique_id!r} belongs to another item")
                    break
        if not owners:
            return
        stored = ConversationPart.objects.filter(
            project=self.source.project_id, source=self.source, unique_id__in=list(owners)
        ).values_list("unique_id", "item__unique_id")
        for part_id, owner in stored:
            claimant = owners[part_id]
            if owner != claimant and claimant in self.items:
                self._reject(claimant, f"Conversation part {part_id!r} belongs to another item")

    def _upsert_items(self) -> tuple[dict[str, int], set[str]]:
        if not self.items:
            return {}, set()
        rows = [_item_row(self.items[key]) for key in sorted(self.items)]
        ids: dict[str, int] = {}
        created: set[str] = set()
        for pk, unique_id, inserted, state_before in self._run(UPSERT_ITEMS, rows):
            ids[unique_id] = pk
            if inserted:
                created.add(unique_id)
            else:
                self.reopened[unique_id] = state_before
        return ids, created

    def _upsert_parts(self, ids: dict[str, int], created: set[str]) -> None:
        with_parts = [key for key, item in self.items.items() if item.conversation_parts]
        if not with_parts:
            return
        unknown = [key for key in with_parts if key not in ids]
        if unknown:
            ids |= self._stored(unknown)
        rows = [_part_row(part, ids[key], moment) for key in with_parts for part, moment in self._timed_parts(key)]
        rows.sort(key=lambda row: row["unique_id"])
        changed = {item_id for (item_id,) in self._run(UPSERT_PARTS, rows)}
        keys = {ids[key]: key for key in with_parts}
        settled = [pk for pk in changed if keys[pk] not in created and keys[pk] not in self.reopened]
        if settled:
            with connection.cursor() as cursor:
                cursor.execute(REOPEN_ITEMS, [settled])
                self.reopened |= dict(cursor.fetchall())

    def _stored(self, keys: list[str]) -> dict[str, int]:
        """Return the ids of those items that are stored."""
        with connection.cursor() as cursor:
            cursor.execute(STORED_ITEMS, {"project": self.source.project_id, "source": self.source.pk, "keys": keys})
            return {key: pk for key, pk in cursor.fetchall() if pk is not None}

    def _timed_parts(self, key: str) -> Iterator[tuple[RawPart, datetime]]:
        """Yield the parts with their times; one without a time comes right after what was sent before it."""
        item = self.items[key]
        moment = item.created_at if isinstance(item.created_at, datetime) else self.now
        for part in {part.unique_id: part for part in item.conversation_parts or ()}.values():
            moment = part.created_at if isinstance(part.created_at, datetime) else moment + MOMENT
            yield part, moment

    def _run(self, statement: str, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(
                statement,
                {
                    "project": self.source.project_id,
                    "source": self.source.pk,
                    "now": self.now,
                    "rows": json.encode(rows).decode(),
                },
            )
            return list(cursor.fetchall())

    def _report(self, created: set[str]) -> None:
        for unique_id in self.items:
            outcome: Outcome = (
                "created" if unique_id in created else "updated" if unique_id in self.reopened else "unchanged"
            )
            self.result.outcomes.append(ItemOutcome(unique_id, outcome))
        self.result.repeated = sum(self.sent[unique_id] - 1 for unique_id in self.items)
        for rejection in self.rejections:
            self.result.outcomes.append(ItemOutcome(rejection.unique_id, rejection.outcome, rejection.error))

    def _count(self, created: set[str]) -> None:
        left = [state for state in self.reopened.values() if state != FeedbackItem.State.WAITING]
        if self.source.status == Source.Status.WAITING and created:
            Source.objects.filter(pk=self.source.pk, status=Source.Status.WAITING).update(status=Source.Status.ACTIVE)
        changes = {
            "waiting": len(created) + len(left),
            "used": -left.count(FeedbackItem.State.USED),
            "set_aside": -left.count(FeedbackItem.State.SET_ASIDE),
            "updated": self.result.count("updated"),
            "unchanged": self.result.count("unchanged") + self.result.repeated,
            "rejected": self.result.count("rejected"),
            "suppressed": self.result.count("suppressed"),
        }
        tallies.count(self.source.pk, changes, received_at=self.now)


def _claim(item: RawItem) -> Claim:
    voices: list[RawItem | RawPart] = [item, *(item.conversation_parts or ())]
    return Claim(
        unique_id=item.unique_id,
        user_ids=frozenset(voice.user_id for voice in voices if voice.user_id),
        emails=frozenset(voice.email for voice in voices if voice.email),
        dated=item.created_at if isinstance(item.created_at, datetime) else None,
    )


def _item_row(item: RawItem) -> dict[str, Any]:
    row: dict[str, Any] = {"unique_id": item.unique_id, "given": 0}
    for bit, name in enumerate(FIELDS):
        value = getattr(item, name)
        # A time that is null means "when it was received", which an update must not move.
        if value is UNSET or (name == "created_at" and value is None):
            continue
        row["given"] |= 1 << bit
        row[name] = value
    if item.language:
        row["language"] = item.language
    return row


def _part_row(part: RawPart, item_id: int, default_time: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {
        "unique_id": part.unique_id,
        "item_id": item_id,
        "default_time": default_time,
    }
    for name in PART_FIELDS:
        value = getattr(part, name)
        if value is not UNSET and value is not None:
            row[name] = value
    return row
