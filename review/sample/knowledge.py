"""Loads what the sample's assistant should have known."""

from datetime import datetime

from feedback_ingest.sample import KnowledgeDocument as SampleDocument
from projects.models import Project, User
from review.models import KnowledgeDocument
from review.services.knowledge import add_document

APPLICATION = "Vanfold"


def load_document(project: Project, document: SampleDocument, owner: User, now: datetime) -> None:
    """Load one article or incident, as old as it is said to be."""
    stored = add_document(
        project,
        actor=owner,
        kind=document.kind,
        reference=document.slug,
        title=document.title,
        text=document.text,
        application=APPLICATION,
        severity=document.severity or "",
        started_at=document.started_at,
        resolved_at=document.resolved_at,
    )
    written = document.updated_at or document.started_at or now
    KnowledgeDocument.objects.filter(pk=stored.pk).update(created_at=written, updated_at=written)
