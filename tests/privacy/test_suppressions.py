"""Deleted stays deleted: what comes again is recognised by keyed hashes, and nothing else of it is kept."""

from datetime import UTC, datetime, timedelta

from pytest_django import DjangoAssertNumQueries, Settings

from privacy.models import Suppression
from privacy.suppressions import Claim, suppress_items, suppress_person, suppressed
from projects.models import Project
from tests.factories import make_project

DELETED = datetime(2026, 3, 1, tzinfo=UTC)
BEFORE, AFTER = DELETED - timedelta(days=1), DELETED + timedelta(days=1)


def claim(
    unique_id: str, *, user_id: str | None = None, email: str | None = None, dated: datetime | None = BEFORE
) -> Claim:
    return Claim(
        unique_id,
        frozenset({user_id} if user_id else ()),
        frozenset({email} if email else ()),
        dated,
    )


def test_a_deleted_person_is_refused_for_what_is_older_than_the_deletion(project: Project) -> None:
    suppress_person(project.pk, user_ids=["u-1"], emails=["Jane@Example.com"], until=DELETED)
    claims = [
        claim("a", user_id="u-1"),
        claim("b", email=" jane@example.COM "),
        claim("c", user_id="u-1", dated=AFTER),
        claim("d", email="jane@example.com", dated=None),
        claim("e", user_id="u-2", email="john@example.com"),
    ]
    assert suppressed(project.pk, 1, claims) == {"a", "b"}
    assert suppressed(make_project().pk, 1, claims) == set()


def test_a_deleted_item_is_refused_for_ever_in_its_source(project: Project) -> None:
    suppress_items(project.pk, 1, ["ticket-1"])
    again = [claim("ticket-1", dated=AFTER)]
    assert suppressed(project.pk, 1, again) == {"ticket-1"}
    assert suppressed(project.pk, 2, again) == set()


def test_a_second_deletion_moves_the_date(project: Project) -> None:
    suppress_person(project.pk, user_ids=["u-1"], until=DELETED)
    suppress_person(project.pk, user_ids=["u-1"], until=AFTER)
    assert suppressed(project.pk, 1, [claim("a", user_id="u-1", dated=DELETED)]) == {"a"}


def test_a_batch_takes_two_queries_and_one_where_nothing_was_deleted(
    project: Project, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    claims = [claim(str(number), user_id=f"u-{number}", email=f"{number}@example.com") for number in range(100)]
    with django_assert_num_queries(1):
        assert suppressed(project.pk, 1, claims) == set()
    suppress_person(project.pk, user_ids=["u-7"], until=DELETED)
    with django_assert_num_queries(2):
        assert suppressed(project.pk, 1, claims) == {"7"}


def test_nothing_readable_is_kept_and_a_changed_key_still_recognises(project: Project, settings: Settings) -> None:
    suppress_person(project.pk, user_ids=["u-1"], emails=["jane@example.com"], until=DELETED)
    for row in Suppression.objects.all():
        assert len(bytes(row.keyed_hash)) == 32
        assert b"jane" not in bytes(row.keyed_hash)
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "another key"
    assert suppressed(project.pk, 1, [claim("a", user_id="u-1")]) == set()
    settings.SECRET_KEY_FALLBACKS = [old]
    assert suppressed(project.pk, 1, [claim("a", user_id="u-1")]) == {"a"}
