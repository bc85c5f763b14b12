"""From waiting items to verified mentions: once in effect, whatever happens in between."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from feedback_ingest.models import ConversationPart, FeedbackItem
from feedback_ingest.services import ingest_items
from insights import corrections, rebuilding, tasks
from insights.analyst import Analysis, Document, Kind, Statement
from insights.analysts import ChosenAnalyst
from insights.evidence import quote_of
from insights.locking import REBUILD_LOCK
from insights.models import AnalysisWake, Insight, Mention
from insights.pipeline import analyse_project
from insights.pipeline.claims import MAX_ATTEMPTS, claim
from projects.models import Project
from sources import tallies
from sources.items import RawItem, RawPart
from sources.models import Source, SourceCount
from tests.factories import Member, make_item, make_source
from tests.races import while_uncommitted

CRASH = "The app crashes every time I open the calendar."


class Reader:
    """An analyst that takes each first passage for a bug, and fails on request."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.poison: str | None = None

    def analyse(self, documents: Sequence[Document]) -> list[Analysis]:
        answers = []
        for document in documents:
            passage = document.passages[0]
            if self.poison and self.poison in passage.text:
                raise RuntimeError("the words of a customer")
            self.read.append(passage.text)
            words = Statement(passage.index, 0, len(passage.text), Kind.BUG, passage.text, None, -1, 1.0)
            answers.append(Analysis("en", None, -1, (words,)))
        return answers


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    made = Reader()
    monkeypatch.setattr("insights.pipeline.run.analyst_for", lambda project: ChosenAnalyst(made, 20))
    return made


def counted(source: Source) -> tuple[int, int, int]:
    count = SourceCount.objects.get(source=source)
    return count.used, count.set_aside, count.waiting


def picture(project: Project) -> list[Any]:
    columns = ("insight", "item", "part", "start", "end", "kind", "person", "statement")
    return sorted(Mention.objects.filter(project=project).values_list(*columns), key=str)


def test_of_the_documented_threads_only_jane_and_the_buyer_give_evidence(project: Project) -> None:
    source = make_source(project)
    ticket = RawItem(
        unique_id="ticket-456",
        body="I need to export my dashboard data to Excel but I cannot find the option",
        author="Jane Doe",
        user_id="user-123",
        conversation_parts=[
            RawPart(
                unique_id="ticket-456-1",
                body="Thanks for reaching out! The export feature is under Settings > Data Export.",
                author="Support Agent",
                email="agent@company.com",
            ),
            RawPart(
                unique_id="ticket-456-2",
                body="I see it now, but it only exports CSV. We really need native Excel support.",
                author="Jane Doe",
                user_id="user-123",
            ),
        ],
    )
    call = RawItem(
        unique_id="call-123",
        author="Sales Rep",
        conversation_parts=[
            RawPart(
                unique_id="call-123-1",
                body="How does that compare to the competition on pricing?",
                author="Buyer",
                user_id="user-456",
            ),
            RawPart(unique_id="call-123-2", body="Our base tier is really too expensive.", author="Sales Rep"),
        ],
    )
    ingest_items(source, [ticket, call])
    analyse_project(project)
    mentions = Mention.objects.filter(project=project).select_related("item", "part", "person")
    assert {mention.person.user_id for mention in mentions} <= {"user-123", "user-456"}
    assert any(mention.person.user_id == "user-123" and "Excel" in quote_of(mention) for mention in mentions)
    roles = dict(ConversationPart.objects.values_list("unique_id", "role"))
    assert roles == {
        "ticket-456-1": "agent", "ticket-456-2": "customer", "call-123-1": "customer", "call-123-2": "agent",
    }  # fmt: skip
    assert all(quote_of(mention) for mention in mentions)


def test_what_says_nothing_is_set_aside_with_its_reason(project: Project) -> None:
    source = make_source(project)
    for body in ("Great app!!!", "asdf qwer zxcv hjkl", CRASH):
        make_item(source, body=body)
    analyse_project(project)
    states = dict(FeedbackItem.objects.values_list("body", "set_aside_reason"))
    assert states == {"Great app!!!": "low_signal", "asdf qwer zxcv hjkl": "gibberish", CRASH: None}
    assert counted(source) == (1, 2, 0)


