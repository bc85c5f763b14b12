"""The table of the review section: many verdicts at once."""

import pytest
from django.test import Client

from projects.models import Project
from review.models import Feedback, FeedbackSettings, GoldenExample
from review.services import transitions
from review.services.feedback import Verdict, submit_on_run
from tests.factories import Member
from tests.review.factories import make_feedback, make_run
from tests.review.pages import address, make_queue, see, toasts, undo

pytestmark = pytest.mark.django_db


def test_the_table_approves_and_dismisses_many_and_undoes_it(client: Client, reviewer: Member) -> None:
    FeedbackSettings.objects.create(project=reviewer.project, auto_approve_positive=False)
    made = [make_feedback(reviewer.user, reviewer.project, "positive") for _ in range(4)]
    transitions.dismiss_feedback(made[3], actor=reviewer.user)
    client.force_login(reviewer.user)
    chosen = {"action": "approve", "feedback": [str(feedback.uuid) for feedback in made]}
    page = client.post(address(reviewer, None, "table/decide"), chosen, follow=True)
    assert toasts(page) == ["3 approved.", "1 left alone: somebody decided before."]
    assert GoldenExample.objects.filter(is_active=True).count() == 3
    undo(client, page)
    assert Feedback.objects.filter(status="pending").count() == 3
    assert not GoldenExample.objects.filter(is_active=True).exists()


def test_the_table_leaves_thumbs_down_to_who_reads_them(client: Client, reviewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    client.force_login(reviewer.user)
    page = client.post(
        address(reviewer, None, "table/decide"), {"action": "approve", "feedback": str(feedback.uuid)}, follow=True
    )
    assert toasts(page) == ["1 left alone: a thumbs-down needs the right answer."]


def test_the_table_pages_by_place_and_counts_by_the_counters(client: Client, reviewer: Member) -> None:
    make_queue(reviewer, 53)
    first = see(client, reviewer, None, "table", status="pending")
    assert (len(first.context["rows"]), first.context["total"]) == (50, 53)
    second = client.get(address(reviewer, None, "table") + first.context["next_url"])
    assert len(second.context["rows"]) == 3
    assert not {row.pk for row in first.context["rows"]} & {row.pk for row in second.context["rows"]}


def test_lists_show_of_a_run_its_question_and_not_its_braces(client: Client, project: Project, owner: Member) -> None:
    run = make_run(project, input={"question": "Where is the export?"}, output={"answer": "Under Reports."})
    submit_on_run(run, Verdict("negative", reason="Wrong menu"), external_user_id="u1")
    client.force_login(owner.user)
    for path in ("", "table/", "verdicts/"):
        page = client.get(f"/p/{project.slug}/review/{path}").content.decode()
        assert "Where is the export?" in page
        assert "{ &quot;question&quot;" not in page
