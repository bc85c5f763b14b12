"""A run whose process was killed does not stay open for ever."""

from datetime import timedelta

import pytest
from django.utils import timezone

from projects.models import Project
from review.models import Run
from review.tasks import end_abandoned_runs
from tests.review.factories import make_run

pytestmark = pytest.mark.django_db


def test_only_old_open_runs_are_called_failed(project: Project) -> None:
    now = timezone.now()
    killed, going, done = (make_run(project) for _ in range(3))
    Run.objects.filter(pk__in=[killed.pk, going.pk]).update(status=Run.Status.RUNNING)
    Run.objects.filter(pk__in=[killed.pk, done.pk]).update(created_at=now - timedelta(hours=2))
    end_abandoned_runs()
    assert {run.pk: run.status for run in Run.objects.all()} == {
        killed.pk: Run.Status.FAILED,
        going.pk: Run.Status.RUNNING,
        done.pk: Run.Status.SUCCESS,
    }
    assert Run.objects.get(pk=killed.pk).error == {
        "code": "agent_run_failed",
        "message": "The process that ran it ended.",
    }
