"""How often anybody may call what needs no key: per minute, by address and by feedback token."""

import ipaddress
import time

from django.conf import settings
from django.db import connection
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from review.services.tokens import Claim

WINDOW_SECONDS = 60
# Callers share this many counters, by keyed hash: the table cannot grow, and it holds nobody's address.
COUNTERS = 1 << 16
ADDRESS, TOKEN = 0, 1

TAKE = """
INSERT INTO review_request_window AS slot (counter, minute, requests) VALUES {rows}
ON CONFLICT (counter) DO UPDATE SET
    requests = CASE WHEN slot.minute = excluded.minute THEN slot.requests ELSE 0 END + 1,
    minute = excluded.minute
RETURNING counter, requests
"""


def take(request: Request, claim: Claim | None) -> int | None:
    """Count a request; return the seconds to wait where it is one too many, else None."""
    limits = {_counter(ADDRESS, request, _network(request)): settings.FEEDBACK_PER_ADDRESS}
    if claim:
        limits[_counter(TOKEN, request, claim.run_id.hex)] = settings.FEEDBACK_PER_TOKEN
    now = int(time.time())
    counted = _count(sorted(limits), now // WINDOW_SECONDS)
    if all(requests <= limits[counter] for counter, requests in counted):
        return None
    return WINDOW_SECONDS - now % WINDOW_SECONDS


def _count(counters: list[int], minute: int) -> list[tuple[int, int]]:
    """Add one to each counter. In ascending order, so that no two requests wait for each other."""
    rows = ", ".join(["(%s, %s, 1)"] * len(counters))
    with connection.cursor() as cursor:
        cursor.execute(TAKE.format(rows=rows), [value for counter in counters for value in (counter, minute)])
        counted: list[tuple[int, int]] = cursor.fetchall()
    return counted


def _counter(kind: int, request: Request, subject: str) -> int:
    digest = salted_hmac("review.workflowai.quota", f"{kind}{request.method}{subject}", algorithm="sha256").digest()
    return int.from_bytes(digest[:4]) % COUNTERS * 2 + kind


def _network(request: Request) -> str:
    """Return the caller's address; of IPv6 the 64 bits that one customer of a provider gets."""
    address = BaseThrottle().get_ident(request)
    try:
        is_wide = ipaddress.ip_address(address).version == 6
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if is_wide else address
