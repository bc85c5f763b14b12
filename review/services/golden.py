"""Making, changing, placing and removing golden examples."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from config.errors import DomainError
from projects import audit
from projects.access import require
from projects.models import Project, User
from projects.roles import Permission
from review.checks import validate_checks
from review.models import Feedback, GoldenExample, GoldenVariants, GoldenVersion
from review.querysets import GoldenQuerySet
from review.services.attention import in_conflict_with, look_again, mark_conflict, read_answer, rivals_among
from review.services.twins import TWIN_SIMILARITY, Question, lock_examples, read_question, twins_of

__all__ = [
    "TWIN_SIMILARITY",
    "Draft",
    "create_example",
    "delete_example",
    "draft_from_feedback",
    "lock_examples",
    "move_to_split",
    "not_found",
    "read_answer",
    "read_question",
    "save_draft",
    "switch_off",
    "tend_example",
    "update_example",
]


def create_example(
    project: Project,
    *,
    actor: User,
    original_query: str,
    golden_response: str,
    original_response: str = "",
    checks: list[Any] | None = None,
    split: str | None = None,
    preferred_split: str | None = None,
    provenance: dict[str, str] | None = None,
) -> GoldenExample:
    """Write an example by hand.

    `split` moves the near-duplicates that there are to its side; `preferred_split` gives way to them.
    Raises DomainError for who may not manage feedback, for blank texts, and for checks that no checks are.
    """
    require(actor, Permission.MANAGE, project)
    _refuse_blank(original_query, "A golden example needs a question.")
    _refuse_blank(golden_response, "A golden example needs an answer.")
    written_checks = validate_checks(checks or [])
    question, answer_vector = read_question(original_query), read_answer(golden_response)
    with transaction.atomic():
        lock_examples(project)
        example = _insert(
            GoldenExample(
                project=project,
                source_type=GoldenExample.SourceType.MANUAL,
                approval_type=GoldenExample.ApprovalType.MANUAL,
                original_response=original_response,
                golden_response=golden_response,
                checks=written_checks,
                split=preferred_split or "",
                provenance=provenance or {},
                created_by=actor,
                owner=actor,
            ),
            question,
            answer_vector,
            split=split,
        )
        audit.record("golden_example.created", example, actor=actor, project=project)
    return example


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to become the example of a verdict, prepared as far as goes without keeping others waiting."""

    example: GoldenExample
    question: Question
    is_new: bool


def draft_from_feedback(
    feedback: Feedback,
    question: Question,
    *,
    golden_response: str,
    answer_vector: Any,
    creator: User | None,
    checks: Sequence[dict[str, Any]] = (),
) -> Draft:
    """Prepare the example of a verdict, to be saved by `save_draft` in the same transaction.

    `checks` are validated. Without a creator the approval was automatic. Needs an open transaction that holds the
    verdict's row, so that nobody else makes its example meanwhile.
    """
    example = GoldenExample(
        project=feedback.project,
        feedback=feedback,
        source_type=feedback.sentiment,
        approval_type=GoldenExample.ApprovalType.MANUAL if creator else GoldenExample.ApprovalType.AUTO,
        original_query=question.text,
        original_response=feedback.original_response or "",
        golden_response=golden_response,
        answer_vector=answer_vector,
        provenance=_provenance(feedback),
        checks=list(checks),
        created_by=creator,
        owner=creator,
    )
    is_new = not GoldenExample.objects.filter(feedback=feedback).exists()
    if is_new:
        # Before the example itself: foreign keys are checked at the end, and its turn is awaited by others.
        _version_of(example, editor=creator).save()
    return Draft(example, question, is_new)


def save_draft(draft: Draft) -> GoldenExample:
    """Save the example of a verdict, or bring the one it has up to date and switch it on."""
    example = draft.example
    lock_examples(example.project)
    if draft.is_new:
        return _place(example, draft.question)
    known = GoldenExample.objects.select_for_update().filter(feedback=example.feedback).first()
    if known is None:
        return _insert(example, draft.question, example.answer_vector)
    neighbours = in_conflict_with(known) if known.attention else set()
    known.source_type = example.source_type
    known.approval_type = example.approval_type
    known.golden_response = example.golden_response
    known.is_active = True
    known.checks = [*known.checks, *(check for check in example.checks if check not in known.checks)]
    _answer_anew(known, example.answer_vector)
    _save_version(known, editor=example.created_by)
    look_again(example.project, neighbours)
    return known


def update_example(
    example: GoldenExample,
    *,
    actor: User,
    original_query: str | None = None,
    golden_response: str | None = None,
    is_active: bool | None = None,
    checks: list[Any] | None = None,
    version: int | None = None,
) -> GoldenExample:
    """Change what is given; every change is a version.

    Another question may bring the example to the other side of the split, where those are that ask the same.
    Raises DomainError: 403, 404, 400 for blank texts and bad checks, 409 where `version` is given and is no
    longer the last.
    """
    require(actor, Permission.MANAGE, example.project)
    if golden_response is not None:
        _refuse_blank(golden_response, "A golden example needs an answer.")
    if original_query is not None:
        _refuse_blank(original_query, "A golden example needs a question.")
    given = {
        "original_query": original_query,
        "golden_response": golden_response,
        "is_active": is_active,
        "checks": None if checks is None else validate_checks(checks),
    }
    question = None if original_query is None else read_question(original_query)
    answer_vector = None if golden_response is None else read_answer(golden_response)
    with transaction.atomic():
        lock_examples(example.project)
        locked = _locked(example)
        if version is not None and locked.version != version:
            raise DomainError("Somebody else has changed this example meanwhile.", code="changed", status=409)
        changed = [name for name, value in given.items() if value is not None and value != getattr(locked, name)]
        if not changed:
            return locked
        neighbours = in_conflict_with(locked)
        for name in changed:
            setattr(locked, name, given[name])
        if question and "original_query" in changed:
            _ask(locked, question)
        if {"original_query", "golden_response"} & set(changed):
            _answer_anew(locked, answer_vector if "golden_response" in changed else locked.answer_vector)
        _save_version(locked, editor=actor)
        look_again(locked.project, neighbours)
        locked.refresh_from_db(fields=["attention"])
        audit.record("golden_example.changed", locked, actor=actor, project=locked.project, fields=changed)
    return locked


