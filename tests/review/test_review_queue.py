"""The review queue in the console: what is in it, in which order, for whom, and what is shown of each verdict."""

import hashlib
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review.models import Feedback, FeedbackSpan
from review.services import holding, transitions
from review.services.feedback import Verdict, submit_on_message, submit_on_run
from review.services.spans import Span
from tests.factories import Member, make_insight, make_item, make_mention, make_source
from tests.review.factories import make_answer, make_conversation, make_feedback, make_run, make_run_feedback
from tests.review.pages import address, do, make_queue, see, toasts, undo, words

pytestmark = pytest.mark.django_db

# Session, person, grants, project, projects of the switcher.
QUERIES_OF_THE_FRAME = 5
# The list and what is skipped, three counts, settings, suspended streams, pace; the verdict, its spans, what was
# said before, the draft, the reviewers.
QUERIES_OF_THE_QUEUE = QUERIES_OF_THE_FRAME + 13
# The verdict, three to decide between two of the transaction, the message, whether the next one still waits.
QUERIES_OF_A_DISMISSAL = QUERIES_OF_THE_FRAME + 7


def test_the_queue_shows_the_first_verdict_and_the_others_beside_it(client: Client, reviewer: Member) -> None:
    first, second, _ = make_queue(reviewer, 3)
    page = see(client, reviewer)
    assert page.context["feedback"] == first
    assert [row.feedback.uuid for row in page.context["rows"]][1] == second.uuid
    said = words(page)
    for expected in ("Question 0?", "Answer 0.", "Question 2?", "0 of 3", "Needs you 3", "Good as is", "Thumbs-down"):
        assert expected in said


def test_skipping_puts_it_at_the_end_for_oneself_only(client: Client, reviewer: Member, owner: Member) -> None:
    first, second = make_queue(reviewer, 2)
    page = do(client, reviewer, first, "skip", following=second.uuid)
    assert page.context["feedback"] == second
    assert [row.feedback.pk for row in see(client, reviewer).context["rows"]] == [second.pk, first.pk]
    assert see(client, owner).context["feedback"] == first
    client.force_login(reviewer.user)
    undo(client, page)
    assert see(client, reviewer).context["feedback"] == first


def test_what_somebody_has_open_is_theirs_until_they_leave(client: Client, reviewer: Member, owner: Member) -> None:
    first, second = make_queue(reviewer, 2)
    do(client, owner, first, "hold")
    page = see(client, reviewer)
    assert page.context["feedback"] == second
    held = words(see(client, reviewer, first))
    assert f"{owner.user} has this open" in held
    assert "Good as is" not in held
    client.force_login(reviewer.user)
    refused = client.post(address(reviewer, first, "hold") + "?held=yes")
    assert "HX-Refresh" not in refused.headers
    client.force_login(owner.user)
    assert client.post(address(owner, first, "hold") + "?release=yes").status_code == 204
    client.force_login(reviewer.user)
    assert client.post(address(reviewer, first, "hold") + "?held=yes").headers["HX-Refresh"] == "true"
    first.refresh_from_db()
    assert first.held_by == reviewer.user


