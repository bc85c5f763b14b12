"""The review section of the console: the queue, decisions and their undo, the table, numbers, guidelines, settings."""

import hashlib
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects.models import AuditEvent, Project
from projects.roles import Role
from review.models import ApprovalStream, Feedback, FeedbackSettings, FeedbackSpan, GoldenExample, ReviewDraft
from review.services import holding, transitions
from review.services.feedback import Span, Verdict, submit_on_run
from review.services.golden import create_example
from tests.factories import Member, make_member
from tests.model_server import Asked, CallTool, Fault, ModelServer, Reply, Trouble
from tests.review.factories import ANSWER, QUERY, make_conversation, make_feedback, make_run, make_run_feedback

pytestmark = pytest.mark.django_db

# Session, person, grants, project, projects of the switcher.
QUERIES_OF_THE_FRAME = 5
# The list, three counts, settings, suspended streams, pace; the verdict, its spans, what was before, draft, reviewers.
QUERIES_OF_THE_QUEUE = QUERIES_OF_THE_FRAME + 12


def address(member: Member, feedback: Feedback | None = None, act: str = "") -> str:
    parts = ["", "p", member.project.slug, "review", *([str(feedback.uuid)] if feedback else []), *act.split("/")]
    return "/".join(part for index, part in enumerate(parts) if part or not index) + "/"


def see(client: Client, member: Member, feedback: Feedback | None = None, act: str = "", **query: str) -> Any:
    client.force_login(member.user)
    return client.get(address(member, feedback, act), query)


def do(client: Client, member: Member, feedback: Feedback, act: str, **sent: Any) -> Any:
    client.force_login(member.user)
    return client.post(address(member, feedback, act), sent, follow=True)


def words(page: Any) -> str:
    """Return what a page says, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def toasts(page: Any) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def undo(client: Client, page: Any) -> Any:
    found = re.search(r'action="([^"]+)">\s*<input type="hidden" name="csrf[^>]+><input[^>]+>\s*<button class="toast-b', page.content.decode())
    assert found, "there is no undo"
    return client.post(found[1].replace("&amp;", "&"), follow=True)


def make_queue(member: Member, number: int) -> list[Feedback]:
    """Make thumbs-down verdicts, the newest first."""
    made = [make_feedback(member.user, member.project, query=f"Question {n}?", answer=f"Answer {n}.") for n in range(number)]
    for age, feedback in enumerate(made):
        Feedback.objects.filter(pk=feedback.pk).update(created_at=timezone.now() - timedelta(hours=age + 1))
    return made


def make_sample(member: Member) -> Feedback:
    """Make an approved verdict that a reviewer has to check."""
    feedback = make_feedback(member.user, member.project, "positive")
    Feedback.objects.filter(pk=feedback.pk).update(sampled=True)
    feedback.refresh_from_db()
    assert feedback.status == "auto_approved"
    return feedback


def test_the_queue_shows_the_first_verdict_and_the_others_beside_it(client: Client, reviewer: Member) -> None:
    first, second, _ = make_queue(reviewer, 3)
    page = see(client, reviewer)
    assert page.context["feedback"] == first
    assert [row.feedback.uuid for row in page.context["rows"]][1] == second.uuid
    said = words(page)
    for expected in ("Question 0?", "Answer 0.", "Question 2?", "0 of 3", "Needs you 3", "Good as is", "Thumbs-down"):
        assert expected in said