def tend_example(example: GoldenExample, *, actor: User, owner: User | None, expires_at: datetime | None) -> None:
    """Say who looks after an example, and until when it is used; neither is a version. Raises DomainError: 403, 404."""
    require(actor, Permission.MANAGE, example.project)
    with transaction.atomic():
        lock_examples(example.project)
        locked = _locked(example)
        locked.owner, locked.expires_at, locked.updated_at = owner, expires_at, timezone.now()
        locked.save(update_fields=["owner", "expires_at", "updated_at"])
        look_again(locked.project, {locked.pk} | in_conflict_with(locked))
        audit.record(
            "golden_example.tended", locked, actor=actor, project=locked.project, owner=owner.pk if owner else None
        )


def delete_example(example: GoldenExample, *, actor: User) -> None:
    """Remove an example and its history for good. Raises DomainError: 403, 404 when it is gone."""
    require(actor, Permission.MANAGE, example.project)
    with transaction.atomic():
        lock_examples(example.project)
        locked = _locked(example)
        neighbours = in_conflict_with(locked)
        locked.delete()
        look_again(example.project, neighbours)
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
    frozen = [example for example in locked if example.attention]
    neighbours = {example.pk for example in frozen} | in_conflict_with(*frozen)
    for example in locked:
        example.is_active = False
        example.version += 1
    GoldenExample.objects.filter(pk__in=[example.pk for example in locked]).update(
        is_active=False, version=F("version") + 1, updated_at=timezone.now()
    )
    GoldenVersion.objects.bulk_create(_version_of(example, editor=editor) for example in locked)
    look_again(project, neighbours)
    return len(locked)


def not_found() -> DomainError:
    """Return the error for an example that is not there."""
    return DomainError("Golden example not found", code="not_found", status=404)


def _locked(example: GoldenExample) -> GoldenExample:
    locked = GoldenExample.objects.select_for_update().filter(pk=example.pk).first()
    if locked is None:
        raise not_found()
    locked.project = example.project
    return locked


def _insert(
    example: GoldenExample, question: Question, answer_vector: Any, *, split: str | None = None
) -> GoldenExample:
    example.original_query = question.text
    example.answer_vector = answer_vector
    _version_of(example, editor=example.created_by).save()
    return _place(example, question, split=split)


def _place(example: GoldenExample, question: Question, *, split: str | None = None) -> GoldenExample:
    """Store a new example, whose version is stored, among those that ask the same."""
    others = _ask(example, question, split=split)
    # What is new cites nothing and was let stand beside nothing: only what asks the same can speak against it.
    rivals = [rival.pk for rival in rivals_among(example, others)]
    example.attention = GoldenExample.Attention.CONFLICT if rivals else ""
    example.save(force_insert=True)
    if rivals:
        mark_conflict(rivals)
    return example


def _ask(example: GoldenExample, question: Question, *, split: str | None = None) -> set[UUID]:
    """Set the question's vector, and stand where those stand that ask the same, or bring them along.

    Return those of them whose answer may be another.
    """
    found = twins_of(example.project, question.vector, question.hash, answer=example.golden_response)
    twins = [twin for twin in found if twin.pk != example.pk]
    side = split or (twins[0].split if twins else example.split or GoldenExample.Split.FEW_SHOT)
    if any(twin.split != side for twin in twins):
        _unite({twin.pk for twin in twins}, example.project, side)
    example.query_hash = question.hash
    example.vector = question.vector
    example.vector_model = question.model
    example.split = side
    return {twin.pk for twin in twins if not twin.answers_alike}


def _answer_anew(example: GoldenExample, answer_vector: Any) -> None:
    """Forget beside which answers the one before was let stand."""
    example.answer_vector = answer_vector
    GoldenVariants.objects.filter(Q(one=example) | Q(other=example)).delete()


def _save_version(example: GoldenExample, *, editor: User | None) -> GoldenExample:
    example.version += 1
    example.updated_at = timezone.now()
    example.save(
        update_fields=[
            "source_type", "approval_type", "original_query", "query_hash", "vector", "vector_model", "split",
            "golden_response", "answer_vector", "is_active", "checks", "version", "updated_at",
        ]
    )  # fmt: skip
    _version_of(example, editor=editor).save()
    look_again(example.project, [example.pk])
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


def _unite(members: set[UUID], project: Project, split: str) -> int:
    """Put `members` on one side, and with them whoever is a twin of one that moves; return how many moved."""
    seen: set[UUID] = set()
    moved = 0
    while fresh := members - seen:
        seen |= fresh
        astray = GoldenExample.objects.filter(pk__in=fresh).exclude(split=split).only("vector", "query_hash")
        members = members.union(
            *({twin.pk for twin in twins_of(project, one.vector, bytes(one.query_hash))} for one in astray)
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
