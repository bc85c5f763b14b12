"""The pages of the review section, as tests open them, act on them and read them."""

import html
import re
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from review.models import Feedback
from tests.factories import Member
from tests.review.factories import make_feedback


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
    # Read off the page: what templates were given is mixed up between threads.
    return [html.unescape(text) for text in re.findall(r'class="toast-text">([^<]+)<', page.content.decode())]


def undo(client: Client, page: Any) -> Any:
    found = re.search(
        r'action="([^"]+)">\s*<input type="hidden" name="csrf[^>]+><input[^>]+>\s*<button class="toast-b',
        page.content.decode(),
    )
    assert found, "there is no undo"
    return client.post(found[1].replace("&amp;", "&"), follow=True)


def make_queue(member: Member, number: int) -> list[Feedback]:
    """Make thumbs-down verdicts, the newest first."""
    made = [
        make_feedback(member.user, member.project, query=f"Question {n}?", answer=f"Answer {n}.") for n in range(number)
    ]
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
