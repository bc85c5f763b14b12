"""Deleting what is older than a project keeps feedback for."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from feedback_ingest.models import ConversationPart, FeedbackItem, Person
from feedback_ingest.services.removal import remove_items
from projects.models import Project
from sources.models import Source

AT_ONCE = 500


def forget_expired() -> int:
    """Delete the feedback that every project has kept for long enough; return how many items went."""
    limited = Project.objects.exclude(retention_days=None)
    return sum(_forget_of(project) for project in limited)


def _forget_of(project: Project) -> int:
    before = timezone.now() - timedelta(days=project.retention_days or 0)
    removed = sum(_forget_from(source, before) for source in Source.objects.filter(project=project))
    if removed:
        forget_people_without_words(project)
    return removed


def _forget_from(source: Source, before: datetime) -> int:
    """Delete in steps, each in a transaction of its own, so that nothing waits for long."""
    expired = FeedbackItem.objects.filter(project=source.project_id, source=source, created_at__lt=before)
    removed = 0
    while ids := list(expired.order_by("created_at", "pk").values_list("unique_id", flat=True)[:AT_ONCE]):
        removed += remove_items(source, ids)
    return removed


def forget_people_without_words(project: Project) -> None:
    """Delete the people of whom only the name is left: no words of theirs, and nothing that was sent about them."""
    items = FeedbackItem.objects.filter(project=project, person=OuterRef("pk"))
    parts = ConversationPart.objects.filter(person=OuterRef("pk"))
    people = Person.objects.filter(project=project, properties={})
    people.filter(~Exists(items), ~Exists(parts)).delete()
