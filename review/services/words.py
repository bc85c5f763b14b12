"""What customers write on answers is feedback like any other: it comes in the one way, and goes with its verdict."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django_q.tasks import async_task

from feedback_ingest.models import FeedbackItem
from feedback_ingest.services import ingest_items
from feedback_ingest.services.removal import remove_items
from projects.models import Project
from review.models import Feedback
from sources.items import RawItem
from sources.models import Source
from sources.services import make_source

NAME = "AI answers"
BATCH = 100
TARGETS = ("run__agent", "version", "message", "conversation", "user", "item")


def ask_for(feedback: Feedback) -> None:
    """Have the words of a verdict taken in after the commit, if they are due; what is lost then, the sweep finds."""
    if feedback.words_due:
        transaction.on_commit(partial(async_task, "review.tasks.take_in_words", feedback.project_id))


def sweep() -> int:
    """Take in what nobody was asked for, or what somebody did not finish; return how many verdicts that concerned."""
    due = Feedback.objects.filter(words_due=True).values("project").distinct()
    return sum(take_in_words(project) for project in Project.objects.filter(pk__in=due))


def take_in_words(project: Project) -> int:
    """Bring feedback up to date with what customers wrote on answers; return how many verdicts that concerned.

    While the source of these words is paused or deleted they wait.
    """
    taken = 0
    while batch := _take_in_batch(project):
        taken += batch
    return taken


def remove_words(project: Project, items: Sequence[int]) -> int:
    """Remove the feedback that verdicts had become, with its evidence; return how much there was."""
    removed = 0
    rows = FeedbackItem.objects.filter(project=project, pk__in=items, source__kind=Source.Kind.RESPONSES)
    for source in Source.objects.filter(pk__in=rows.values("source")):
        removed += remove_items(source, rows.filter(source=source).values_list("unique_id", flat=True))
    return removed


def remove_orphans() -> int:
    """Remove feedback whose verdict went with its run, conversation or assistant; return how much there was."""
    orphans = FeedbackItem.objects.filter(source__kind=Source.Kind.RESPONSES, verdicts=None)
    removed = 0
    for project in Project.objects.filter(pk__in=orphans.values("project")):
        removed += remove_words(project, list(orphans.filter(project=project).values_list("pk", flat=True)))
    return removed


@transaction.atomic
def _take_in_batch(project: Project) -> int:
    due = Feedback.objects.filter(project=project, words_due=True).order_by("pk").defer("search")
    # Other workers take other verdicts; whoever edits one of these waits, and asks again.
    batch = list(due.select_for_update(of=("self",), skip_locked=True, no_key=True).select_related(*TARGETS)[:BATCH])
    if not batch or not (source := _source(project)).takes_feedback:
        return 0
    spoken = {_key(feedback): feedback for feedback in batch if feedback.is_evidence}
    ingest_items(source, [_raw(project, key, feedback) for key, feedback in spoken.items()])
    items = dict(
        FeedbackItem.objects.filter(project=project, source=source, unique_id__in=spoken).values_list("unique_id", "pk")
    )
    silent = [feedback.item_id for feedback in batch if not feedback.is_evidence and feedback.item_id]
    for feedback in batch:
        # Words that are refused, such as those of somebody who was deleted, leave the verdict without an item.
        feedback.item_id = items.get(_key(feedback)) if feedback.is_evidence else None
        feedback.words_due = False
    Feedback.objects.bulk_update(batch, ["item", "words_due"])
    remove_words(project, silent)
    return len(batch)


def _source(project: Project) -> Source:
    """Return the project's source of words on answers, made at the first of them; a deleted one stays it."""
    known = Source.objects.filter(project=project, kind=Source.Kind.RESPONSES)
    source: Source | None = known.first()
    if source is None:
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        source = known.first()
    return source or make_source(project, Source.Kind.RESPONSES, NAME)


def _key(feedback: Feedback) -> str:
    """Return the id of its words among those of the source; it stays the same when a user judges anew."""
    return feedback.item.unique_id if feedback.item else str(feedback.uuid)


def _raw(project: Project, key: str, feedback: Feedback) -> RawItem:
    author, email = _author(feedback)
    return RawItem(
        unique_id=key,
        body=feedback.words,
        user_id=author,
        email=email,
        created_at=feedback.created_at,
        url=settings.SITE_URL + reverse("verdict_detail", args=[project.slug, feedback.uuid]),
        metadata=_facts(feedback),
    )


def _author(feedback: Feedback) -> tuple[str | None, str | None]:
    """Return user id and e-mail of who wrote it: the customer, or a member who tried what a customer was told."""
    customer, user = feedback.external_user_id, feedback.user
    is_other = user is not None and customer.casefold() not in (str(user.pk), user.email.casefold())
    address = customer if "@" in customer else None
    return None if is_other else customer or None, feedback.user_email or address


def _facts(feedback: Feedback) -> dict[str, Any]:
    """Say what was judged and how; ids, and what the customer's own client chose from a list."""
    facts = {
        "feedback": str(feedback.uuid),
        "verdict": feedback.sentiment,
        "environment": feedback.environment,
        "run": str(feedback.run_id) if feedback.run_id else None,
        "agent": feedback.run.agent.slug if feedback.run else None,
        "version": str(feedback.version) if feedback.version else None,
        "message": str(feedback.message.uuid) if feedback.message else None,
        "conversation": feedback.conversation.conversation_id if feedback.conversation else None,
        "model": feedback.model or None,
        "topic": feedback.topic,
    }
    return {name: value for name, value in facts.items() if value}
