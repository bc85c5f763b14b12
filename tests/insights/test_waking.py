"""Waking the analysis: one job is enough, and what was never woken is found."""

from contextlib import suppress
from unittest.mock import patch

import pytest
from django_q.models import OrmQ

from feedback_ingest.models import FeedbackItem
from feedback_ingest.services import ingest_items
from insights import tasks
from sources.items import RawItem
from sources.models import Source
from tests.factories import make_project, make_source

pytestmark = pytest.mark.django_db(transaction=True)

LOST = 100


def arrive(source: Source, number: int) -> None:
    ingest_items(source, [RawItem(unique_id=f"item-{number}", body=f"The calendar crashes, case {number}.")])


def run_jobs() -> None:
    for queued in OrmQ.objects.all():
        queued.delete()
        tasks.analyse(*queued.task["args"])


def test_one_job_is_asked_for_until_it_begins() -> None:
    source = make_source(make_project())
    for number in range(3):
        arrive(source, number)
    assert OrmQ.objects.count() == 1
    run_jobs()
    arrive(source, 3)
    assert OrmQ.objects.count() == 1


def test_jobs_for_the_same_backlog_become_one(monkeypatch: pytest.MonkeyPatch) -> None:
    arrive(make_source(make_project()), 0)
    tasks.sweep()
    tasks.sweep()
    turns: list[object] = []

    def much_is_left(project: object) -> bool:
        turns.append(project)
        return True

    monkeypatch.setattr(tasks, "analyse_project", much_is_left)
    run_jobs()
    assert (len(turns), OrmQ.objects.count()) == (1, 1)


def test_one_sweep_finds_all_whose_wake_up_was_lost_between_the_commit_and_the_queue() -> None:
    sources = [make_source(make_project()) for _ in range(10)]
    with patch("insights.wake.async_task", side_effect=SystemExit):
        for number in range(LOST):
            with suppress(SystemExit):
                arrive(sources[number % len(sources)], number)
    assert not OrmQ.objects.exists()
    tasks.sweep()
    run_jobs()
    assert FeedbackItem.objects.exclude(state=FeedbackItem.State.WAITING).count() == LOST
