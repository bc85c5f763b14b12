"""The counters of verdicts are exact with any number of writers, none of whom waits for another."""

import threading

import pytest
from django.db import transaction

from projects.models import Project
from review.models import Feedback, FeedbackCount
from review.services.counts import statistics
from tests.factories import make_project
from tests.races import race
from tests.review.factories import make_run_feedback


@pytest.fixture
def project(transactional_db: None) -> Project:
    return make_project()


def pending(project: Project) -> int:
    return statistics(project).pending_count


def test_verdicts_one_after_another_are_counted_in_one_share(project: Project) -> None:
    for _ in range(3):
        make_run_feedback(project)
    assert pending(project) == 3
    assert FeedbackCount.objects.filter(status="pending").count() == 1


def test_no_verdict_waits_for_one_that_is_not_committed(project: Project) -> None:
    make_run_feedback(project)
    others_are_done = threading.Event()

    def linger() -> bool:
        with transaction.atomic():
            make_run_feedback(project)
            return others_are_done.wait(10)

    def overtake() -> None:
        for _ in range(3):
            make_run_feedback(project)
        others_are_done.set()

    assert race(linger, overtake) == [True, None]
    assert pending(project) == 5


def test_what_was_counted_in_a_share_that_somebody_else_is_writing_is_taken_away_all_the_same(
    project: Project,
) -> None:
    gone = make_run_feedback(project)
    deleted = threading.Event()

    def linger() -> bool:
        with transaction.atomic():
            make_run_feedback(project)
            return deleted.wait(10)

    def delete() -> None:
        Feedback.objects.filter(pk=gone.pk).delete()
        deleted.set()

    assert race(linger, delete) == [True, None]
    assert pending(project) == 1
