"""What is older than a project keeps it goes every night, with what it stood for."""

from datetime import timedelta

import pytest
from django.utils import timezone

from feedback_ingest.models import FeedbackItem, Person
from feedback_ingest.tasks import forget_expired
from insights.listing import Filters, count_insight
from insights.models import LlmCall, Mention
from insights.ranges import Range
from insights.tasks import forget_payloads
from projects.models import Project
from sources.models import SourceCount
from tests.factories import make_insight, make_item, make_mention, make_project, make_source

pytestmark = pytest.mark.django_db


def days_ago(days: int) -> str:
    return (timezone.now() - timedelta(days=days)).isoformat()


def test_old_feedback_goes_with_its_mentions_counts_and_people(project: Project) -> None:
    project.retention_days = 90
    project.save()
    source, insight = make_source(project), make_insight(project)
    old = make_item(source, created_at=timezone.now() - timedelta(days=91))
    recent = make_item(source, created_at=timezone.now() - timedelta(days=89))
    for item in (old, recent):
        mention = make_mention(insight, item)
        FeedbackItem.objects.filter(pk=item.pk).update(person=mention.person)
    forget_expired()
    assert list(FeedbackItem.objects.all()) == [recent]
    assert [mention.item for mention in Mention.objects.all()] == [recent]
    assert Person.objects.count() == 1
    everything = Range.of(project, days_ago(400), None)
    assert count_insight(insight, everything, Filters()).people == 1
    assert SourceCount.objects.get(source=source).received == 1


def test_projects_without_a_limit_keep_everything(project: Project) -> None:
    item = make_item(make_source(project), created_at=timezone.now() - timedelta(days=4000))
    forget_expired()
    assert FeedbackItem.objects.get() == item


def test_people_that_something_was_said_about_stay(project: Project) -> None:
    project.retention_days = 1
    project.save()
    make_item(make_source(project), created_at=timezone.now() - timedelta(days=3))
    known = Person.objects.create(project=project, amplitude_id=1, properties={"plan": "pro"})
    forget_expired()
    assert list(Person.objects.all()) == [known]


def test_requests_to_models_are_emptied_and_their_cost_stays(project: Project) -> None:
    strict = make_project(retention_days=5)
    for owner, age in ((project, 31), (project, 29), (strict, 6), (strict, 4)):
        call = LlmCall.objects.create(project=owner, purpose="analyse", model="m", outcome="ok", payload={"input": "x"})
        LlmCall.objects.filter(pk=call.pk).update(created_at=timezone.now() - timedelta(days=age))
    forget_payloads()
    assert LlmCall.objects.count() == 4
    assert [call.payload for call in LlmCall.objects.order_by("pk")] == [None, {"input": "x"}, None, {"input": "x"}]
