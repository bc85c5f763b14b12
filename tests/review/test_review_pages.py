"""The review section of the console: the queue, decisions and their undo, the table, numbers, guidelines, settings."""

import hashlib
import html
import json
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
from projects.streams import AT_ONCE, bounded
from review.models import ApprovalStream, Feedback, FeedbackSettings, FeedbackSpan, GoldenExample, ReviewDraft
from review.services import holding, transitions
from review.services.feedback import Verdict, submit_on_message, submit_on_run
from review.services.golden import create_example
from review.services.spans import Span
from tests.factories import Member, make_insight, make_item, make_member, make_mention, make_source
from tests.model_server import Asked, CallTool, Fault, ModelServer, Reply, Trouble
from tests.review.factories import make_answer, make_conversation, make_feedback, make_run, make_run_feedback

pytestmark = pytest.mark.django_db

# Session, person, grants, project, projects of the switcher.
QUERIES_OF_THE_FRAME = 5
# The list and what is skipped, three counts, settings, suspended streams, pace; the verdict, its spans, what was
# said before, the draft, the reviewers.
QUERIES_OF_THE_QUEUE = QUERIES_OF_THE_FRAME + 13
# The verdict, three to decide between two of the transaction, the message, whether the next one still waits.
QUERIES_OF_A_DISMISSAL = QUERIES_OF_THE_FRAME + 7


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


def test_the_queue_shows_the_first_verdict_and_the_others_beside_it(client: Client, reviewer: Member) -> None:
    first, second, _ = make_queue(reviewer, 3)
    page = see(client, reviewer)
    assert page.context["feedback"] == first
    assert [row.feedback.uuid for row in page.context["rows"]][1] == second.uuid
    said = words(page)
    for expected in ("Question 0?", "Answer 0.", "Question 2?", "0 of 3", "Needs you 3", "Good as is", "Thumbs-down"):
        assert expected in said


def test_an_answer_is_good_as_it_is_and_the_next_verdict_comes(client: Client, reviewer: Member) -> None:
    first, second, _ = make_queue(reviewer, 3)
    page = do(client, reviewer, first, "resolve", as_is="yes", following=second.uuid)
    assert toasts(page) == ["Saved as a golden example, as it was."]
    assert page.context["feedback"] == second
    first.refresh_from_db()
    assert (first.status, first.reviewed_by) == ("reviewed", reviewer.user)
    assert GoldenExample.objects.get().golden_response == "Answer 0."
    assert "1 of 3" in words(page)


