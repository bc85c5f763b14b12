"""Refusing what was deleted, by keyed hashes: one query for a whole batch, none where nothing is suppressed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from privacy.hashing import keyed_hash, known_hashes
from privacy.models import Suppression

Subject = Suppression.Subject


@dataclass(frozen=True, slots=True)
class Claim:
    """What one arriving item says of whom it is by; `dated` is None where it is as of now."""

    unique_id: str
    user_ids: frozenset[str]
    emails: frozenset[str]
    dated: datetime | None


def suppressed(project_id: int, source_id: object, claims: Iterable[Claim]) -> set[str]:
    """Return the unique ids of the claims that must be refused; where nothing is suppressed they are not looked at."""
    if not _is_any(project_id):
        return set()
    hashes: dict[bytes, list[Claim]] = {}
    for claim in claims:
        for subject, value in _values(source_id, claim):
            for known in known_hashes(project_id, subject, value):
                hashes.setdefault(known, []).append(claim)
    rows = Suppression.objects.filter(project=project_id, keyed_hash__in=list(hashes))
    return {
        claim.unique_id
        for row in rows
        for claim in hashes[bytes(row.keyed_hash)]
        if row.until is None or (claim.dated is not None and claim.dated < row.until)
    }


def _is_any(project_id: int) -> bool:
    # Plain SQL, for every request that brings feedback asks it, and for most projects that is all.
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM privacy_suppression WHERE project_id = %s)", [project_id])
        return bool(cursor.fetchone()[0])


def suppress_person(
    project_id: int, *, user_ids: Iterable[str] = (), emails: Iterable[str] = (), until: datetime
) -> None:
    """Refuse from now on what is dated before `until` and carries one of these ids or e-mails."""
    values = [(Subject.USER_ID, user_id) for user_id in user_ids]
    values += [(Subject.EMAIL, email) for email in emails]
    _remember(project_id, values, until)


def suppress_items(project_id: int, source_id: object, unique_ids: Iterable[str]) -> None:
    """Refuse these items of a source for ever."""
    values = [(Subject.UNIQUE_ID, item_key(source_id, unique_id)) for unique_id in unique_ids]
    _remember(project_id, values, None)


def item_key(source_id: object, unique_id: str) -> str:
    """Return the value that stands for an item of a source."""
    return f"{source_id}\x00{unique_id}"


def _values(source_id: object, claim: Claim) -> list[tuple[Subject, str]]:
    return [
        (Subject.UNIQUE_ID, item_key(source_id, claim.unique_id)),
        *((Subject.USER_ID, value) for value in claim.user_ids),
        *((Subject.EMAIL, value) for value in claim.emails),
    ]


def _remember(project_id: int, values: Iterable[tuple[Subject, str]], until: datetime | None) -> None:
    # Sorted, so that two deletions at once lock rows in one order.
    hashed = sorted({(subject, keyed_hash(project_id, subject, value)) for subject, value in values if value.strip()})
    Suppression.objects.bulk_create(
        (
            Suppression(project_id=project_id, subject=subject, keyed_hash=digest, until=until)
            for subject, digest in hashed
        ),
        update_conflicts=True,
        unique_fields=["project", "subject", "keyed_hash"],
        update_fields=["until"],
        batch_size=1_000,
    )