def test_analysing_again_changes_nothing(project: Project) -> None:
    source = make_source(project)
    for body in (CRASH, "Love the dark mode, but the export to Excel is broken.", "Please add a widget."):
        make_item(source, body=body)
    analyse_project(project)
    before, insights = picture(project), sorted(Insight.objects.values_list("pk", "title", "weight"))
    FeedbackItem.objects.update(state="waiting")
    tallies.count(source.pk, {"waiting": 3, "used": -3})
    analyse_project(project)
    assert picture(project) == before
    assert sorted(Insight.objects.values_list("pk", "title", "weight")) == insights


def test_people_who_say_the_same_meet_in_one_insight(project: Project, reader: Reader) -> None:
    source = make_source(project)
    for number in range(3):
        make_item(source, body=CRASH, user_id=f"u{number}")
    analyse_project(project)
    assert Insight.objects.count() == 1
    assert Mention.objects.values("person").distinct().count() == 3


def test_a_changed_text_loses_its_old_mentions(project: Project, reader: Reader) -> None:
    source = make_source(project)
    item = make_item(source, body=CRASH)
    analyse_project(project)
    ingest_items(source, [RawItem(unique_id=item.unique_id, body="Invoices arrive without the logo.")])
    analyse_project(project)
    (mention,) = Mention.objects.select_related("item", "part")
    assert quote_of(mention) == "Invoices arrive without the logo."


