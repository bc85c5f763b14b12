"""Refusing what was deleted, by keyed hashes: one query for a whole batch, none where nothing is suppressed."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from privacy.models import Suppression

Subject = Suppression.Subject


@dataclass(frozen=True, slots=True)
class Claim:
    """What one arriving item says of whom it is by; `dated` is None where it is as of now."""

    unique_id: str
    user_ids: frozenset[str]
    emails: frozenset[str]
    dated: datetime | None


def keyed_hash(project_id: int, subject: Subject, value: str) -> bytes:
    """Hash an id so that only who has this installation's key can tell whether it was deleted."""
    message = f"{project_id}\x00{subject}\x00{value.strip().lower()}".encode()
    return hmac.digest(settings.SECRET_KEY.encode(), message, "sha256")


def item_key(source_id: object, unique_id: str) -> str:
    """Return the value that stands for an item of a source."""
    return f"{source_id}\x00{unique_id}"


def suppressed(project_id: int, source_id: object, claims: Sequence[Claim]) -> set[str]:
    """Return the unique ids of the claims that must be refused."""
    if not claims or not Suppression.objects.filter(project=project_id).exists():
        return set()
    hashes: dict[bytes, list[Claim]] = {}
    for claim in claims:
        for subject, value in _values(source_id, claim):
            hashes.setdefault(keyed_hash(project_id, subject, value), []).append(claim)
    rows = Suppression.objects.filter(project=project_id, keyed_hash__in=list(hashes))
    return {
        claim.unique_id
        for row in rows
        for claim in hashes[bytes(row.keyed_hash)]
        if row.until is None or (claim.dated is not None and claim.dated < row.until)
    }


def _values(source_id: object, claim: Claim) -> list[tuple[Subject, str]]:
    return [
        (Subject.UNIQUE_ID, item_key(source_id, claim.unique_id)),
        *((Subject.USER_ID, value) for value in claim.user_ids),
        *((Subject.EMAIL, value) for value in claim.emails),
    ]
