"""Grouping all statements of a project anew, so that what was decided one by one is put right.

Ids live on by their members, people's corrections are constraints, and an insight that dissolves leads to
the one that took most of its mentions.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from insights import counts, titles
from insights.embedding import Vector, model_name, unit
from insights.local.clustering import NAMES, NGRAM_TOPICS, TOPICS, carry_ids, rebuild
from insights.locking import lock_insights
from insights.matching import Shelf
from insights.models import AnalysisWake, Correction, Insight, Mention, StatementVector
from projects.identifiers import uuid7
from projects.models import Project

GROWTH = 1.1  # since the last rebuild, from which the next is due
FEWEST = 30  # statements below which one by one is as good
MEASURES = {"sentences": TOPICS, "ngrams": NGRAM_TOPICS, "names": NAMES}
LINKS = 5  # mentions of each insight that stand for it where two must stay apart

Act = Correction.Act


@dataclass(slots=True)
class _Rows:
    """The mentions of one shelf: what each is compared by, and where it is now."""

    mentions: list[int] = field(default_factory=list)
    insights: list[UUID] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rebuild would change: mentions by the insight they go to, and which insights end in which."""

    shelf: Shelf
    read: list[int]
    moves: dict[int, UUID]
    founded: frozenset[UUID]
    successors: dict[UUID, UUID]
    centroids: dict[UUID, tuple[Vector, int]]


def is_due(project: Project) -> bool:
    """Tell whether the project has grown by a tenth since its last rebuild."""
    wake, _ = AnalysisWake.objects.get_or_create(project=project)
    size = _size(project)
    return size >= FEWEST and size >= GROWTH * wake.mentions_at_rebuild


def has_changed(project: Project) -> bool:
    """Tell whether anything came or went since the last rebuild."""
    wake, _ = AnalysisWake.objects.get_or_create(project=project)
    return _size(project) >= FEWEST and _size(project) != wake.mentions_at_rebuild


def _size(project: Project) -> int:
    weights = Insight.objects.filter(project=project, merged_into=None).aggregate(Sum("weight"))
    return int(weights["weight__sum"] or 0)


def rebuild_insights(project: Project) -> int:
    """Group the project's statements anew; return how many mentions moved."""
    moved = 0
    for shelf, rows in _read(project).items():
        moved += _apply(project, plan(project, shelf, rows))
    AnalysisWake.objects.filter(project=project).update(rebuilt_at=timezone.now(), mentions_at_rebuild=_size(project))
    return moved


def _read(project: Project) -> dict[Shelf, _Rows]:
    shelves: defaultdict[Shelf, _Rows] = defaultdict(_Rows)
    rows = Mention.objects.filter(project=project, deleted_at=None, insight__merged_into=None)
    columns = ("pk", "insight", "statement_hash", "insight__kind", "insight__language")
    for pk, insight, digest, kind, language in rows.order_by("pk").values_list(*columns):
        shelf = shelves[Shelf.of(kind, language)]
        shelf.mentions.append(pk)
        shelf.insights.append(insight)
        shelf.hashes.append(bytes(digest))
    return dict(shelves)


def plan(project: Project, shelf: Shelf, rows: _Rows) -> Plan:
    """Group the statements of one shelf; nothing is changed."""
    rows, vectors = _with_vectors(shelf, rows)
    places = {insight: place for place, insight in enumerate(dict.fromkeys(rows.insights))}
    labels = rebuild(
        vectors,
        previous=np.array([places[insight] for insight in rows.insights], np.int64),
        must_link=_must_link(project, rows),
        cannot_link=_cannot_link(project, rows),
        measure=MEASURES[shelf.measure],
    )
    carried = carry_ids(rows.insights, labels, preferred=_remembered(project))
    ids = {int(label): carried.keys.get(int(label)) or uuid7() for label in dict.fromkeys(labels.tolist())}
    moves: dict[int, UUID] = {}
    centroids: dict[UUID, tuple[Vector, int]] = {}
    for label, insight in ids.items():
        members = np.flatnonzero(labels == label)
        centroids[insight] = (vectors[members].mean(axis=0), len(members))
        moves |= {rows.mentions[at]: insight for at in members.tolist() if rows.insights[at] != insight}
    founded = frozenset(set(ids.values()) - set(carried.keys.values()))
    successors = {insight: ids[label] for insight, label in carried.successors.items()}
    return Plan(shelf, rows.mentions, moves, founded, successors, centroids)


def _with_vectors(shelf: Shelf, rows: _Rows) -> tuple[_Rows, Vector]:
    """Load the vectors, leaving out rows whose vector was made by another encoder."""
    stored = StatementVector.objects.filter(model=model_name(shelf.measure), text_hash__in=set(rows.hashes))
    vectors = {bytes(row.text_hash): unit(row.vector) for row in stored}
    kept = [at for at, digest in enumerate(rows.hashes) if digest in vectors]
    narrowed = _Rows(
        [rows.mentions[at] for at in kept], [rows.insights[at] for at in kept], [rows.hashes[at] for at in kept]
    )
    matrix = np.array([vectors[digest] for digest in narrowed.hashes], np.float32)
    return narrowed, matrix


