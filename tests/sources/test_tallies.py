"""The accounting of a source: exact with any number of writers, none of whom waits for another."""

from functools import partial

import pytest
from django.db import transaction

from sources import tallies
from sources.models import Source, SourceCount, SourceTally
from tests.factories import make_project, make_source
from tests.races import while_uncommitted


@pytest.fixture
def source(transactional_db: None) -> Source:
    return make_source(make_project())


def test_a_source_that_received_nothing_has_an_accounting(source: Source) -> None:
    assert (source.count.received, source.count.last_received_at) == (0, None)


def test_one_after_another_write_to_one_share(source: Source) -> None:
    for _ in range(5):
        tallies.count(source.pk, {"waiting": 2})
    tallies.count(source.pk, {"waiting": -4, "used": 3, "set_aside": 1})
    count = SourceCount.objects.get(source=source)
    assert (count.waiting, count.used, count.set_aside, count.received) == (6, 3, 1, 10)
    assert SourceTally.objects.count() == 1


def test_nobody_waits_for_a_writer_that_has_not_committed(source: Source) -> None:
    tallies.count(source.pk, {"waiting": 1})

    def overtake() -> None:
        for _ in range(3):
            tallies.count(source.pk, {"waiting": 1})

    while_uncommitted(partial(tallies.count, source.pk, {"waiting": 1}), overtake)
    assert SourceCount.objects.get(source=source).waiting == 5
    assert SourceTally.objects.count() <= 2


def test_what_is_taken_back_is_not_counted(source: Source) -> None:
    with transaction.atomic():
        tallies.count(source.pk, {"waiting": 1})
        transaction.set_rollback(True)
    assert SourceCount.objects.get(source=source).received == 0


def test_shares_go_with_their_source(source: Source) -> None:
    tallies.count(source.pk, {"waiting": 1})
    source.delete()
    assert not SourceTally.objects.exists()


def test_only_counters_that_there_are_are_counted(source: Source) -> None:
    with pytest.raises(KeyError, match="seen"):
        tallies.count(source.pk, {"seen": 1})
