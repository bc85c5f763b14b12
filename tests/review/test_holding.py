"""Reviewers at work: the soft lock, being asked, and drafts."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from config.errors import DomainError
from projects.models import Project
from projects.roles import Role
from review.models import Feedback, ReviewDraft
from review.services.holding import HOLD, assign_feedback, hold_feedback, release_feedback, save_draft
from review.services.transitions import dismiss_feedback
from tests.factories import Member, make_member, make_project
from tests.races import race
from tests.review.factories import make_feedback


@pytest.mark.django_db
def test_a_hold_is_ones_own_until_it_is_released_or_runs_out(project: Project, owner: Member, reviewer: Member) -> None:
    feedback = make_feedback(owner.user, project)
    assert hold_feedback(feedback, actor=owner.user)
    assert hold_feedback(feedback, actor=owner.user)
    assert not hold_feedback(feedback, actor=reviewer.user)
    release_feedback(feedback, actor=reviewer.user)
    assert not hold_feedback(feedback, actor=reviewer.user)
    release_feedback(feedback, actor=owner.user)
    assert hold_feedback(feedback, actor=reviewer.user)
    Feedback.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert hold_feedback(feedback, actor=owner.user)
    held = Feedback.objects.get()
    assert held.held_by == owner.user
    assert held.held_until is not None
    assert timedelta(0) < held.held_until - timezone.now() <= HOLD


@pytest.mark.django_db
def test_a_decision_ends_the_hold(project: Project, owner: Member, reviewer: Member) -> None:
    feedback = make_feedback(owner.user, project)
    hold_feedback(feedback, actor=owner.user)
    dismiss_feedback(feedback, actor=reviewer.user)
    assert Feedback.objects.get().held_by is None


@pytest.mark.django_db(transaction=True)
def test_of_eight_who_open_it_at_once_one_holds_it() -> None:
    project = make_project()
    reviewers = [make_member(project, Role.REVIEWER).user for _ in range(8)]
    feedback = make_feedback(reviewers[0], project)
    assert sum(race(*(partial(hold_feedback, feedback, actor=reviewer) for reviewer in reviewers))) == 1


@pytest.mark.django_db
def test_only_reviewers_ask_and_are_asked(project: Project, owner: Member, reviewer: Member, viewer: Member) -> None:
    feedback = make_feedback(owner.user, project)
    assign_feedback(feedback, actor=owner.user, assignee=reviewer.user)
    assert Feedback.objects.get().assignee == reviewer.user
    for actor, assignee in ((owner, viewer), (viewer, owner)):
        with pytest.raises(DomainError):
            assign_feedback(feedback, actor=actor.user, assignee=assignee.user)
    assign_feedback(feedback, actor=owner.user, assignee=None)
    assert Feedback.objects.get().assignee is None


@pytest.mark.django_db
def test_each_reviewer_has_a_draft_of_their_own(project: Project, owner: Member, reviewer: Member) -> None:
    feedback = make_feedback(owner.user, project)
    save_draft(feedback, actor=owner.user, text="One")
    save_draft(feedback, actor=reviewer.user, text="Two")
    save_draft(feedback, actor=owner.user, text="Three")
    assert dict(ReviewDraft.objects.values_list("reviewer", "text")) == {
        owner.user.pk: "Three", reviewer.user.pk: "Two",
    }  # fmt: skip
