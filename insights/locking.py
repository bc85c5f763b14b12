"""One writer of a project's insights at a time, and one who groups them anew."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

ANALYSIS_LOCK, REBUILD_LOCK = 0x45A5, 0x45A6  # classes of the advisory locks


def lock_insights(project_id: int) -> None:
    """Wait until nobody else changes the project's insights; ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [ANALYSIS_LOCK, project_id])


@contextmanager
def rebuilding_alone(project_id: int) -> Iterator[bool]:
    """Tell whether nobody else groups the project's statements anew; if so, nobody does until the block ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [REBUILD_LOCK, project_id])
        (is_mine,) = cursor.fetchone()
    try:
        yield is_mine
    finally:
        if is_mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [REBUILD_LOCK, project_id])
