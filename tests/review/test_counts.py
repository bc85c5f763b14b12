"""The counters of verdicts are exact with any number of writers, none of whom waits for another."""

from functools import partial

import pytest

from projects.models import Project
from review.models import Feedback, FeedbackCount
from review.services.counts import statistics
from tests.factories import make_project
from tests.races import while_uncommitted
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

    def overtake() -> None:
        for _ in range(3):
            make_run_feedback(project)

    while_uncommitted(partial(make_run_feedback, project), overtake)
    assert pending(project) == 5


def test_what_was_counted_in_a_share_that_somebody_else_is_writing_is_taken_away_all_the_same(
    project: Project,
) -> None:
    gone = make_run_feedback(project)
    while_uncommitted(partial(make_run_feedback, project), Feedback.objects.filter(pk=gone.pk).delete)
    assert pending(project) == 1
