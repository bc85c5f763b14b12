"""Satisfaction over REST: customers in production, in a range, of one assistant."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from feedback_ingest.models import Conversation
from projects.models import Project, TrackedAgent
from review.models import Feedback
from review.services.feedback import Verdict, submit_on_agent
from tests.factories import Member

pytestmark = pytest.mark.django_db
CUSTOMER, PLATFORM = Feedback.Origin.CUSTOMER, Feedback.Origin.PLATFORM


def say(
    agent: TrackedAgent,
    sentiment: str,
    *,
    origin: str = CUSTOMER,
    environment: str = Conversation.Environment.PRODUCTION,
    on: str = "2026-03-15T12:00",
) -> None:
    verdict = submit_on_agent(agent, Verdict(sentiment), origin=origin, environment=environment)
    moment = datetime.fromisoformat(on).replace(tzinfo=UTC)
    Feedback.objects.filter(pk=verdict.pk).update(created_at=moment)


def ask(member: Member, **query: Any) -> Any:
    return Client().get("/api/v1/satisfaction/", query, headers=member.headers)


def test_it_is_the_share_of_the_positive_among_those_who_took_a_side(project: Project, viewer: Member) -> None:
    agent = project.tracked_agents.get()
    assert ask(viewer).json() == {"positive": 0, "neutral": 0, "negative": 0, "score": None}
    for sentiment in ("positive", "positive", "positive", "negative", "neutral"):
        say(agent, sentiment)
    assert ask(viewer).json() == {"positive": 3, "neutral": 1, "negative": 1, "score": 0.75}


def test_neither_the_platform_nor_development_counts(project: Project, viewer: Member) -> None:
    agent = project.tracked_agents.get()
    say(agent, "positive")
    say(agent, "negative", origin=PLATFORM)
    say(agent, "negative", environment="development")
    assert ask(viewer).json()["score"] == 1
    assert ask(viewer, environment="development").json()["negative"] == 1
    assert ask(viewer, environment="all").json() == {"positive": 1, "neutral": 0, "negative": 1, "score": 0.5}


def test_a_range_begins_with_its_first_day_and_ends_before_its_last(project: Project, viewer: Member) -> None:
    project.time_zone = "Europe/Berlin"
    project.save()
    agent = project.tracked_agents.get()
    say(agent, "positive", on="2026-03-14T22:59")
    say(agent, "positive", on="2026-03-14T23:00")
    say(agent, "positive", on="2026-03-15T22:59")
    say(agent, "positive", on="2026-03-15T23:00")
    assert ask(viewer, **{"from": "2026-03-15", "to": "2026-03-16"}).json()["positive"] == 2
    assert ask(viewer, **{"from": "2026-03-15"}).json()["positive"] == 3
    assert ask(viewer, to="2026-03-14T23:00:00+00:00").json()["positive"] == 1


def test_one_assistant_can_be_asked_about(project: Project, viewer: Member) -> None:
    other = TrackedAgent.objects.create(project=project, name="Other")
    say(project.tracked_agents.get(name="Assistant"), "positive")
    say(other, "negative")
    assert ask(viewer, agent=other.pk).json() == {"positive": 0, "neutral": 0, "negative": 1, "score": 0}


def test_what_cannot_be_is_refused_in_our_words(project: Project, viewer: Member, stranger: Member) -> None:
    foreign = stranger.project.tracked_agents.get()
    for query, status, code in (
        ({"from": "soon"}, 400, "bad_date"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, 400, "bad_range"),
        ({"environment": "staging"}, 400, "bad_environment"),
        ({"agent": foreign.pk}, 404, "not_found"),
        ({"agent": "x"}, 404, "not_found"),
        ({"agent": "9" * 40}, 404, "not_found"),
    ):
        answer = ask(viewer, **query)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), query
    assert ask(stranger, project=project.pk).status_code == 404
