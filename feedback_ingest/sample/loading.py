"""Loading the sample project into the product, the way any feedback comes in."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from feedback_ingest.sample.feedback import INTERNAL_DOMAINS, PROJECT_NAME, sample_items, sample_sources
from feedback_ingest.services import ingest_items
from projects.models import Project, User
from projects.services import create_project
from sources.models import Source
from sources.services import make_source

BATCH = 100
KINDS = {"tickets": Source.Kind.WEBHOOK, "survey": Source.Kind.FILE, "nps": Source.Kind.FILE}

_parts: list[Callable[[Project, datetime], None]] = []


def register_sample_part(load: Callable[[Project, datetime], None]) -> None:
    """Let an upper app add its half of the sample; called from `AppConfig.ready`."""
    _parts.append(load)


@transaction.atomic
def load_sample(owner: User, *, progress: Callable[[str], object] = lambda line: None) -> Project:
    """Create the sample project; its feedback waits for analysis like any other."""
    now = timezone.now()
    project = create_project(PROJECT_NAME, owner=owner, is_sample=True)
    project.internal_domains = list(INTERNAL_DOMAINS)
    project.save(update_fields=["internal_domains"])
    for sample in sample_sources():
        kind = KINDS.get(sample.kind, Source.Kind.WEBHOOK)
        source = make_source(project, kind, sample.name, application=sample.kind)
        source.purpose = sample.description[:400]
        source.save(update_fields=["purpose"])
        items = sample_items(sample, now)
        for start in range(0, len(items), BATCH):
            ingest_items(source, items[start : start + BATCH])
        progress(f"  {sample.name}: {len(items)} items")
    for load in _parts:
        load(project, now)
    return project
