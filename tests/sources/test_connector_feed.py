"""What connections read becomes evidence, and what is deleted or edited at the source does so here too."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import Sum

from feedback_ingest.connector_feed import KEEPER
from feedback_ingest.models import ConversationPart, FeedbackItem
from feedback_ingest.services.removal import remove_items, remove_parts
from insights.models import DailyCount, DailyReach, Mention
from insights.pipeline import analyse_project
from projects.models import Project
from sources import credentials
from sources.connectors import Batch
from sources.items import RawItem, RawPart
from sources.models import Connection, Source, SourceCount, SyncRun
from sources.services import make_source, pause_source
from sources.syncing import sync
from tests.factories import Member
from tests.sources.connectors.communities import Reddit
from tests.sources.connectors.desks import Zendesk
from tests.sources.connectors.loopback import FakeClock, Vendor, serving

pytestmark = pytest.mark.django_db
COMPLAINT = "The export to CSV crashes every time. I wish there was a dark mode."


@pytest.fixture
def zendesk() -> Iterator[Zendesk]:
    vendor = Zendesk(FakeClock())
    with serving(vendor):
        yield vendor


def connected(project: Project, vendor: Vendor) -> Source:
    source = make_source(project, Source.Kind.CONNECTOR, vendor.kind, application=vendor.kind)
    settings = {**vendor.settings, "loopback": vendor.base}
    Connection.objects.create(source=source, settings=settings, secrets=credentials.seal(vendor.secrets))
    return source


def read(source: Source, vendor: Vendor) -> SyncRun:
    run = sync(source, store=KEEPER.store, known=KEEPER.known, clock=vendor.clock)
    assert run is not None
    return run


def analyse(project: Project) -> None:
    while analyse_project(project, seconds=None):
        pass


def counted(source: Source) -> dict[str, int]:
    """Return the accounting, once it is sure that it says what the tables hold."""
    count = SourceCount.objects.get(source=source)
    for state in FeedbackItem.State.values:
        assert getattr(count, state) == FeedbackItem.objects.filter(source=source, state=state).count()
    return {"received": count.received, "removed": count.removed}


def evidence(project: Project) -> int:
    """Return the mentions of a project, once it is sure that the daily tables hold the same."""
    mentions = Mention.objects.filter(project=project, deleted_at=None)
    daily = DailyCount.objects.filter(project=project).aggregate(sum=Sum("mentions"))["sum"] or 0
    assert daily == mentions.count()
    people = DailyReach.objects.filter(project=project, source=None, unit="person", previous_day__year=1)
    assert (people.aggregate(sum=Sum("reached"))["sum"] or 0) == mentions.values("insight", "person").distinct().count()
    return mentions.count()


def test_what_is_deleted_at_the_source_goes_with_its_mentions_and_the_accounting_adds_up(
    project: Project, zendesk: Zendesk
) -> None:
    kept, gone = zendesk.add(2)
    kept.text = gone.text = COMPLAINT
    source = connected(project, zendesk)
    assert read(source, zendesk).items == 2
    analyse(project)
    before = evidence(project)
    assert before > 0
    zendesk.delete(gone)
    read(source, zendesk)
    assert evidence(project) == before // 2
    assert counted(source) == {"received": 1, "removed": 1}
    assert list(FeedbackItem.objects.values_list("unique_id", flat=True)) == [str(kept.id)]
    assert not ConversationPart.objects.exclude(item__unique_id=str(kept.id)).exists()


def test_what_is_edited_at_the_source_is_read_again(project: Project, zendesk: Zendesk) -> None:
    (row,) = zendesk.add(1)
    row.text = COMPLAINT
    source = connected(project, zendesk)
    read(source, zendesk)
    analyse(project)
    zendesk.edit(row, "I love the new search, it is so fast.")
    assert read(source, zendesk).items == 1
    item = FeedbackItem.objects.get()
    assert (item.state, item.body) == ("waiting", "I love the new search, it is so fast.")
    analyse(project)
    assert all(each.end <= len(item.body or "") for each in Mention.objects.all())
    assert counted(source)["received"] == 1
    evidence(project)


def test_reading_the_overlap_again_changes_nothing(project: Project, zendesk: Zendesk) -> None:
    zendesk.add(3, replies=1)
    source = connected(project, zendesk)
    read(source, zendesk)
    analyse(project)
    assert read(source, zendesk).items == 0
    assert not FeedbackItem.objects.filter(state="waiting").exists()


def test_staff_of_the_application_give_no_evidence(project: Project, zendesk: Zendesk) -> None:
    (row,) = zendesk.add(1, replies=2)
    row.text = "Hello, please have a look at this."
    for reply in row.replies:
        reply.text = COMPLAINT
        reply.by_customer = False
    source = connected(project, zendesk)
    read(source, zendesk)
    analyse(project)
    assert set(ConversationPart.objects.values_list("role", flat=True)) == {"agent"}
    assert not Mention.objects.exclude(part=None).exists()


@pytest.mark.parametrize("first_comment", [{"author_id": 1}, {"public": False}])
def test_a_ticket_that_staff_opened_or_that_begins_with_an_internal_note_is_no_customers_word(
    project: Project, zendesk: Zendesk, monkeypatch: pytest.MonkeyPatch, first_comment: dict[str, Any]
) -> None:
    comment = zendesk.comment
    monkeypatch.setattr(
        zendesk, "comment", lambda row, reply: comment(row, reply) | (first_comment if reply.id == row.id else {})
    )
    (row,) = zendesk.add(1)
    row.text = COMPLAINT
    read(connected(project, zendesk), zendesk)
    analyse(project)
    item = FeedbackItem.objects.get()
    assert (item.state, item.set_aside_reason) == ("set_aside", "empty")
    assert evidence(project) == 0


def batch(**fields: Any) -> Batch:
    return Batch(state={}, **fields)


def thread(**overrides: Any) -> RawItem:
    parts = [RawPart(unique_id=f"part-{number}", body=COMPLAINT, user_id="u1") for number in (1, 2)]
    return RawItem(**({"unique_id": "thread", "user_id": "u1", "conversation_parts": parts} | overrides))


def test_a_deleted_part_takes_its_mentions_along_and_what_is_left_is_read_again(project: Project) -> None:
    source = make_source(project, Source.Kind.CONNECTOR, "Forum", application="discourse")
    KEEPER.store(source, batch(items=[thread(body="Search is slow.")]))
    analyse(project)
    whole = evidence(project)
    KEEPER.store(source, batch(deleted_parts=["part-1", "unknown"]))
    assert not Mention.objects.filter(part__unique_id="part-1").exists()
    assert 0 < evidence(project) < whole
    assert FeedbackItem.objects.get().state == "waiting"
    assert counted(source) == {"received": 1, "removed": 0}
    analyse(project)
    evidence(project)
    assert counted(source) == {"received": 1, "removed": 0}


def test_an_item_whose_last_part_is_deleted_goes_too(project: Project) -> None:
    source = make_source(project, Source.Kind.CONNECTOR, "Forum", application="discourse")
    KEEPER.store(source, batch(items=[thread()]))
    analyse(project)
    assert remove_parts(source, ["part-1", "part-2"]) == 2
    assert counted(source) == {"received": 0, "removed": 1}
    assert evidence(project) == 0


def test_a_deletion_reaches_no_other_source(project: Project) -> None:
    mine = make_source(project, Source.Kind.CONNECTOR, "Mine", application="discourse")
    other = make_source(project, Source.Kind.CONNECTOR, "Other", application="discourse")
    KEEPER.store(other, batch(items=[thread()]))
    assert (remove_items(mine, ["thread"]), remove_parts(mine, ["part-1"])) == (0, 0)
    assert counted(other)["received"] == 1


def test_deletions_that_the_application_is_asked_for_are_mirrored(project: Project) -> None:
    vendor = Reddit(FakeClock())
    with serving(vendor):
        rows = vendor.add(3, replies=1)
        source = connected(project, vendor)
        read(source, vendor)
        vendor.delete(rows[1])
        vendor.clock.time += 21_601
        read(source, vendor)
    stored = set(FeedbackItem.objects.values_list("unique_id", flat=True))
    assert stored == {vendor.unique_id(row) for row in (rows[0], rows[2])}
    counted(source)


def test_a_source_that_is_paused_while_it_is_read_stores_nothing_more(
    project: Project, owner: Member, zendesk: Zendesk
) -> None:
    zendesk.add(60)
    source = connected(project, zendesk)

    def store_and_pause(source: Source, some: Batch) -> int:
        taken = KEEPER.store(source, some)
        pause_source(Source.objects.get(pk=source.pk), actor=owner.user)
        return taken

    run = sync(source, store=store_and_pause, clock=zendesk.clock)
    assert run is not None
    assert (run.outcome, run.error) == (SyncRun.Outcome.MORE, "")
    assert counted(source)["received"] == 25
