"""Settling what `attention` found: a person keeps one answer, lets several stand, or finds a stale one right."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

from django.db import transaction

from config.errors import DomainError
from projects import audit
from projects.access import require
from projects.models import Project, User
from projects.roles import Permission
from review.models import GoldenCitation, GoldenExample, GoldenVariants, KnowledgeDocument
from review.services.attention import look_again, rivals_of
from review.services.golden import switch_off
from review.services.twins import lock_examples

MOST_CITED = 20


@dataclass(frozen=True, slots=True)
class Conflict:
    """Examples that ask the same and answer differently, the oldest first."""

    examples: tuple[GoldenExample, ...]


def conflicts_of(project: Project, *, limit: int) -> Iterator[Conflict]:
    """Yield up to `limit` groups of examples in conflict, each example in one group."""
    frozen = GoldenExample.objects.filter(project=project, attention=GoldenExample.Attention.CONFLICT)
    seen: set[UUID] = set()
    for example in frozen.newest_first().defer("search").iterator(chunk_size=100):
        if example.pk in seen:
            continue
        if limit < 1:
            return
        example.project = project
        group = group_of(example)
        seen |= {each.pk for each in group.examples}
        limit -= 1
        yield group


def group_of(example: GoldenExample) -> Conflict:
    """Return an example with those that contradict it, and those that contradict them in turn."""
    group = {example.pk: example}
    waiting = [example]
    while waiting:
        for rival in rivals_of(waiting.pop()):
            if rival.pk not in group:
                rival.project = example.project
                group[rival.pk] = rival
                waiting.append(rival)
    return Conflict(tuple(sorted(group.values(), key=lambda each: (each.created_at, each.pk))))


def keep_one(example: GoldenExample, *, actor: User) -> int:
    """Call one answer right and switch those off that contradict it; return how many. Raises DomainError: 403, 404."""
    require(actor, Permission.MANAGE, example.project)
    with transaction.atomic():
        lock_examples(example.project)
        kept = _present(example)
        wrong = GoldenExample.objects.filter(pk__in=[rival.pk for rival in rivals_of(kept)])
        count = switch_off(kept.project, wrong, editor=actor)
        look_again(kept.project, [kept.pk])
        _record("golden_example.conflict_settled", kept, actor, kept="one", others=count)
    return count


def keep_all(examples: Iterable[GoldenExample], *, actor: User) -> None:
    """Let different answers to one question stand beside each other.

    Raises DomainError: 403, 404, 400 for one alone.
    """
    chosen = sorted(examples, key=lambda each: each.pk)
    if len(chosen) < 2:
        raise DomainError("Choose at least two examples.", code="alone")
    project = chosen[0].project
    require(actor, Permission.MANAGE, project)
    with transaction.atomic():
        lock_examples(project)
        for example in chosen:
            _present(example)
        GoldenVariants.objects.bulk_create(
            (
                GoldenVariants(project=project, one=one, other=other, settled_by=actor)
                for one, other in combinations(chosen, 2)
            ),
            ignore_conflicts=True,
        )
        look_again(project, [example.pk for example in chosen])
        _record("golden_example.conflict_settled", chosen[0], actor, kept="all", others=len(chosen) - 1)


def cite(example: GoldenExample, documents: Iterable[KnowledgeDocument], *, actor: User) -> None:
    """Say on which documents an answer rests, as they read now. Raises DomainError: 403, 404, 400 for too many."""
    require(actor, Permission.MANAGE, example.project)
    cited = {document.pk: document for document in documents if document.project_id == example.project_id}
    if len(cited) > MOST_CITED:
        raise DomainError(f"An answer rests on at most {MOST_CITED} documents.", code="too_many_documents")
    with transaction.atomic():
        lock_examples(example.project)
        present = _present(example)
        present.citations.all().delete()
        GoldenCitation.objects.bulk_create(
            GoldenCitation(
                project=present.project, example=present, document=document, content_hash=document.content_hash
            )
            for document in cited.values()
        )
        look_again(present.project, [present.pk])
        _record("golden_example.cited", present, actor, documents=len(cited))


def find_still_right(example: GoldenExample, *, actor: User) -> None:
    """Say that an answer holds with its documents as they are now. Raises DomainError: 403, 404."""
    documents = KnowledgeDocument.objects.filter(cited_by__example=example)
    cite(example, list(documents), actor=actor)


def _present(example: GoldenExample) -> GoldenExample:
    """Return the example as it is now; who deleted it meanwhile settled it."""
    present = GoldenExample.objects.filter(pk=example.pk, project=example.project).select_for_update().first()
    if present is None:
        raise DomainError("Golden example not found", code="not_found", status=404)
    present.project = example.project
    return present


def _record(verb: str, example: GoldenExample, actor: User, **details: int | str) -> None:
    audit.record(verb, example, actor=actor, project=example.project, **details)
