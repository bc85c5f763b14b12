"""What customers write on answers enters feedback once, follows its verdict, and goes with it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from feedback_ingest.models import FeedbackItem
from insights.listing import count_insight
from insights.models import Mention
from insights.pipeline import analyse_project
from insights.ranges import Range
from privacy.suppressions import suppress_person
from projects.models import Project
from review import tasks
from review.models import Feedback
from review.services import words
from review.services.feedback import (
    Verdict,
    edit_verdict,
    remove_verdict,
    submit_on_agent,
    submit_on_conversation,
    submit_on_message,
    submit_on_run,
    submit_on_tracked_message,
)
from sources.models import Source
from sources.services import delete_source, pause_source, purge_deleted_sources, restore_source, resume_source
from tests.factories import Member, make_insight, make_mention
from tests.review.factories import make_answer, make_conversation, make_run, make_run_feedback

pytestmark = pytest.mark.django_db
COMMENT = "The refund period is wrong: it is 30 days, not 60."


def heard(project: Project) -> Source:
    return Source.objects.get(project=project, kind=Source.Kind.RESPONSES)


def bodies(project: Project) -> list[str]:
    return sorted(FeedbackItem.objects.filter(project=project).values_list("body", flat=True))


def accounted(project: Project) -> tuple[int, int]:
    return heard(project).count.received, FeedbackItem.objects.filter(project=project).count()


def test_a_comment_becomes_feedback_with_who_wrote_it_and_on_what(project: Project) -> None:
    feedback = make_run_feedback(project, comment=COMMENT, user_id="customer-1")
    assert words.take_in_words(project) == 1
    feedback.refresh_from_db()
    item = feedback.item
    assert item is not None
    assert (item.body, item.user_id, item.created_at) == (COMMENT, "customer-1", feedback.created_at)
    assert item.metadata is not None
    assert (item.metadata["verdict"], item.metadata["run"]) == ("negative", str(feedback.run_id))
    assert (item.url or "").endswith(f"/review/verdicts/{feedback.uuid}/")
    assert (item.source.name, item.state) == ("AI answers", "waiting")
    assert accounted(project) == (1, 1)


def test_a_reason_counts_where_there_is_no_comment(project: Project) -> None:
    make_run_feedback(project, reason="It invents menu entries.")
    make_run_feedback(project)
    words.take_in_words(project)
    assert bodies(project) == ["It invents menu entries."]


def test_verdicts_of_every_kind_are_heard_and_those_of_the_team_are_not(project: Project, reviewer: Member) -> None:
    conversation, message = make_conversation(project), make_answer(project)
    for origin in ("customer", "platform"):
        submit_on_conversation(conversation, Verdict("neutral", comment=f"{origin} on all"), origin=origin)
        submit_on_agent(project.tracked_agents.get(), Verdict("negative", comment=f"{origin} on it"), origin=origin)
        submit_on_tracked_message(make_answer(project), Verdict("positive", comment=f"{origin} here"), origin=origin)
    submit_on_message(message, Verdict("negative", reason="A member tried"), user=reviewer.user)
    words.take_in_words(project)
    assert bodies(project) == ["A member tried", "customer here", "customer on all", "customer on it"]


def test_a_members_words_are_never_evidence_of_a_customer(project: Project, reviewer: Member) -> None:
    message = make_answer(project, customer_id="customer-1")
    submit_on_message(message, Verdict("negative", reason=COMMENT), user=reviewer.user)
    words.take_in_words(project)
    item = FeedbackItem.objects.get(project=project)
    assert (item.user_id, item.email) == (None, reviewer.user.email)
    analyse_project(project)
    assert not Mention.objects.filter(project=project).exists()


def test_taking_in_again_changes_nothing(project: Project) -> None:
    make_run_feedback(project, comment=COMMENT)
    words.take_in_words(project)
    Feedback.objects.update(words_due=True)
    words.take_in_words(project)
    assert words.take_in_words(project) == 0
    assert accounted(project) == (1, 1)
    assert heard(project).count.unchanged == 1


def test_many_are_taken_in_batch_by_batch(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "BATCH", 2)
    for number in range(5):
        make_run_feedback(project, comment=f"{COMMENT} {number}", user_id=f"customer-{number}")
    assert words.take_in_words(project) == 5
    assert accounted(project) == (5, 5)


def test_changed_words_change_their_feedback(project: Project) -> None:
    vote, _ = submit_on_tracked_message(make_answer(project), Verdict("negative", comment="Wrnog"), origin="customer")
    words.take_in_words(project)
    edit_verdict(vote, comment=COMMENT)
    words.take_in_words(project)
    assert bodies(project) == [COMMENT]
    assert accounted(project) == (1, 1)


def test_words_that_are_taken_back_leave_feedback(project: Project) -> None:
    vote, _ = submit_on_tracked_message(make_answer(project), Verdict("negative", comment=COMMENT), origin="customer")
    words.take_in_words(project)
    edit_verdict(vote, comment="")
    words.take_in_words(project)
    vote.refresh_from_db()
    assert vote.item is None
    assert accounted(project) == (0, 0)


def test_a_user_who_judges_anew_is_heard_once_with_the_last_words(project: Project) -> None:
    run = make_run(project)
    for comment in ("First thought", "Second thought"):
        submit_on_run(run, Verdict("negative", comment=comment), external_user_id="customer-1")
        words.take_in_words(project)
    assert bodies(project) == ["Second thought"]
    current = Feedback.objects.current().get()
    assert current.item is not None
    assert Feedback.objects.exclude(pk=current.pk).get().item is None

    submit_on_run(run, Verdict("positive"), external_user_id="customer-1")
    words.take_in_words(project)
    assert accounted(project) == (0, 0)


def test_a_verdict_replaced_before_it_was_heard_is_never_heard(project: Project) -> None:
    run = make_run(project)
    submit_on_run(run, Verdict("negative", comment="Too early"), external_user_id="customer-1")
    submit_on_run(run, Verdict("positive", comment="On reflection"), external_user_id="customer-1")
    words.take_in_words(project)
    assert bodies(project) == ["On reflection"]


def test_deleting_a_verdict_takes_its_words_out_of_insights_and_counts(project: Project) -> None:
    feedback = make_run_feedback(project, comment=COMMENT, user_id="customer-1")
    words.take_in_words(project)
    feedback.refresh_from_db()
    insight = make_insight(project)
    assert feedback.item is not None
    make_mention(insight, feedback.item)
    assert remove_verdict(feedback)
    assert count_insight(insight, Range.of(project, None, None)).people == 0
    assert accounted(project) == (0, 0)


def test_words_whose_run_is_gone_are_removed_by_the_nightly_job(project: Project) -> None:
    kept, lost = make_run_feedback(project, comment="Stays"), make_run_feedback(project, comment="Goes")
    words.take_in_words(project)
    assert lost.run is not None
    lost.run.delete()
    tasks.remove_orphaned_words()
    assert bodies(project) == ["Stays"]
    assert accounted(project) == (1, 1)
    assert Feedback.objects.get() == kept


def test_a_person_who_wrote_elsewhere_too_counts_once(project: Project) -> None:
    for number in range(2):
        make_run_feedback(project, comment=f"{COMMENT} ({number})", user_id="customer-1")
    words.take_in_words(project)
    analyse_project(project)
    people = FeedbackItem.objects.filter(project=project, person__isnull=False).values("person").distinct()
    assert people.count() == 1


def test_while_their_source_is_paused_words_wait(project: Project, owner: Member) -> None:
    make_run_feedback(project, comment="Before")
    words.take_in_words(project)
    pause_source(heard(project), actor=owner.user)
    make_run_feedback(project, comment="Meanwhile")
    assert words.take_in_words(project) == 0
    resume_source(heard(project), actor=owner.user)
    words.take_in_words(project)
    assert bodies(project) == ["Before", "Meanwhile"]


def test_deleting_their_source_hides_words_and_keeps_verdicts(project: Project, owner: Member) -> None:
    feedback = make_run_feedback(project, comment=COMMENT)
    words.take_in_words(project)
    feedback.refresh_from_db()
    insight = make_insight(project)
    assert feedback.item is not None
    make_mention(insight, feedback.item)
    delete_source(heard(project), actor=owner.user)
    assert not Feedback.objects.of_insight(insight).exists()
    restore_source(heard(project), actor=owner.user)
    assert Feedback.objects.of_insight(insight).exists()

    delete_source(heard(project), actor=owner.user)
    Source.objects.filter(project=project).update(deleted_at=timezone.now() - timedelta(days=31))
    purge_deleted_sources()
    feedback.refresh_from_db()
    assert feedback.item_id is None
    assert feedback.comment == COMMENT
    assert words.take_in_words(project) == 0
    assert not FeedbackItem.objects.filter(project=project).exists()


def test_words_of_somebody_who_was_deleted_are_not_taken_in(project: Project) -> None:
    feedback = make_run_feedback(project, comment=COMMENT, user_id="customer-1")
    until = timezone.now() + timedelta(minutes=1)
    suppress_person(project.pk, user_ids=["customer-1"], until=until)
    words.take_in_words(project)
    feedback.refresh_from_db()
    assert (feedback.item, feedback.words_due) == (None, False)


@contextmanager
def killed_while_storing() -> Iterator[None]:
    """Die after the words are stored and before the verdict knows."""
    with patch.object(Feedback.objects, "bulk_update", side_effect=SystemExit), pytest.raises(SystemExit):
        yield


@pytest.mark.django_db(transaction=True)
def test_the_sweep_finds_what_was_lost_when_a_worker_was_killed(project: Project) -> None:
    make_run_feedback(project, comment=COMMENT)
    with killed_while_storing():
        tasks.take_in_words(project.pk)
    assert not FeedbackItem.objects.exists()
    tasks.sweep_words()
    assert bodies(project) == [COMMENT]
    assert accounted(project) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_workers_who_take_in_at_once_store_everything_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "BATCH", 3)
    for number in range(20):
        make_run_feedback(project, comment=f"{COMMENT} {number}", user_id=f"customer-{number}")

    def take_in(_: int) -> int:
        try:
            return words.take_in_words(project)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        taken = list(workers.map(take_in, range(4)))
    assert sum(taken) == 20
    assert accounted(project) == (20, 20)
    assert Feedback.objects.filter(item=None).count() == 0
    assert Source.objects.filter(kind=Source.Kind.RESPONSES).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_verdict_with_words_asks_for_them_on_commit(project: Project) -> None:
    make_run_feedback(project)
    assert not OrmQ.objects.exists()
    make_run_feedback(project, comment=COMMENT)
    asked: list[Any] = [task.task for task in OrmQ.objects.all()]
    assert [(task["func"], task["args"]) for task in asked] == [("review.tasks.take_in_words", (project.pk,))]
    assert not connection.in_atomic_block
