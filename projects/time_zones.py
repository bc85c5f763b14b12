"""The time zones that may be chosen: those that Python and the database both know, as days are counted in both."""

import zoneinfo
from functools import cache

from django.db import connection


@cache
def time_zones() -> frozenset[str]:
    """Return the names of the zones, such as Europe/Berlin; asks the database once a process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names")
        return frozenset(name for (name,) in cursor.fetchall()) & zoneinfo.available_timezones()
