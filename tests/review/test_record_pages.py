"""The pages of what is on record: verdicts, runs and conversations, each a list and a page of its own."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from feedback_ingest.models import Conversation
from projects.models import Project
from review.models import Feedback, Run
from review.services.feedback import Verdict, submit_on_conversation, submit_on_run, submit_on_tracked_message
from review.services.spans import Span
from tests.factories import Member
from tests.review.factories import ANSWER, make_answer, make_conversation, make_run, make_run_feedback

pytestmark = pytest.mark.django_db


def page(client: Client, member: Member, address: str, **query: str) -> str:
    client.force_login(member.user)
    answer = client.get(f"/p/{member.project.slug}/review/{address}", query)
    assert answer.status_code == 200
    return answer.content.decode()


def on_conversation(project: Project, sentiment: str = "negative", **fields: Any) -> Feedback:
    conversation = make_conversation(project, **fields)
    return submit_on_conversation(conversation, Verdict(sentiment, comment="In all"), origin="customer")


def test_every_verdict_is_listed_also_what_is_never_reviewed(client: Client, owner: Member, project: Project) -> None:
    make_run_feedback(project, comment="Sixty is wrong", user_id="customer-1")
    on_conversation(project, "neutral")
    text = page(client, owner, "verdicts/")
    assert "“Sixty is wrong”" in text
    assert "“In all”" in text
    assert "customer-1" in text
    assert "Not reviewed" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"outcome": "positive"}, {"good"}),
        ({"words": "no"}, {"silent"}),
        ({"user": "customer-2"}, {"good"}),
        ({"q": "sixty"}, {"bad"}),
        ({"origin": "platform"}, {"ours"}),
        ({"channel": "agentsight"}, {"ours"}),
        ({"environment": "development"}, {"ours"}),
        ({"from": "2031-01-01"}, set()),
        ({"outcome": "sideways"}, {"bad", "good", "ours", "silent"}),
    ],
)
def test_verdicts_are_filtered(
    client: Client, owner: Member, project: Project, query: dict[str, str], found: set[str]
) -> None:
    given = {
        "bad": make_run_feedback(project, comment="Sixty is wrong", user_id="customer-1"),
        "good": make_run_feedback(project, "positive", comment="Well said", user_id="customer-2"),
        "silent": make_run_feedback(project),
    }
    conversation = make_conversation(project, environment="development")
    given["ours"] = submit_on_conversation(conversation, Verdict("neutral", comment="A try"), origin="platform")
    text = page(client, owner, "verdicts/", **query)
    assert {name for name, feedback in given.items() if str(feedback.uuid) in text} == found


@pytest.mark.parametrize(
    ("query", "total"),
    [({}, 4), ({"outcome": "negative"}, 2), ({"origin": "platform"}, 1), ({"words": "yes"}, 2), ({"q": "wrong"}, 1)],
)
def test_the_list_says_how_many_there_are(
    client: Client, owner: Member, project: Project, query: dict[str, str], total: int
) -> None:
    make_run_feedback(project, comment="Sixty is wrong")
    make_run_feedback(project)
    make_run_feedback(project, "positive")
    submit_on_conversation(make_conversation(project), Verdict("neutral", comment="A try"), origin="platform")
    client.force_login(owner.user)
    answer = client.get(f"/p/{project.slug}/review/verdicts/", query)
    assert (answer.context["total"], len(answer.context["rows"])) == (total, total)


def test_the_counters_tell_assistants_apart(client: Client, owner: Member, project: Project) -> None:
    tracked = on_conversation(project)
    make_run_feedback(project)
    client.force_login(owner.user)
    answer = client.get(f"/p/{project.slug}/review/verdicts/", {"agent": f"t{tracked.tracked_agent_id}"})
    assert (answer.context["total"], len(answer.context["rows"])) == (1, 1)


def test_verdicts_are_filtered_by_what_answered(client: Client, owner: Member, project: Project) -> None:
    mine, other = make_run_feedback(project), make_run_feedback(project)
    text = page(client, owner, "verdicts/", agent=f"a{mine.agent_id}")
    assert str(mine.uuid) in text
    assert str(other.uuid) not in text


def test_long_lists_go_on_where_a_page_ends(client: Client, owner: Member, project: Project) -> None:
    first = make_run_feedback(project)
    copies = [Feedback(**{**vars_of(first), "external_user_id": f"customer-{number}"}) for number in range(59)]
    Feedback.objects.bulk_create(copies)
    newest = page(client, owner, "verdicts/")
    after = newest.split("?after=")[1].split('"')[0]
    older = page(client, owner, "verdicts/", after=after)
    seen = [uuid for uuid in map(str, Feedback.objects.values_list("uuid", flat=True)) if uuid in newest]
    left = [uuid for uuid in map(str, Feedback.objects.values_list("uuid", flat=True)) if uuid in older]
    assert (len(seen), len(left)) == (50, 10)
    assert not set(seen) & set(left)


def vars_of(feedback: Feedback) -> dict[str, Any]:
    names = ("project_id", "kind", "sentiment", "origin", "channel", "run_id", "agent_id", "created_at")
    return {name: getattr(feedback, name) for name in names}


def test_a_verdict_shows_its_words_lit_and_what_its_user_said_before(
    client: Client, owner: Member, project: Project
) -> None:
    run = make_run(project, output=ANSWER)
    submit_on_run(run, Verdict("positive", comment="Fine at first"), external_user_id="customer-1")
    span = Span(ANSWER.index("2 hours"), ANSWER.index("2 hours") + 7, "2 hours")
    verdict = submit_on_run(run, Verdict("negative", comment="No", spans=[span]), external_user_id="customer-1")
    text = page(client, owner, f"verdicts/{verdict.uuid}/")
    assert '<mark class="lit heat-1">2 hours</mark>' in text
    assert "Fine at first" in text
    assert "They are taken in within a minute." in text


def test_who_may_not_see_people_reads_no_names(client: Client, viewer: Member, project: Project) -> None:
    run = make_run(project, user_id="customer-1", metadata={"ip": "10.0.0.9"})
    verdict = submit_on_run(run, Verdict("negative", comment="No"), external_user_id="customer-1")
    conversation = make_conversation(project, customer_id="customer-1", customer_ip_address="10.0.0.9")
    for address in (
        "verdicts/", f"verdicts/{verdict.uuid}/", "runs/", f"runs/{run.pk}/", "conversations/",
        f"conversations/{conversation.pk}/",
    ):  # fmt: skip
        text = page(client, viewer, address)
        assert "customer-1" not in text
        assert "10.0.0.9" not in text
    assert str(verdict.uuid) in page(client, viewer, "verdicts/", user="somebody else")


def test_a_verdict_is_deleted_by_who_may_review(client: Client, owner: Member, project: Project) -> None:
    verdict = make_run_feedback(project)
    client.force_login(owner.user)
    client.post(f"/p/{project.slug}/review/verdicts/{verdict.uuid}/delete/")
    assert not Feedback.objects.exists()


def test_runs_show_what_users_said_of_them(client: Client, owner: Member, project: Project) -> None:
    judged = make_run(project)
    for user, sentiment in (("a", "positive"), ("b", "negative"), ("c", "negative")):
        submit_on_run(judged, Verdict(sentiment), external_user_id=user)
    quiet = make_run(project)
    text = page(client, owner, "runs/", outcome="negative")
    assert str(judged.pk) in text
    assert str(quiet.pk) not in text
    assert str(quiet.pk) in page(client, owner, "runs/", outcome="none")


def test_a_run_shows_its_thread_its_verdicts_and_its_token(client: Client, owner: Member, project: Project) -> None:
    first = make_run(project, conversation_id="chat-1", output="First of all")
    run = make_run(project, conversation_id="chat-1", messages=[{"role": "system", "content": "Be kind <b>"}])
    submit_on_run(run, Verdict("negative", comment="Too short"))
    text = page(client, owner, f"runs/{run.pk}/")
    assert str(first.pk) in text
    assert "“Too short”" in text
    assert "Be kind &lt;b&gt;" in text
    assert "Feedback token" in text


def test_a_run_that_failed_says_so_and_has_no_token(client: Client, owner: Member, project: Project) -> None:
    agent = make_run(project).agent
    run = Run.objects.create(project=project, agent=agent, status="failed", error={"message": "No such model"})
    text = page(client, owner, f"runs/{run.pk}/")
    assert "No such model" in text
    assert "Feedback token" not in text


def test_a_conversation_shows_the_verdicts_at_their_messages(client: Client, owner: Member, project: Project) -> None:
    message = make_answer(project, customer_id="customer-1")
    submit_on_tracked_message(message, Verdict("negative", comment="Not true"), origin="customer")
    submit_on_conversation(message.conversation, Verdict("neutral", comment="So so"), origin="platform")
    text = page(client, owner, f"conversations/{message.conversation_id}/")
    assert text.index(ANSWER) < text.index("Not true") < text.index("On the whole") < text.index("So so")


def test_conversations_are_filtered_and_deleted_ones_are_gone(client: Client, owner: Member, project: Project) -> None:
    liked = on_conversation(project, "positive", conversation_id="chat-liked", customer_id="customer-1").conversation
    gone = make_conversation(project, conversation_id="chat-gone", deleted_at=timezone.now())
    make_conversation(project, conversation_id="chat-quiet", started_at=timezone.now() - timedelta(days=1))
    assert "chat-gone" not in page(client, owner, "conversations/")
    assert "chat-quiet" not in page(client, owner, "conversations/", outcome="positive")
    assert "chat-liked" not in page(client, owner, "conversations/", outcome="none")
    assert "chat-liked" in page(client, owner, "conversations/", user="customer-1")
    assert liked is not None
    assert client.get(f"/p/{project.slug}/review/conversations/{gone.pk}/").status_code == 404


def test_the_page_says_when_everything_is_development(client: Client, owner: Member, project: Project) -> None:
    on_conversation(project, environment=Conversation.Environment.DEVELOPMENT)
    assert "All verdicts come from development." in page(client, owner, "conversations/")
    on_conversation(project, "positive")
    text = page(client, owner, "conversations/")
    assert "All verdicts come from development." not in text
    assert "1 in development not counted" in text


@pytest.mark.parametrize("address", ["verdicts/", "runs/", "conversations/"])
def test_an_empty_list_says_what_will_be_there(client: Client, owner: Member, address: str) -> None:
    assert 'class="empty"' in page(client, owner, address)
    assert "Nothing fits these filters." in page(client, owner, address, outcome="negative")


@pytest.mark.parametrize("address", ["verdicts/", "runs/", "conversations/"])
def test_a_longer_list_asks_no_more_of_the_database(
    client: Client, owner: Member, project: Project, address: str
) -> None:
    asked = []
    for rows in (1, 8):
        for number in range(rows):
            make_run_feedback(project, comment="Words", user_id=f"customer-{number}")
            on_conversation(project)
        page(client, owner, address)  # What is asked once a session is asked here.
        with CaptureQueriesContext(connection) as queries:
            page(client, owner, address)
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_nobody_sees_the_records_of_another_project(client: Client, stranger: Member, project: Project) -> None:
    verdict = make_run_feedback(project)
    conversation = make_conversation(project)
    client.force_login(stranger.user)
    for address in (f"verdicts/{verdict.uuid}/", f"runs/{verdict.run_id}/", f"conversations/{conversation.pk}/"):
        assert client.get(f"/p/{stranger.project.slug}/review/{address}").status_code == 404
