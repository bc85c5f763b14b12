"""What the assistant may look up while it suggests an answer."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Left
from django.utils import timezone
from pgvector.django import HalfVectorField

from projects.identifiers import uuid7
from projects.models import Project, User
from projects.querysets import TenantQuerySet

SEARCHED_CHARACTERS = 100_000


class KnowledgeDocument(models.Model):
    """An article, or an incident with its severity and times."""

    class Kind(models.TextChoices):
        ARTICLE = "article", "Article"
        INCIDENT = "incident", "Incident"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)
    reference = models.CharField(max_length=120, null=True, help_text="Its id where it comes from, such as INC-1042.")
    title = models.CharField(max_length=300)
    text = models.TextField()
    url = models.CharField(max_length=2048, blank=True)
    application = models.CharField(max_length=120, blank=True)
    severity = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    content_hash = models.BinaryField(max_length=32, help_text="SHA-256 of title and text.")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    search = models.GeneratedField(
        expression=SearchVector(
            "title", Left("text", SEARCHED_CHARACTERS), "application", "reference", config="simple"
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "reference"],
                condition=Q(reference__isnull=False),
                name="knowledge_reference_once",
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["project", "kind", "-created_at", "-id"], name="knowledge_newest"),
            models.Index(fields=["project", "kind", "-started_at"], name="knowledge_by_start"),
            models.Index(fields=["project", "application", "-started_at"], name="knowledge_by_application"),
            GinIndex(fields=["search"], name="knowledge_search"),
        ]

    def __str__(self) -> str:
        return self.title


class KnowledgePassage(models.Model):
    """A stretch of a document's text, code points `start` to `end`, with its vector for the search by meaning."""

    project = models.ForeignKey(Project, models.CASCADE)
    document = models.ForeignKey(KnowledgeDocument, models.CASCADE, related_name="passages", db_index=False)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    vector = HalfVectorField(dimensions=384)
    vector_model = models.CharField(max_length=80)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "start"], name="knowledge_passage_once")]

    def __str__(self) -> str:
        return f"passage of document {self.document_id}"
