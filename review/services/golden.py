"""Making, changing, placing and removing golden examples."""

import logging
from dataclasses import dataclass
from itertools import starmap
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from pgvector import HalfVector
from pgvector.django import CosineDistance

from config.errors import DomainError
from insights.embedding import encoder, text_hash
from insights.local.encoder import EncoderUnavailable
from projects import audit
from projects.access import require
from projects.models import Project, User
from projects.roles import Permission
from review.models import Feedback, GoldenExample, GoldenVersion
from review.querysets import GoldenQuerySet
from review.services.counts import golden_total

logger = logging.getLogger(__name__)

# Two questions this similar are the same question: they never stand on both sides of the split.
TWIN_SIMILARITY = 0.85
# Up to here twins are looked for among all examples, beyond it by the vector index.
EXACT_UP_TO = 2_000
TWINS_AT_ONCE = 20
EMBEDDED_CHARACTERS = 10_000
# The triggers that count verdicts and examples take the same lock.
_PROJECT_LOCK = 4105


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what finds others like it; `vector` is None where no encoder is at hand."""

    text: str
    hash: bytes
    vector: HalfVector | None
    model: str


class Twin(NamedTuple):
    """An example that asks the same question, and the side of the split it is on."""

    pk: UUID
    split: str


def read_question(text: str) -> Question:
    """Embed a question. Takes milliseconds of one core: do it before a transaction is opened."""
    try:
        [vector] = encoder().encode([text[:EMBEDDED_CHARACTERS]])
        return Question(text, text_hash(text), HalfVector(vector), encoder().name)
    except EncoderUnavailable:
        logger.exception("no encoder: the question is kept without a vector")
        return Question(text, text_hash(text), None, "")


def create_example(
    project: Project,
    *,
    actor: User,
    original_query: str,
    golden_response: str,
    original_response: str = "",
    checks: list[Any] | None = None,
    split: str | None = None,
) -> GoldenExample:
    """Write an example by hand. Raises DomainError for who may not manage feedback and for blank texts."""
    require(actor, Permission.MANAGE, project)
    _refuse_blank(original_query, "A golden example needs a question.")
    _refuse_blank(golden_response, "A golden example needs an answer.")
    question = read_question(original_query)
    with transaction.atomic():
        lock_examples(project)
        example = _insert(
            GoldenExample(
                project=project,
                source_type=GoldenExample.SourceType.MANUAL,
                approval_type=GoldenExample.ApprovalType.MANUAL,
                original_response=original_response,
                golden_response=golden_response,
                checks=checks or [],
                created_by=actor,
                owner=actor,
            ),
            question,
            split=split,
        )
        audit.record("golden_example.created", example, actor=actor, project=project)
    return example


def save_from_feedback(
    feedback: Feedback, question: Question, *, golden_response: str, creator: User | None
) -> GoldenExample:
    """Make the example of a verdict, or bring the one it has up to date and switch it on.

    Without a creator the approval was automatic. Needs an open transaction that holds the verdict's row.
    """
    approval = GoldenExample.ApprovalType.MANUAL if creator else GoldenExample.ApprovalType.AUTO
    lock_examples(feedback.project)
    known = GoldenExample.objects.select_for_update().filter(feedback=feedback).first()
    if known is None:
        return _insert(
            GoldenExample(
                project=feedback.project,
                feedback=feedback,
                source_type=feedback.sentiment,
                approval_type=approval,
                original_response=feedback.original_response or "",
                golden_response=golden_response,
                provenance=_provenance(feedback),
                created_by=creator,
                owner=creator,
            ),
            question,
        )
    known.source_type = feedback.sentiment
    known.approval_type = approval
    known.golden_response = golden_response
    known.is_active = True
    return _save_version(known, editor=creator)


def update_example(
    example: GoldenExample,
    *,
    actor: User,
    golden_response: str | None = None,
    is_active: bool | None = None,
    checks: list[Any] | None = None,
) -> GoldenExample:
    """Change what is given; every change is a version. Raises DomainError: 403, 404, 400 for a blank answer."""
    require(actor, Permission.MANAGE, example.project)
    if golden_response is not None:
        _refuse_blank(golden_response, "A golden example needs an answer.")
    with transaction.atomic():
        lock_examples(example.project)
        locked = GoldenExample.objects.select_for_update().filter(pk=example.pk).first()
        if locked is None:
            raise not_found()
        given = {"golden_response": golden_response, "is_active": is_active, "checks": checks}
        changed = [name for name, value in given.items() if value is not None and value != getattr(locked, name)]
        if not changed:
            return locked
        for name in changed:
            setattr(locked, name, given[name])
        _save_version(locked, editor=actor)
        audit.record("golden_example.changed", locked, actor=actor, project=locked.project, fields=changed)
    return locked


def delete_example(example: GoldenExample, *, actor: User) -> None:
    """Remove an example and its history for good. Raises DomainError: 403, 404 when it is gone."""
    require(actor, Permission.MANAGE, example.project)
    with transaction.atomic():
        lock_examples(example.project)
        _, deleted = GoldenExample.objects.filter(pk=example.pk).delete()
        if not deleted:
            raise not_found()
        audit.record("golden_example.deleted", example, actor=actor, project=example.project)


def move_to_split(example: GoldenExample, split: str, *, actor: User) -> int:
    """Put an example, with all its near-duplicates, on one side of the split; return how many moved."""
    require(actor, Permission.MANAGE, example.project)
    with transaction.atomic():
        lock_examples(example.project)
        moved = _unite({example.pk}, example.project, split)
        audit.record("golden_example.moved", example, actor=actor, project=example.project, split=split, examples=moved)
    return moved


def switch_off(project: Project, examples: GoldenQuerySet, *, editor: User | None = None) -> int:
    """Stop using examples of a project, each as a version of its own; return how many were in use."""
    lock_examples(project)
    locked = list(examples.filter(is_active=True).select_for_update().order_by("pk"))
    for example in locked:
        example.is_active = False
        example.version += 1
    GoldenExample.objects.filter(pk__in=[example.pk for example in locked]).update(
        is_active=False, version=F("version") + 1, updated_at=timezone.now()
    )
    GoldenVersion.objects.bulk_create(_version_of(example, editor=editor) for example in locked)
    return len(locked)


def lock_examples(project: Project) -> None:
    """Let no other transaction write a project's examples: twins that do not see each other could part.

    Verdicts are locked before this and examples after it, everywhere: then nobody waits in a circle.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_PROJECT_LOCK, project.pk % (2**31 - 1)])


