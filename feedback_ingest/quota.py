"""How much a project may send in a second."""

import time

from django.conf import settings
from django.db import connection

# One row a project, which begins anew with each second; the table is unlogged and this is its own transaction.
TAKE = """
INSERT INTO feedback_ingest_window AS slot (project_id, second, requests, items) VALUES (%s, %s, 1, %s)
ON CONFLICT (project_id) DO UPDATE SET
    requests = CASE WHEN slot.second = excluded.second THEN slot.requests ELSE 0 END + 1,
    items = CASE WHEN slot.second = excluded.second THEN slot.items ELSE 0 END + excluded.items,
    second = excluded.second
RETURNING requests, items
"""


def take(project_id: int, items: int) -> bool:
    """Count one request of `items` items; tell whether it is within this second's quota."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [project_id, int(time.time()), items])
        requests, sent = cursor.fetchone()
    # A first request of a second is always served, so that no batch is too large to ever pass.
    within: bool = sent <= settings.INGEST_ITEMS_PER_SECOND and requests <= settings.INGEST_REQUESTS_PER_SECOND
    return within or requests == 1