def _must_link(project: Project, rows: _Rows) -> list[Sequence[int]]:
    """What a person merged or moved by hand stays together with where it was put."""
    place = {mention: at for at, mention in enumerate(rows.mentions)}
    groups: defaultdict[UUID, set[int]] = defaultdict(set)
    by_hand = Mention.objects.filter(pk__in=rows.mentions, moved_by_hand=True).values_list("pk", "insight")
    for mention, insight in by_hand:
        groups[insight].add(place[mention])
    merged = Correction.objects.filter(project=project, act=Act.MERGE, undone_at=None)
    for insight in set(merged.values_list("insight", flat=True)):
        groups[insight] |= {at for at, current in enumerate(rows.insights) if current == insight}
    return [sorted(group) for group in groups.values() if len(group) > 1]


def _cannot_link(project: Project, rows: _Rows) -> list[tuple[int, int]]:
    """What a person called different, or split, stays apart."""
    apart = Correction.objects.filter(project=project, act__in=[Act.DIFFERENT, Act.SPLIT], undone_at=None)
    members: defaultdict[UUID, list[int]] = defaultdict(list)
    for at, insight in enumerate(rows.insights):
        members[insight].append(at)
    pairs = []
    for one, other in apart.values_list("insight", "other"):
        if other is not None:
            pairs += [(a, b) for a in members[one][:LINKS] for b in members[other][:LINKS]]
    return pairs


def _remembered(project: Project) -> set[UUID]:
    """Return the insights that a person touched: they keep their ids before all others."""
    touched = Correction.objects.filter(project=project, undone_at=None).values("insight")
    insights = Insight.objects.filter(Q(pk__in=touched) | ~Q(locked=[]) | Q(deleted_at__isnull=False), project=project)
    return set(insights.values_list("pk", flat=True))


def _apply(project: Project, made: Plan) -> int:
    """Make a plan's changes, leaving alone what changed since it was made; return how many mentions moved."""
    with transaction.atomic():
        lock_insights(project.pk)
        live = set(Insight.objects.filter(project=project, merged_into=None).values_list("pk", flat=True))
        wake = AnalysisWake.objects.select_for_update().get(project=project)
        wake.revision += 1
        wake.save(update_fields=["revision"])
        moving = _movable(made, live)
        _found(project, made, moving, wake.revision)
        moved = _move(project, moving, made.successors)
        Mention.objects.filter(pk__in=made.read, unsure=True).update(unsure=False)
        _settle(project, made, wake.revision)
    return moved


def _movable(made: Plan, live: set[UUID]) -> dict[int, UUID]:
    rows = Mention.objects.filter(pk__in=made.moves, deleted_at=None, moved_by_hand=False)
    free = set(rows.values_list("pk", flat=True))
    return {pk: to for pk, to in made.moves.items() if pk in free and (to in live or to in made.founded)}


def _found(project: Project, made: Plan, moving: dict[int, UUID], revision: int) -> None:
    firsts = {to: pk for pk, to in reversed(moving.items()) if to in made.founded}
    mentions = Mention.objects.in_bulk(list(firsts.values()))
    Insight.objects.bulk_create(
        Insight(
            id=to,
            project=project,
            kind=mentions[pk].kind,
            language=mentions[pk].language,
            title=titles.provisional(mentions[pk]),
            revision=revision,
        )
        for to, pk in firsts.items()
    )


def _move(project: Project, moving: dict[int, UUID], successors: dict[UUID, UUID]) -> int:
    """Move the mentions, then what came to an ended insight meanwhile; keep the counts of all they touch."""
    rows = list(Mention.objects.filter(pk__in=moving))
    late = Mention.objects.filter(project=project, insight__in=successors).exclude(pk__in=moving)
    late = late.filter(moved_by_hand=False)
    targets: dict[int, UUID] = moving | {row.pk: successors[row.insight_id] for row in late}
    rows += list(late)
    touched = {row.insight_id for row in rows} | set(targets.values())
    groups: defaultdict[UUID, list[int]] = defaultdict(list)
    for row in rows:
        groups[targets[row.pk]].append(row.pk)
    with counts.rebuilt(project.pk, sorted(touched)):
        for insight, mentions in groups.items():
            Mention.objects.filter(pk__in=mentions).update(insight=insight)
    return len(rows)


def _settle(project: Project, made: Plan, revision: int) -> None:
    """Renew the centroids, lead ended insights to their successors, and name what changed."""
    for ended, successor in sorted(made.successors.items()):
        if not Mention.objects.filter(insight=ended).exists():
            Insight.objects.filter(pk=ended).update(merged_into=successor, revision=revision)
    changed: list[Any] = []
    for insight in Insight.objects.filter(pk__in=made.centroids).order_by("pk"):
        mean, weight = made.centroids[insight.pk]
        is_changed = insight.weight != weight
        insight.centroid, insight.weight, insight.revision = mean.tolist(), weight, revision
        insight.titled_at_weight = 0 if is_changed else insight.titled_at_weight
        changed.append(insight)
    Insight.objects.bulk_update(changed, ["centroid", "weight", "revision", "titled_at_weight"], batch_size=200)
    titles.refresh(project, [insight.pk for insight in changed if insight.titled_at_weight == 0])
