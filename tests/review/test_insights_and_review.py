"""One insight holds what customers wrote anywhere and the thumbs-down of an assistant's users."""

import pytest
from django.test import Client

from insights.corrections import delete_mention
from insights.models import Insight
from projects.models import Project
from review.models import Feedback, GoldenExample
from review.services.golden import create_example
from review.services.protection import people_protected, protected_by
from review.services.transitions import dismiss_feedback, resolve_feedback
from tests.factories import Member, make_insight, make_item, make_mention, make_person, make_source
from tests.review.factories import make_run_feedback

pytestmark = pytest.mark.django_db


def make_heard(insight: Insight, sentiment: str = "negative", **mention: object) -> Feedback:
    """Make a verdict whose words are evidence for an insight."""
    project = insight.project
    feedback = make_run_feedback(project, sentiment, comment="It says 60 days, our policy says 30.")
    feedback.item = make_item(make_source(project), body=feedback.comment)
    feedback.save(update_fields=["item"])
    make_mention(insight, feedback.item, **mention)
    return feedback


def make_example(feedback: Feedback, reviewer: Member) -> GoldenExample:
    return resolve_feedback(feedback, actor=reviewer.user, golden_response="Within 30 days.")


def test_an_insight_has_the_negative_verdicts_whose_words_are_its_evidence(project: Project) -> None:
    insight = make_insight(project)
    heard = make_heard(insight)
    make_heard(insight, "positive")
    make_heard(make_insight(project))
    make_run_feedback(project, comment="Nobody has analysed this.")
    assert list(Feedback.objects.of_insight(insight)) == [heard]


def test_a_verdict_is_of_an_insight_once_however_often_it_speaks_of_it(project: Project) -> None:
    insight = make_insight(project)
    heard = make_heard(insight, start=0, end=15)
    assert heard.item is not None
    make_mention(insight, heard.item, start=17, end=35)
    assert Feedback.objects.of_insight(insight).count() == 1


def test_a_verdict_leaves_the_insight_with_its_mention(project: Project, owner: Member) -> None:
    insight = make_insight(project)
    heard = make_heard(insight)
    assert heard.item is not None
    delete_mention(heard.item.mentions.get(), actor=owner.user)
    assert not Feedback.objects.of_insight(insight).exists()


def shown(client: Client, member: Member, insight: Insight) -> str:
    client.force_login(member.user)
    answer = client.get(f"/p/{member.project.slug}/insights/{insight.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_insight_leads_to_the_review_of_its_answers(client: Client, project: Project, owner: Member) -> None:
    insight = make_insight(project)
    assert "AI answers" not in shown(client, owner, insight)
    first, second = make_heard(insight), make_heard(insight)
    dismiss_feedback(first, actor=owner.user)
    page = shown(client, owner, insight)
    assert "2 thumbs-down on AI answers speak of this." in page
    assert f'/p/{project.slug}/review/?insight={insight.pk}">' in page
    assert "Review AI answers (1)" in page
    queue = client.get(f"/p/{project.slug}/review/", {"insight": str(insight.pk)}, follow=True).content.decode()
    assert str(second.uuid) in queue
    assert str(first.uuid) not in queue


def test_an_insight_says_when_all_its_answers_are_reviewed(client: Client, project: Project, owner: Member) -> None:
    insight = make_insight(project)
    make_example(make_heard(insight), owner)
    page = shown(client, owner, insight)
    assert "All of them are reviewed" in page
    assert "1 golden example shows how to answer right." in page


def test_an_example_protects_the_people_of_its_insights(project: Project, reviewer: Member) -> None:
    insight = make_insight(project)
    heard = make_heard(insight)
    for _ in range(3):
        make_mention(insight, make_item(make_source(project)))
    assert protected_by(make_example(heard, reviewer)) == [(insight, 4)]


def test_somebody_who_speaks_of_two_insights_is_protected_once(project: Project, reviewer: Member) -> None:
    refunds, answers = make_insight(project), make_insight(project)
    someone = make_person(project)
    heard = make_heard(refunds, start=0, end=15, person=someone)
    assert heard.item is not None
    make_mention(answers, heard.item, start=17, end=35, person=someone)
    make_mention(answers, make_item(make_source(project)))
    example = make_example(heard, reviewer)
    assert protected_by(example) == [(answers, 2), (refunds, 1)]
    assert people_protected(example) == 2


def test_an_example_written_by_hand_or_of_silent_feedback_protects_nobody(project: Project, reviewer: Member) -> None:
    by_hand = create_example(project, actor=reviewer.user, original_query="Why?", golden_response="Because.")
    silent = make_example(make_run_feedback(project), reviewer)
    assert protected_by(by_hand) == protected_by(silent) == []
    assert people_protected(silent) == 0