def test_a_correction_becomes_the_golden_answer_in_one_step(client: Client, reviewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    page = do(client, reviewer, feedback, "resolve", golden_response="It depends.\r\nAsk us.")
    example = GoldenExample.objects.get()
    assert (example.golden_response, example.original_response) == ("It depends.\nAsk us.", "Answer 0.")
    assert example.provenance["feedback"] == str(feedback.uuid)
    assert "Queue clear. 1 reviewed this week, 1 golden added." in words(page)


def test_a_correction_without_words_is_not_saved(client: Client, reviewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    page = do(client, reviewer, feedback, "resolve", golden_response="  ")
    assert toasts(page) == ["Write the right answer first."]
    assert page.context["feedback"].status == "pending"


@pytest.mark.parametrize("sent", [{"as_is": "yes"}, {"golden_response": "Better."}])
def test_a_decision_is_undone_and_its_example_switched_off(
    client: Client, reviewer: Member, sent: dict[str, str]
) -> None:
    [feedback] = make_queue(reviewer, 1)
    page = undo(client, do(client, reviewer, feedback, "resolve", **sent))
    assert toasts(page) == ["Undone: it waits again."]
    assert page.context["feedback"] == feedback
    assert "Reopened" in words(page)
    assert not GoldenExample.objects.get().is_active


def test_a_dismissal_keeps_its_reason_and_is_undone(client: Client, reviewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    page = do(client, reviewer, feedback, "dismiss", reason="Out of scope")
    feedback.refresh_from_db()
    assert (feedback.status, feedback.dismissal_reason) == ("dismissed", "Out of scope")
    undo(client, page)
    feedback.refresh_from_db()
    assert feedback.status == "pending"


def test_an_undo_leaves_a_later_decision_alone(client: Client, reviewer: Member, owner: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    late = do(client, reviewer, feedback, "dismiss")
    do(client, owner, feedback, "reopen")
    do(client, owner, feedback, "resolve", golden_response="Better.")
    client.force_login(reviewer.user)
    page = undo(client, late)
    assert toasts(page)[0].startswith(f"Too late: {owner.user} approved it")
    assert page.context["feedback"].status == "reviewed"


def test_who_comes_too_late_hears_who_was_first_and_keeps_what_they_wrote(
    client: Client, reviewer: Member, owner: Member
) -> None:
    first, second = make_queue(reviewer, 2)
    do(client, owner, first, "dismiss")
    page = do(client, reviewer, first, "resolve", golden_response="My words.", following=second.uuid)
    assert toasts(page) == [f"Too late: {owner.user} dismissed it just now. What you wrote is kept as your draft."]
    assert page.context["feedback"] == second
    assert ReviewDraft.objects.get(feedback=first, reviewer=reviewer.user).text == "My words."
    first.refresh_from_db()
    assert (first.status, first.reviewed_by) == ("dismissed", owner.user)
    assert not GoldenExample.objects.exists()


def test_a_sample_is_found_right_corrected_or_dismissed(client: Client, reviewer: Member) -> None:
    right, corrected, wrong = (make_sample(reviewer) for _ in range(3))
    assert "Sampled check" in words(see(client, reviewer, right))
    do(client, reviewer, right, "resolve", as_is="yes")
    do(client, reviewer, corrected, "resolve", golden_response="Better.")
    do(client, reviewer, wrong, "dismiss")
    for feedback in (right, corrected, wrong):
        feedback.refresh_from_db()
    assert [each.status for each in (right, corrected, wrong)] == ["reviewed", "reviewed", "dismissed"]
    assert [each.sample_right for each in (right, corrected, wrong)] == [True, False, False]
    assert "Of 3 approvals that a reviewer checked, 2 were wrong: at most" in words(
        see(client, reviewer, None, "table")
    )
    assert GoldenExample.objects.get(feedback=corrected).golden_response == "Better."
    stream = ApprovalStream.objects.get()
    assert (stream.checked, stream.wrong) == (3, 2)


def test_a_second_reviewer_gets_it_first_of_all(client: Client, reviewer: Member, owner: Member) -> None:
    first, second, third = make_queue(reviewer, 3)
    page = do(client, reviewer, third, "assign", to=owner.user.pk)
    assert toasts(page) == [f"Given to {owner.user}."]
    assert page.context["feedback"] == first
    assert third.pk not in [row.feedback.pk for row in page.context["rows"]]
    assert [row.feedback.pk for row in see(client, reviewer, show="others").context["rows"]] == [third.pk]
    asked = see(client, owner)
    assert asked.context["feedback"] == third
    assert "Given to you" in words(asked)
    client.force_login(reviewer.user)
    undo(client, page)
    assert see(client, reviewer).context["rows"][2].feedback.pk == third.pk
    assert second.pk == see(client, reviewer).context["rows"][1].feedback.pk


def test_only_who_may_decide_is_asked(client: Client, reviewer: Member, viewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    page = do(client, reviewer, feedback, "assign", to=viewer.user.pk)
    assert page.status_code == 400
    assert "Only reviewers can be asked." in words(page)
    assert viewer.user not in see(client, reviewer).context["reviewers"]


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


def test_a_draft_is_kept_for_its_own_reviewer(client: Client, reviewer: Member, owner: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    do(client, reviewer, feedback, "draft", golden_response="Half an ans")
    assert see(client, reviewer).context["editor"] == "Half an ans"
    assert see(client, owner).context["editor"] == "Answer 0."


def test_the_preview_shows_changes_the_split_twins_and_conflicts(client: Client, reviewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    example = create_example(
        reviewer.project, actor=reviewer.user, original_query="Question 0?", golden_response="Something else.",
        split="evaluation",
    )  # fmt: skip
    page = do(client, reviewer, feedback, "preview", golden_response="Answer zero.")
    body = page.content.decode()
    assert "<del>0</del>" in body
    assert "<ins>zero</ins>" in body
    assert page.context["preview"].split == "evaluation"
    assert "1 example answers this differently" in words(page)
    assert example.golden_response in words(page)
    agreed = do(client, reviewer, feedback, "preview", golden_response="Something  else.")
    assert agreed.context["preview"].conflicts == 0


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


def test_statistics_show_satisfaction_reviewers_and_the_bound_of_wrong_approvals(
    client: Client, reviewer: Member
) -> None:
    for sentiment in ("positive", "positive", "positive", "negative"):
        make_feedback(reviewer.user, reviewer.project, sentiment)
    make_run_feedback(reviewer.project)
    pending = Feedback.objects.filter(status="pending").first()
    assert pending is not None
    transitions.dismiss_feedback(pending, actor=reviewer.user)
    ApprovalStream.objects.create(project=reviewer.project, channel="api", checked=100, wrong=1)
    page = see(client, reviewer, None, "statistics")
    assert page.context["in_all"].score == pytest.approx(3 / 5)
    assert page.context["agents"][0].positive == 3
    assert [(each.user, each.decided) for each in page.context["reviewers"]] == [(reviewer.user, 1)]
    assert "1 of 100 checked were wrong. At most 4.4% of all of them are" in words(page)


def test_approval_that_suspended_itself_is_announced_and_taken_back_by_one_click(
    client: Client, reviewer: Member
) -> None:
    feedback = make_feedback(reviewer.user, reviewer.project, "positive")
    stream = ApprovalStream.objects.create(
        project=reviewer.project, channel="api", tracked_agent=feedback.tracked_agent, checked=10, wrong=6,
        suspended_at=timezone.now(),
    )  # fmt: skip
    assert "Automatic approval suspended itself." in words(see(client, reviewer))
    page = client.post(address(reviewer, None, f"approval/{stream.pk}/revert"), follow=True)
    assert toasts(page) == ["1 taken back: they wait for a reviewer, and their examples are switched off."]
    feedback.refresh_from_db()
    assert feedback.status == "pending"
    assert not GoldenExample.objects.get().is_active
    client.post(address(reviewer, None, f"approval/{stream.pk}/resume"))
    stream.refresh_from_db()
    assert (stream.suspended_at, stream.checked) == (None, 0)


def test_all_approval_is_suspended_and_resumed(client: Client, reviewer: Member) -> None:
    client.force_login(reviewer.user)
    page = client.post(address(reviewer, None, "approval/suspend"), follow=True)
    assert make_feedback(reviewer.user, reviewer.project, "positive").status == "pending"
    undo(client, page)
    assert make_feedback(reviewer.user, reviewer.project, "positive").status == "auto_approved"


def test_guidelines_are_written_read_and_never_markup(client: Client, reviewer: Member, viewer: Member) -> None:
    assert "No guidelines yet." in words(see(client, viewer, None, "guidelines"))
    client.force_login(reviewer.user)
    client.post(address(reviewer, None, "guidelines/change"), {"guidelines": "Be <b>kind</b>.\r\n\r\nBe brief."})
    body = see(client, viewer, None, "guidelines").content.decode()
    assert "Be &lt;b&gt;kind&lt;/b&gt;." in body
    assert "Guidelines" in words(see(client, viewer))
    event = AuditEvent.objects.get(verb="feedback_settings.guidelines")
    assert "kind" not in str(event.details)


def test_settings_are_changed_and_checked(client: Client, reviewer: Member) -> None:
    client.force_login(reviewer.user)
    sent = {
        "auto_approve_positive": "on",
        "require_reason_negative": "on",
        "sampling_share": "0.2",
        "error_limit": "0.1",
    }
    client.post(address(reviewer, None, "settings"), sent)
    stored = FeedbackSettings.objects.get()
    assert (stored.require_reason_negative, stored.auto_approve_negative, stored.sampling_share) == (True, False, 0.2)
    assert client.post(address(reviewer, None, "settings"), sent | {"error_limit": "2"}).status_code == 422


def test_without_a_model_suggestions_say_which_setting_is_missing(client: Client, reviewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    page = see(client, reviewer)
    assert "OPENAI_API_KEY" in words(page)
    asked = do(client, reviewer, feedback, "suggest")
    assert toasts(asked) == ["No suggestion. No model is configured."]


def steps(client: Client, member: Member, feedback: Feedback) -> list[dict[str, Any]]:
    """Let the model suggest, and return the lines that the page reads."""
    client.force_login(member.user)
    answer: Any = client.post(address(member, feedback, "suggest/stream"))
    return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]


def looks_up_first(asked: Asked) -> Reply:
    if any(message["role"] == "tool" for message in asked.messages):
        return "It depends on the severity."
    return CallTool((("search_knowledge", {"query": "resolution time"}),))


def test_a_suggestion_streams_with_its_tools_and_is_never_more_than_a_draft(
    client: Client, reviewer: Member, model: ModelServer
) -> None:
    [feedback] = make_queue(reviewer, 1)
    model.model = looks_up_first
    lines = steps(client, reviewer, feedback)
    assert lines[0] == {"tool": "search knowledge"}
    assert "".join(line.get("words", "") for line in lines) == "It depends on the severity."
    assert (lines[-1]["done"], lines[-1]["tools"]) == ("It depends on the severity.", 1)
    feedback.refresh_from_db()
    assert (feedback.status, GoldenExample.objects.count()) == ("pending", 0)
    page = see(client, reviewer)
    assert page.context["suggestion"] == "It depends on the severity."
    assert page.context["editor"] == "Answer 0."


def test_a_model_that_takes_too_long_becomes_a_line_to_try_again(
    client: Client, reviewer: Member, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    [feedback] = make_queue(reviewer, 1)
    monkeypatch.setattr("review.services.suggestions.SECONDS", 1.0)
    model.fail_always(Trouble(Fault.DELAY, 3))
    assert steps(client, reviewer, feedback) == [{"failed": "Timeout after 1 seconds"}]
    assert not ReviewDraft.objects.exists()


def test_while_all_streams_are_taken_who_asks_is_told_to_wait(client: Client, reviewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    client.force_login(reviewer.user)
    taken = [bounded(iter(())) for _ in range(AT_ONCE)]
    try:
        refused = client.post(address(reviewer, feedback, "suggest/stream"))
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    finally:
        for stream in taken:
            stream.close()


def test_another_projects_verdict_is_not_there(client: Client, reviewer: Member, stranger: Member) -> None:
    foreign = make_feedback(stranger.user, stranger.project)
    assert see(client, reviewer, foreign).status_code == 404
    assert do(client, reviewer, foreign, "dismiss").status_code == 404
    foreign.refresh_from_db()
    assert foreign.status == "pending"


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


def race(*acts: Callable[[], Any]) -> list[Any]:
    """Start all acts at one moment, each on a connection of its own."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            start.wait(20)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.mark.django_db(transaction=True)
def test_of_eight_reviewers_who_decide_at_once_one_wins_and_the_others_hear_who(project: Project) -> None:
    people = [make_member(project, Role.REVIEWER, name=f"Reviewer {number}") for number in range(8)]
    clients = [Client() for _ in people]
    for client, person in zip(clients, people, strict=True):
        client.force_login(person.user)
    acts: tuple[tuple[str, dict[str, str]], ...] = (("resolve", {"golden_response": "Better."}), ("dismiss", {}))
    for _ in range(3):
        feedback = make_feedback(people[0].user, project)

        def decide(number: int, feedback: Feedback = feedback) -> list[str]:
            act, sent = acts[number % 2]
            return toasts(clients[number].post(address(people[number], feedback, act), sent, follow=True))

        told = race(*(lambda number=number: decide(number) for number in range(8)))
        stored = Feedback.objects.select_related("reviewed_by").get(pk=feedback.pk)
        winner = next(number for number, person in enumerate(people) if person.user == stored.reviewed_by)
        assert told[winner] in (["Saved as a golden example."], ["Dismissed."])
        losers = [messages[0] for number, messages in enumerate(told) if number != winner]
        assert all(message.startswith(f"Too late: {stored.reviewed_by} ") for message in losers)
        events = AuditEvent.objects.filter(target_type="feedback", target_id=str(feedback.pk))
        assert [event.actor_id for event in events] == [stored.reviewed_by_id]


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


def test_tests_for_later_answers_are_made_with_the_correction(client: Client, reviewer: Member) -> None:
    [feedback] = make_queue(reviewer, 1)
    sent = {"golden_response": "It depends on the severity.", "must": "severity", "must_not": "2 hours"}
    page = do(client, reviewer, feedback, "resolve", **sent)
    assert toasts(page) == ["Saved as a golden example with 2 tests."]
    checks = GoldenExample.objects.get().checks
    assert [(check["kind"], check["text"]) for check in checks] == [
        ("contains", "severity"),
        ("not_contains", "2 hours"),
    ]
    undo(client, page)
    do(client, reviewer, feedback, "resolve", **sent)
    assert GoldenExample.objects.get().checks == checks


def test_lists_show_of_a_run_its_question_and_not_its_braces(client: Client, project: Project, owner: Member) -> None:
    run = make_run(project, input={"question": "Where is the export?"}, output={"answer": "Under Reports."})
    submit_on_run(run, Verdict("negative", reason="Wrong menu"), external_user_id="u1")
    client.force_login(owner.user)
    for path in ("", "table/", "verdicts/"):
        page = client.get(f"/p/{project.slug}/review/{path}").content.decode()
        assert "Where is the export?" in page
        assert "{ &quot;question&quot;" not in page