def test_a_hold_runs_out_by_itself(client: Client, reviewer: Member, owner: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    do(client, owner, feedback, "hold")
    Feedback.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert see(client, reviewer).context["decides"]


def test_a_page_that_is_open_learns_that_somebody_else_decided(client: Client, reviewer: Member, owner: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    transitions.dismiss_feedback(feedback, actor=owner.user)
    client.force_login(reviewer.user)
    assert client.post(address(reviewer, feedback, "hold")).headers["HX-Refresh"] == "true"


def test_the_words_that_users_selected_are_lit_by_how_many_did(client: Client, owner: Member) -> None:
    run = make_run(owner.project, output="Two hours 😀 on average.", answer="Two hours 😀 on average.")
    for user, (start, end, text) in {"a": (0, 9, "Two hours"), "b": (4, 11, "hours 😀")}.items():
        submit_on_run(run, Verdict("negative", spans=[Span(start, end, text, "wrong")]), external_user_id=user)
    moved = FeedbackSpan.objects.create(
        project=owner.project, feedback=Feedback.objects.get(external_user_id="b"), start=12, end=14,
        text_hash=hashlib.sha256(b"no").digest(),
    )  # fmt: skip
    page = see(client, owner, Feedback.objects.get(external_user_id="a"))
    assert [tuple(segment) for segment in page.context["answer"].segments if segment.users] == [
        ("Two ", 1), ("hours", 2), (" 😀", 1),
    ]  # fmt: skip
    assert moved.end <= len(run.answer), "what does not read as it did is not lit"


def test_the_conversation_before_and_the_tools_are_shown(client: Client, reviewer: Member) -> None:
    conversation = make_conversation(reviewer.project, customer_id=reviewer.user.email)
    make_answer(reviewer.project, query="Hello?", answer="Hi.", conversation=conversation)
    answer = make_answer(reviewer.project, conversation=conversation)
    answer.metadata = {"tool_calls": [{"name": "find_incident"}, {"function": {"name": "search"}}, 7]}
    answer.save()
    feedback = submit_on_message(answer, Verdict("negative"), user=reviewer.user)
    page = see(client, reviewer, feedback)
    assert [turn.text for turn in page.context["turns"]] == ["Hello?", "Hi."]
    assert page.context["tools"] == ["find_incident", "search"]


def test_customers_are_masked_from_who_may_not_see_people(client: Client, reviewer: Member, owner: Member) -> None:
    feedback = make_run_feedback(reviewer.project, user_id="jane-7")
    assert "jane-7" in words(see(client, owner, feedback))
    assert "jane-7" not in words(see(client, reviewer, feedback))


def test_a_viewer_reads_and_decides_nothing(client: Client, reviewer: Member, viewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    page = see(client, viewer)
    assert "Answer 0." in words(page)
    assert "Good as is" not in words(page)
    assert do(client, viewer, feedback, "dismiss").status_code == 403
    assert see(client, viewer, None, "table").status_code == 200


def test_filters_stand_in_the_address_and_are_dropped_one_by_one(client: Client, reviewer: Member) -> None:
    make_queue(reviewer, 2)
    run = make_run_feedback(reviewer.project)
    agent = run.agent
    assert agent is not None
    today = timezone.now().date()
    cases: list[tuple[dict[str, str], int]] = [
        ({"source": "token"}, 1), ({"agent": f"a{agent.pk}"}, 1), ({"type": "negative"}, 3), ({"q": "question 1"}, 1),
        ({"status": "pending"}, 3), ({"model": "none"}, 0), ({"from": str(today - timedelta(days=2))}, 3),
        ({"from": str(today - timedelta(days=9)), "to": str(today - timedelta(days=8))}, 0),
    ]  # fmt: skip
    client.force_login(reviewer.user)
    for query, number in cases:
        page = client.get(address(reviewer), query)
        assert (query, len(page.context["rows"])) == (query, number)
        assert page.context["parts"][0]["count"] == number
        assert len(page.context["query"].chips) == len(query)
    page = see(client, reviewer, q="question 1", source="token")
    assert "Nothing fits these filters." in words(page)
    assert "Without source: Feedback token" in words(page)


def test_a_filter_that_is_not_known_is_left_out_and_said(client: Client, reviewer: Member) -> None:
    make_queue(reviewer, 1)
    client.force_login(reviewer.user)
    page = client.get(address(reviewer), {"status": "nonsense", "insight": "x", "from": "2026-02-31"})
    assert page.status_code == 200
    assert "were left out" in words(page)
    assert len(page.context["rows"]) == 1
    assert see(client, reviewer, after="nonsense").status_code == 400


def test_the_state_of_the_queue_survives_a_decision(client: Client, reviewer: Member) -> None:
    first, *_ = make_queue(reviewer, 2)
    page = do(client, reviewer, first, "dismiss", query="?q=answer&sort=oldest")
    assert page.request["QUERY_STRING"] == "q=answer&sort=oldest"
    stayed = do(client, reviewer, page.context["feedback"], "dismiss", query="?stay=yes")
    assert stayed.context["feedback"].status == "dismissed"


def test_pages_follow_each_other_without_gaps(client: Client, reviewer: Member, owner: Member) -> None:
    made = make_queue(reviewer, 28)
    for feedback in made[-2:]:
        holding.assign_feedback(feedback, actor=owner.user, assignee=reviewer.user)
    first = see(client, reviewer)
    rows = [row.feedback.pk for row in first.context["rows"]]
    client.force_login(reviewer.user)
    second = client.get(address(reviewer) + first.context["next_page_url"])
    rows += [row.feedback.pk for row in second.context["rows"]]
    assert rows == [feedback.pk for feedback in (*made[-2:], *made[:-2])]
    oldest = see(client, reviewer, sort="oldest").context["rows"]
    assert [row.feedback.pk for row in oldest[:3]] == [made[-1].pk, made[-2].pk, made[-3].pk]


def test_the_pace_is_the_reviewers_own(client: Client, reviewer: Member, owner: Member) -> None:
    made = make_queue(reviewer, 8)
    now = timezone.now()
    # The pauses: 20 s, 40 s, a lunch, 30 s; the median of those that are no break is 30 s.
    for seconds, feedback in zip((0, 30, 4000, 4040, 4060), made, strict=False):
        transitions.dismiss_feedback(feedback, actor=reviewer.user)
        Feedback.objects.filter(pk=feedback.pk).update(reviewed_at=now - timedelta(seconds=seconds))
    assert see(client, reviewer).context["pace"].seconds == pytest.approx(30)
    assert "about 2 min left" in words(see(client, reviewer))
    assert see(client, owner).context["pace"].seconds is None


def test_a_clear_queue_says_so_and_draws_ten_at_random(client: Client, reviewer: Member) -> None:
    for _ in range(12):
        make_feedback(reviewer.user, reviewer.project, "positive")
    Feedback.objects.update(sampled=False)
    page = see(client, reviewer)
    assert "Queue clear. 0 reviewed this week, 12 goldens added." in words(page)
    drawn = client.post(address(reviewer, None, "approval/sample"), follow=True)
    assert toasts(drawn) == ["10 drawn at random."]
    assert len(drawn.context["rows"]) == 10
    assert Feedback.objects.filter(sampled=True).count() == 10


def test_the_queue_and_a_decision_take_as_many_queries_at_any_length(client: Client, reviewer: Member) -> None:
    made = make_queue(reviewer, 3)
    see(client, reviewer)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            again = client.get(address(reviewer))
        assert again.status_code == 200
        return len(captured)

    few = queries()
    make_queue(reviewer, 12)
    assert few == queries() <= QUERIES_OF_THE_QUEUE
    with CaptureQueriesContext(connection) as captured:
        client.post(address(reviewer, made[0], "dismiss"), {"following": str(made[1].uuid)})
    assert len(captured) <= QUERIES_OF_A_DISMISSAL


def test_only_what_is_evidence_for_an_insight_is_reviewed(client: Client, reviewer: Member) -> None:
    first, second = make_queue(reviewer, 2)
    item = make_item(make_source(reviewer.project))
    insight = make_insight(reviewer.project, title="Answers are wrong")
    make_mention(insight, item)
    Feedback.objects.filter(pk=second.pk).update(item=item)
    page = see(client, reviewer, insight=str(insight.pk))
    assert [row.feedback.pk for row in page.context["rows"]] == [second.pk]
    assert page.context["parts"][0]["count"] == 1
    assert "Insight: Answers are wrong" in words(page)
    done = do(client, reviewer, second, "dismiss", query=f"?insight={insight.pk}")
    assert "Nothing fits these filters." in words(done)
    assert see(client, reviewer).context["feedback"] == first
