"""Remembers, by keyed hashes alone, whose data was deleted, and refuses it when it comes again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from privacy.hashing import keyed_hash, known_hashes
from privacy.models import Suppression
from projects.models import Project

Subject = Suppression.Subject


@dataclass(frozen=True, slots=True)
class Arrival:
    """What an arriving item says of its origin; `dated` is when the customer said it."""

    dated: datetime
    user_id: str | None = None
    email: str | None = None
    source_and_unique_id: tuple[int, str] | None = None

    def subjects(self) -> list[tuple[Subject, str]]:
        """Return each thing that it may be refused for."""
        named = [(Subject.USER_ID, self.user_id), (Subject.EMAIL, self.email)]
        if self.source_and_unique_id is not None:
            named.append((Subject.UNIQUE_ID, _within_source(*self.source_and_unique_id)))
        return [(subject, value) for subject, value in named if value and value.strip()]


def suppressed_among(project: Project, arrivals: Sequence[Arrival]) -> list[bool]:
    """Tell for each arrival whether it must be refused, in one query."""
    wanted = [
        [
            (subject, hashed)
            for subject, value in arrival.subjects()
            for hashed in known_hashes(project.pk, subject, value)
        ]
        for arrival in arrivals
    ]
    hashes = {hashed for keys in wanted for _, hashed in keys}
    if not hashes:
        return [False] * len(arrivals)
    rows = Suppression.objects.filter(project=project, keyed_hash__in=hashes)
    untils = {
        (Subject(subject), bytes(hashed)): until
        for subject, hashed, until in rows.values_list("subject", "keyed_hash", "until")
    }
    return [
        any(key in untils and _refuses(untils[key], arrival.dated) for key in keys)
        for arrival, keys in zip(arrivals, wanted, strict=True)
    ]


def suppressed(
    project: Project,
    *,
    dated: datetime,
    user_id: str | None = None,
    email: str | None = None,
    source_and_unique_id: tuple[int, str] | None = None,
) -> bool:
    """Tell whether one arrival must be refused."""
    return suppressed_among(project, [Arrival(dated, user_id, email, source_and_unique_id)])[0]


def suppress_person(
    project: Project, *, user_ids: Iterable[str] = (), emails: Iterable[str] = (), until: datetime
) -> None:
    """Refuse what is dated before `until` and carries one of these ids or e-mails."""
    values = [(Subject.USER_ID, user_id) for user_id in user_ids]
    values += [(Subject.EMAIL, email) for email in emails]
    _remember(project, values, until)


def suppress_items(project: Project, ids: Iterable[tuple[int, str]]) -> None:
    """Refuse these (source id, unique_id) for ever."""
    _remember(project, [(Subject.UNIQUE_ID, _within_source(*pair)) for pair in ids], None)


def _remember(project: Project, values: Iterable[tuple[Subject, str]], until: datetime | None) -> None:
    hashed = {(subject, keyed_hash(project.pk, subject, value)) for subject, value in values if value.strip()}
    Suppression.objects.bulk_create(
        [
            Suppression(project=project, subject=subject, keyed_hash=digest, until=until)
            for subject, digest in sorted(hashed)
        ],
        update_conflicts=True,
        unique_fields=["project", "subject", "keyed_hash"],
        update_fields=["until"],
        batch_size=1_000,
    )


def _within_source(source_id: int, unique_id: str) -> str:
    return f"{source_id}/{unique_id}"


def _refuses(until: datetime | None, dated: datetime) -> bool:
    return until is None or dated < until
