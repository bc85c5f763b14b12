"""One writer of a project's insights at a time."""

from django.db import connection

ANALYSIS_LOCK = 0x45A5  # class of the advisory locks


def lock_insights(project_id: int) -> None:
    """Wait until nobody else changes the project's insights; ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [ANALYSIS_LOCK, project_id])
