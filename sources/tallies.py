"""Keeping the accounting of sources in the transactions that change it, without one waiting for another."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

COUNTERS: Final = ("used", "set_aside", "waiting", "updated", "unchanged", "rejected", "suppressed", "removed")

# A share that nobody else is writing, or one more: as many as there ever were writers at once. On a single row each
# writer would wait until the one before it has reached the disk.
COUNT: Final = f"""
WITH free AS (
    SELECT id FROM sources_sourcetally WHERE source_id = %(source)s LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
), counted AS (
    UPDATE sources_sourcetally AS tally
    SET {", ".join(f"{name} = tally.{name} + %({name})s" for name in COUNTERS)},
        last_received_at = greatest(tally.last_received_at, %(received_at)s)
    FROM free WHERE tally.id = free.id RETURNING tally.id
)
INSERT INTO sources_sourcetally (source_id, {", ".join(COUNTERS)}, last_received_at)
SELECT %(source)s, {", ".join(f"%({name})s" for name in COUNTERS)}, %(received_at)s::timestamptz
WHERE NOT EXISTS (SELECT FROM counted)
"""  # noqa: S608


def count(source_id: UUID, changes: Mapping[str, int], *, received_at: datetime | None = None) -> None:
    """Add to the counters of a source, in the transaction that is open; changes may be negative.

    Raises KeyError for a counter that there is not.
    """
    if unknown := changes.keys() - set(COUNTERS):
        raise KeyError(*sorted(unknown))
    values: dict[str, Any] = {"source": source_id, "received_at": received_at}
    with connection.cursor() as cursor:
        cursor.execute(COUNT, values | {name: changes.get(name, 0) for name in COUNTERS})
