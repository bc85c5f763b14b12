"""What connectors read is taken in by the one way in, from every application."""

import pytest

from feedback_ingest.models import ConversationPart, FeedbackItem
from feedback_ingest.services import ingest_items
from projects.models import Project
from sources import credentials
from sources.connectors import Batch
from sources.models import Connection, Source, SyncRun
from sources.services import make_source
from sources.syncing import sync
from tests.sources.connectors.loopback import FakeClock, Vendor, serving
from tests.sources.connectors.test_contract import VENDORS

pytestmark = pytest.mark.django_db


def store(source: Source, batch: Batch) -> int:
    result = ingest_items(source, batch.items)
    assert result.failed == 0, [outcome for outcome in result.outcomes if outcome.error]
    return result.ingested


@pytest.mark.parametrize("made", VENDORS, ids=lambda made: made.__name__)
def test_every_application_ends_in_stored_feedback(project: Project, made: type[Vendor]) -> None:
    vendor = made(FakeClock())
    with serving(vendor):
        vendor.add(4, replies=2)
        source = make_source(project, Source.Kind.CONNECTOR, made.__name__, application=vendor.kind)
        settings = {**vendor.settings, "loopback": vendor.base}
        Connection.objects.create(source=source, settings=settings, secrets=credentials.seal(vendor.secrets))
        run = sync(source, store=store, clock=vendor.clock)
    assert run is not None
    assert (run.outcome, run.error) == (SyncRun.Outcome.DONE, "")
    stored = set(FeedbackItem.objects.filter(source=source).values_list("unique_id", flat=True))
    assert stored == {vendor.unique_id(row) for row in vendor.rows.values()}
    assert ConversationPart.objects.filter(source=source).exists() == vendor.threads