def not_found() -> DomainError:
    """Return the error for an example that is not there."""
    return DomainError("Golden example not found", code="not_found", status=404)


def _insert(example: GoldenExample, question: Question, *, split: str | None = None) -> GoldenExample:
    twins = _twins(example.project, question.vector, question.hash)
    side = split or (twins[0].split if twins else GoldenExample.Split.FEW_SHOT)
    if any(twin.split != side for twin in twins):
        _unite({twin.pk for twin in twins}, example.project, side)
    example.original_query = question.text
    example.query_hash = question.hash
    example.vector = question.vector
    example.vector_model = question.model
    example.split = side
    example.save(force_insert=True)
    _version_of(example, editor=example.created_by).save()
    return example


def _save_version(example: GoldenExample, *, editor: User | None) -> GoldenExample:
    example.version += 1
    example.updated_at = timezone.now()
    example.save(
        update_fields=[
            "source_type", "approval_type", "golden_response", "is_active", "checks", "version", "updated_at",
        ]
    )  # fmt: skip
    _version_of(example, editor=editor).save()
    return example


def _version_of(example: GoldenExample, *, editor: User | None) -> GoldenVersion:
    return GoldenVersion(
        project=example.project,
        example=example,
        number=example.version,
        original_query=example.original_query,
        golden_response=example.golden_response,
        checks=example.checks,
        is_active=example.is_active,
        editor=editor,
    )


def _twins(project: Project, vector: HalfVector | None, query_hash: bytes) -> list[Twin]:
    """Return the examples that ask the same question, the nearest first."""
    examples = GoldenExample.objects.filter(project=project)
    if vector is not None and golden_total(project) <= EXACT_UP_TO:
        same = examples.asking_the_same(TWIN_SIMILARITY, vector, query_hash)
        return list(starmap(Twin, same.values_list("pk", "split")))
    unembedded = examples.filter(query_hash=query_hash).filter(Q(vector=None) if vector is not None else Q())
    near = _near(examples, vector) if vector is not None else []
    return [*near, *starmap(Twin, unembedded.values_list("pk", "split"))]


def _near(examples: GoldenQuerySet, vector: HalfVector) -> list[Twin]:
    """Return the twins that the vector index finds: a few, or as many more as there are."""
    rows = examples.by_distance(vector).values_list("pk", "split", CosineDistance("vector", vector))
    limit = TWINS_AT_ONCE
    while True:
        found = [Twin(pk, split) for pk, split, distance in rows[:limit] if distance <= 1 - TWIN_SIMILARITY]
        if len(found) < limit:
            return found
        limit *= 4


def _unite(members: set[UUID], project: Project, split: str) -> int:
    """Put `members` on one side, and with them whoever is a twin of one that moves; return how many moved."""
    seen: set[UUID] = set()
    moved = 0
    while fresh := members - seen:
        seen |= fresh
        astray = GoldenExample.objects.filter(pk__in=fresh).exclude(split=split).only("vector", "query_hash")
        members = members.union(
            *({twin.pk for twin in _twins(project, one.vector, bytes(one.query_hash))} for one in astray)
        )
        moved += GoldenExample.objects.filter(pk__in=[one.pk for one in astray]).update(split=split)
    return moved


def _provenance(feedback: Feedback) -> dict[str, Any]:
    ids = {
        "feedback": feedback.uuid,
        "message": feedback.message_id,
        "run": feedback.run_id,
        "conversation": feedback.conversation_id,
        "tracked_agent": feedback.tracked_agent_id,
        "agent": feedback.agent_id,
        "version": feedback.version_id,
        "model": feedback.model or None,
        "channel": feedback.channel,
    }
    return {name: str(value) for name, value in ids.items() if value is not None}


def _refuse_blank(text: str, message: str) -> None:
    if not text.strip():
        raise DomainError(message, code="blank")
