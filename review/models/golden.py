"""Golden examples: questions with the answer that a person (or a user's thumb) called right."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Left
from django.utils import timezone
from pgvector.django import HalfVectorField, HnswIndex

from projects.identifiers import uuid7
from projects.models import Project, User
from projects.querysets import TenantQuerySet
from review.models.feedback import SEARCHED_CHARACTERS, Feedback
from review.models.knowledge import KnowledgeDocument
from review.querysets import GoldenQuerySet


class GoldenExample(models.Model):
    """A question and its right answer: shown to models as an example, or kept from them to test them.

    Near-duplicates share one `split`, so an example that prompts hold is never one that tests ask.
    """

    class SourceType(models.TextChoices):
        POSITIVE = "positive", "Positive feedback"
        NEGATIVE = "negative", "Negative feedback"
        MANUAL = "manual", "Written by hand"

    class ApprovalType(models.TextChoices):
        AUTO = "auto", "Automatic"
        MANUAL = "manual", "By a person"

    class Split(models.TextChoices):
        FEW_SHOT = "few_shot", "Example in prompts"
        EVALUATION = "evaluation", "Evaluation"

    class Attention(models.TextChoices):
        CONFLICT = "conflict", "Another example answers the same question differently"
        STALE = "stale", "A document it rests on has changed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    feedback = models.OneToOneField(Feedback, models.CASCADE, null=True, related_name="golden_example")
    source_type = models.CharField(max_length=8, choices=SourceType)
    approval_type = models.CharField(max_length=6, choices=ApprovalType)
    original_query = models.TextField()
    original_response = models.TextField(blank=True)
    golden_response = models.TextField()
    provenance = models.JSONField(
        default=dict, help_text="Ids: the run or message, agent version and model that it came from."
    )
    is_active = models.BooleanField(default=True)
    attention = models.CharField(
        max_length=8, blank=True, choices=Attention, help_text="Not used until a person has looked."
    )
    version = models.PositiveIntegerField(default=1)
    split = models.CharField(max_length=10, choices=Split)
    checks = models.JSONField(default=list, help_text="What a later answer to the question has to satisfy.")
    expires_at = models.DateTimeField(null=True)
    vector = HalfVectorField(dimensions=384, null=True, help_text="Of the question.")
    vector_model = models.CharField(max_length=80, blank=True)
    query_hash = models.BinaryField(max_length=32, help_text="SHA-256 of the question that the vector is of.")
    answer_vector = HalfVectorField(dimensions=384, null=True, help_text="Of the golden answer.")
    owner = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    search = models.GeneratedField(
        expression=SearchVector(
            Left("original_query", SEARCHED_CHARACTERS),
            Left("original_response", SEARCHED_CHARACTERS),
            Left("golden_response", SEARCHED_CHARACTERS),
            config="simple",
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = GoldenQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["project", "-created_at", "-id"], name="golden_newest"),
            models.Index(fields=["project", "source_type", "is_active", "-created_at", "-id"], name="golden_by_type"),
            models.Index(fields=["project", "is_active", "-created_at", "-id"], name="golden_by_active"),
            models.Index(fields=["project", "query_hash"], name="golden_by_query"),
            models.Index(
                fields=["project", "-created_at", "-id"], name="golden_to_look_at", condition=~Q(attention="")
            ),
            GinIndex(fields=["search"], name="golden_search"),
            HnswIndex(
                name="golden_near", fields=["vector"], m=16, ef_construction=64, opclasses=["halfvec_cosine_ops"]
            ),
        ]

    def __str__(self) -> str:
        return f"golden example {self.pk}"


class GoldenVersion(models.Model):
    """A golden example as it read at one version."""

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    example = models.ForeignKey(GoldenExample, models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    original_query = models.TextField()
    golden_response = models.TextField()
    checks = models.JSONField(default=list)
    is_active = models.BooleanField()
    editor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["example", "number"], name="golden_version_once")]

    def __str__(self) -> str:
        return f"version {self.number} of golden example {self.example_id}"


class GoldenCitation(models.Model):
    """A document that a golden answer rests on, as it was then; the example is stale once the hash differs.

    A document that was deleted leaves the citation behind, for the answer still rests on it.
    """

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    example = models.ForeignKey(GoldenExample, models.CASCADE, related_name="citations", db_index=False)
    document = models.ForeignKey(KnowledgeDocument, models.SET_NULL, null=True, related_name="cited_by")
    content_hash = models.BinaryField(max_length=32)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["example", "document"], name="golden_citation_once")]

    def __str__(self) -> str:
        return f"citation {self.pk}"


class GoldenVariants(models.Model):
    """Two examples with different answers to one question that a person let stand beside each other."""

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    one = models.ForeignKey(GoldenExample, models.CASCADE, related_name="+", db_index=False)
    other = models.ForeignKey(GoldenExample, models.CASCADE, related_name="+")
    settled_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["one", "other"], name="golden_variants_once"),
            models.CheckConstraint(condition=Q(one__lt=models.F("other")), name="golden_variants_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.one_id} and {self.other_id}"


class GoldenImport(models.Model):
    """A file of examples that was read and waits for a person's word; its rows are kept only until then."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, models.CASCADE)
    filename = models.CharField(max_length=255)
    split = models.CharField(max_length=10, blank=True, choices=GoldenExample.Split)
    rows = models.JSONField(default=list, help_text="What the file holds, row by row, with what is wrong with each.")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"golden import {self.pk}"


class GoldenCount(models.Model):
    """A share of how many golden examples there are; triggers keep it in the transaction that changes examples."""

    project = models.ForeignKey(Project, models.CASCADE, db_index=False)
    source_type = models.CharField(max_length=8)
    is_active = models.BooleanField()
    from_feedback = models.BooleanField()
    examples = models.BigIntegerField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["project", "source_type", "is_active", "from_feedback"], name="golden_count_shares")
        ]

    def __str__(self) -> str:
        return f"{self.examples} examples"
