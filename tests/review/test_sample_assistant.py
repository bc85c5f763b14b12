"""The sample's AI half is loaded with the rest: agents, runs, conversations, verdicts that tell a story, examples."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from feedback_ingest.models import Conversation, FeedbackItem, Message
from feedback_ingest.sample.loading import load_sample
from projects.models import Project
from projects.services import remove_sample_project
from review.models import (
    Agent,
    AgentDeployment,
    AgentVersion,
    Feedback,
    FeedbackCount,
    FeedbackSpan,
    GoldenExample,
    KnowledgeDocument,
    Run,
)
from review.sample import load_assistant
from review.services.counts import satisfaction, statistics
from tests.factories import make_project, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Project]:
    """A sample for all tests: what one changes of it is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        project = make_project()
        load_assistant(project, timezone.now())
        yield project
        transaction.set_rollback(True)


@pytest.fixture
def sample(loaded: Project, db: None) -> Project:
    return loaded


def test_it_holds_everything_that_the_review_half_shows(sample: Project) -> None:
    of_project = {"project": sample}
    assert Agent.objects.filter(**of_project).count() == 2
    assert set(AgentVersion.objects.filter(**of_project, agent__slug="vanfold-assistant").values_list("major")) == {
        (3,), (4,), (5,),
    }  # fmt: skip
    assert AgentDeployment.objects.get(agent__slug="vanfold-assistant", environment="production").version.major == 5
    assert Conversation.objects.filter(**of_project).count() == 40
    assert Message.objects.filter(**of_project).count() == 80
    assert Run.objects.filter(**of_project).count() > 100
    assert KnowledgeDocument.objects.filter(**of_project, kind="incident").count() == 3
    assert FeedbackSpan.objects.filter(**of_project).exists()
    numbers = statistics(sample)
    assert min(
        numbers.pending_count, numbers.auto_approved_count, numbers.reviewed_count, numbers.dismissed_count,
        numbers.golden_examples_count,
    ) >= 4  # fmt: skip
    assert numbers.pending_count <= 40


def test_verdicts_of_four_months_show_how_a_version_made_it_worse_and_the_next_better(sample: Project) -> None:
    now = timezone.now()
    first = Feedback.objects.filter(project=sample).order_by("created_at").first()
    assert first is not None
    assert first.created_at < now - timedelta(days=100)
    days = (120, 28.5, 3.1, 0)
    scores = [
        satisfaction(sample, start=now - timedelta(days=since), end=now - timedelta(days=until)).score
        for since, until in pairwise(days)
    ]
    good, bad, mended = (score or 0 for score in scores)
    assert good > 0.7
    assert bad < 0.5
    assert mended > 0.8


def test_nothing_happens_before_its_time_or_in_the_future(sample: Project) -> None:
    now = timezone.now()
    assert not Feedback.objects.filter(project=sample, created_at__gt=now).exists()
    assert not Run.objects.filter(project=sample, created_at__gt=now).exists()
    for verdict in Feedback.objects.filter(project=sample, run__isnull=False).select_related("run"):
        assert verdict.run is not None
        assert verdict.run.created_at < verdict.created_at


def test_golden_examples_come_of_verdicts_with_checks_on_both_sides_of_the_split(sample: Project) -> None:
    examples = GoldenExample.objects.filter(project=sample)
    assert examples.filter(source_type="negative", approval_type="manual", feedback__status="reviewed").count() >= 4
    assert {split for (split,) in examples.values_list("split").distinct()} == {"few_shot", "evaluation"}
    assert examples.exclude(checks=[]).count() == 8


def test_what_users_wrote_waits_for_analysis_like_any_feedback(sample: Project) -> None:
    taken_in = FeedbackItem.objects.filter(project=sample, source__kind="responses")
    written = Feedback.objects.filter(project=sample).exclude(comment=None, reason=None)
    assert taken_in.count() == written.count() > 10
    assert not Feedback.objects.filter(project=sample, words_due=True).exists()
    assert set(taken_in.values_list("state", flat=True)) == {"waiting"}


def test_loading_it_again_changes_nothing(sample: Project) -> None:
    before = Feedback.objects.count(), Run.objects.count(), GoldenExample.objects.count(), FeedbackItem.objects.count()
    load_assistant(sample, timezone.now())
    after = Feedback.objects.count(), Run.objects.count(), GoldenExample.objects.count(), FeedbackItem.objects.count()
    assert before == after


def test_it_comes_with_the_sample_project_and_goes_with_it(sample: Project) -> None:
    someone = make_user()
    removed = load_sample(someone)
    assert Feedback.objects.filter(project=removed).exists()
    remove_sample_project(removed, actor=someone)
    connection.check_constraints()
    for kind in (Feedback, FeedbackCount, Agent, Run, GoldenExample, KnowledgeDocument, Conversation):
        assert set(kind.objects.values_list("project", flat=True)) == {sample.pk}