def test_evidence_outside_the_text_is_not_stored(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    class Inventor(Reader):
        def analyse(self, documents: Sequence[Document]) -> list[Analysis]:
            invented = [
                Statement(0, 0, 9_999, Kind.BUG, "x", None, 0, 1.0),
                Statement(7, 0, 3, Kind.BUG, "y", None, 0, 1.0),
                Statement(0, 5, 5, Kind.BUG, "z", None, 0, 1.0),
            ]
            return [Analysis("en", None, 0, tuple(invented)) for _ in documents]

    monkeypatch.setattr("insights.pipeline.run.analyst_for", lambda project: ChosenAnalyst(Inventor(), 20))
    make_item(make_source(project), body=CRASH)
    analyse_project(project)
    assert Mention.objects.count() == 0


def test_an_item_that_always_fails_ends_among_the_dead_and_spoils_no_other(
    project: Project, reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    source = make_source(project)
    reader.poison = "poison"
    for body in ("poison text", CRASH, "Invoices arrive without the logo."):
        make_item(source, body=body)
    for _ in range(MAX_ATTEMPTS + 1):
        FeedbackItem.objects.filter(lease_until__isnull=False).update(lease_until=timezone.now())
        analyse_project(project)
    dead = FeedbackItem.objects.get(state="set_aside")
    assert (dead.body, dead.set_aside_reason, dead.last_error) == ("poison text", "failed", "RuntimeError")
    assert counted(source) == (2, 1, 0)
    assert "the words of a customer" not in caplog.text


def test_an_item_that_kills_its_worker_is_tried_alone_and_then_buried(project: Project, reader: Reader) -> None:
    source = make_source(project)
    for number in range(3):
        make_item(source, body=f"{CRASH} {number}")
    for attempt in range(MAX_ATTEMPTS):
        # A claim that nobody ends is what a killed worker leaves behind.
        claimed = claim(project, 20)
        assert claimed is not None
        assert len(claimed.ids) == (3 if attempt == 0 else 1)
        FeedbackItem.objects.update(lease_until=timezone.now())
    analyse_project(project)
    assert counted(source) == (2, 1, 0)


def test_an_item_changed_while_it_is_read_is_read_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_source(project)
    item = make_item(source, body=CRASH)

    class Slow(Reader):
        def analyse(self, documents: Sequence[Document]) -> list[Analysis]:
            if not self.read:
                ingest_items(source, [RawItem(unique_id=item.unique_id, body="Changed: the map is blank.")])
            return super().analyse(documents)

    slow = Slow()
    monkeypatch.setattr("insights.pipeline.run.analyst_for", lambda project: ChosenAnalyst(slow, 20))
    analyse_project(project)
    (mention,) = Mention.objects.select_related("item", "part")
    assert quote_of(mention) == "Changed: the map is blank."
    assert counted(source) == (1, 0, 0)


def test_a_deleted_insight_does_not_come_back(owner: Member, reader: Reader) -> None:
    source = make_source(owner.project)
    make_item(source, body=CRASH)
    analyse_project(owner.project)
    corrections.delete_insight(Insight.objects.get(), actor=owner.user)
    make_item(source, body=CRASH, unique_id="again")
    analyse_project(owner.project)
    assert Insight.objects.live().count() == 0
    assert FeedbackItem.objects.get(unique_id="again").set_aside_reason == "not_wanted"


def test_a_deleted_mention_does_not_come_back(owner: Member, reader: Reader) -> None:
    source = make_source(owner.project)
    make_item(source, body=CRASH)
    analyse_project(owner.project)
    corrections.delete_mention(Mention.objects.get(), actor=owner.user)
    FeedbackItem.objects.update(state="waiting")
    tallies.count(source.pk, {"waiting": 1, "used": -1})
    analyse_project(owner.project)
    assert Mention.objects.live().count() == 0


def test_grouping_anew_keeps_ids_and_what_people_set(owner: Member, reader: Reader) -> None:
    project, source = owner.project, make_source(owner.project)
    subjects = ("calendar sync duplicates my appointments", "invoice pdf is blank", "cannot log in with my phone")
    for number in range(36):
        make_item(source, body=f"Since the update the {subjects[number % 3]}, case {number}.", user_id=f"u{number}")
    analyse_project(project)
    named = Insight.objects.order_by("-weight").first()
    assert named is not None
    corrections.change_insight(named, actor=owner.user, title="Our own name")
    rebuilding.rebuild_insights(project)
    before = picture(project)
    assert rebuilding.rebuild_insights(project) == 0
    assert picture(project) == before
    named.refresh_from_db()
    assert (named.title, named.is_live) == ("Our own name", True)
    for old in Insight.objects.filter(project=project):
        assert Insight.objects.live().filter(pk=corrections.current(old.pk, project.pk)).exists()


def test_what_one_worker_groups_anew_no_other_does(project: Project, reader: Reader) -> None:
    source = make_source(project)
    for number in range(30):
        make_item(source, body=f"The calendar sync is broken again, case {number}.")
    analyse_project(project)
    wake = AnalysisWake.objects.get(project=project)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [REBUILD_LOCK, project.pk])
        tasks.rebuild(project.pk)
        wake.refresh_from_db()
        assert wake.rebuilt_at is None
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [REBUILD_LOCK, project.pk])
    other.close()
    tasks.rebuild(project.pk)
    wake.refresh_from_db()
    assert wake.rebuilt_at is not None


def test_what_a_person_moved_stays_through_grouping_anew(owner: Member, reader: Reader) -> None:
    project, source = owner.project, make_source(owner.project)
    for number in range(32):
        topic = "calendar sync is broken" if number % 2 else "invoice pdf is blank"
        make_item(source, body=f"The {topic} again, case {number}.")
    analyse_project(project)
    mention = Mention.objects.order_by("pk")[0]
    other = Insight.objects.exclude(pk=mention.insight_id)[0]
    corrections.move_mention(mention, other, actor=owner.user)
    rebuilding.rebuild_insights(project)
    mention.refresh_from_db()
    assert mention.insight_id == corrections.current(other.pk, project.pk)


@pytest.mark.django_db(transaction=True)
def test_an_item_is_not_taken_for_analysis_while_a_part_of_it_is_being_stored(project: Project) -> None:
    source = make_source(project)
    make_item(source, unique_id="ticket")
    part = RawPart(unique_id="ticket-1", body="It fails again.")
    append = partial(ingest_items, source, [RawItem(unique_id="ticket", conversation_parts=[part])])
    assert while_uncommitted(append, partial(claim, project, 10)) is None
    taken = claim(project, 10)
    assert taken is not None
    assert FeedbackItem.objects.get(pk__in=taken.ids).parts.count() == 1
