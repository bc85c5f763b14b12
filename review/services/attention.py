"""Which golden examples a person has to look at before they are used again: conflicts, and documents that changed.

An example is in conflict while another one in use asks the same question and answers it differently, unless a
person let both stand. It is stale while a document that it cites is not what it was. Both follow from what is
stored: `look_again` brings the mark up to date, and is called wherever something changes that it depends on.
"""

import re
from collections.abc import Iterable, Set
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from insights.local.encoder import EncoderUnavailable
from projects.models import Project
from review.models import GoldenCitation, GoldenExample, GoldenVariants
from review.querysets import GoldenQuerySet
from review.services.twins import embedded, lock_examples, twins_of

# Answers that are less similar say something else. Paraphrases lie mostly above; where one does not, a person
# lets both stand, which costs less than two answers of which one is wrong.
AGREEING_SIMILARITY: Final = 0.8
LOOKED_AT_ONCE: Final = 200
# The job of a night looks at what changed since the one before, with a day to spare.
SINCE: Final = timedelta(days=2)
NUMBER: Final = re.compile(r"\d+(?:[.,:]\d+)*")
NEGATION: Final = re.compile(r"\b(?:not|no|never|cannot|neither|without|\w+n['’]t)\b", re.IGNORECASE)
CONFLICT, STALE = GoldenExample.Attention.CONFLICT, GoldenExample.Attention.STALE


def answers_agree(one: str, other: str, similarity: float | None) -> bool:
    """Tell whether two answers to one question say the same.

    They do where they differ in nothing but white space and case; else they have to be similar (None where no
    encoder is at hand: then they do not), name the same numbers, and both or neither deny something: a changed
    number or an added "not" hardly moves a vector, and turns an answer round.
    """
    if one.casefold().split() == other.casefold().split():
        return True
    if similarity is None or similarity < AGREEING_SIMILARITY:
        return False
    if set(NUMBER.findall(one)) != set(NUMBER.findall(other)):
        return False
    return bool(NEGATION.search(one)) == bool(NEGATION.search(other))


def answer_similarity(one: str, other: str) -> float | None:
    """Return the cosine between two answers, None without an encoder."""
    try:
        return float(embedded(one) @ embedded(other))
    except EncoderUnavailable:
        return None


def rivals_of(example: GoldenExample) -> list[GoldenExample]:
    """Return the live examples that answer the example's question differently and were not let stand beside it."""
    twins = {twin.pk for twin in twins_of(example.project, example.vector, bytes(example.query_hash))}
    settled = {
        each
        for pair in GoldenVariants.objects.filter(Q(one=example) | Q(other=example)).values_list("one", "other")
        for each in pair
    }
    return rivals_among(example, twins - settled - {example.pk})


def rivals_among(example: GoldenExample, twins: Set[UUID]) -> list[GoldenExample]:
    """Return those of an example's twins that are live and answer differently."""
    if not twins:
        return []
    answer = example.golden_response
    # Most twins answer word for word the same: they need not be read.
    others = _live(GoldenExample.objects.filter(pk__in=twins).exclude(golden_response=answer))
    return [
        twin
        for twin in others.defer("search", "vector").order_by("created_at", "pk")
        if not answers_agree(answer, twin.golden_response, similarity_to(twin, answer, example.answer_vector))
    ]


def mark_conflict(rivals: Iterable[UUID]) -> int:
    """Put the mark of a conflict on some examples; return how many had another, or none."""
    return GoldenExample.objects.filter(pk__in=rivals).exclude(attention=CONFLICT).update(attention=CONFLICT)


def in_conflict_with(*examples: GoldenExample) -> set[UUID]:
    """Return whose marks may be owed to some examples; ask before those change, and look at these again after."""
    twins = {
        twin.pk for example in examples for twin in twins_of(example.project, example.vector, bytes(example.query_hash))
    }
    found = GoldenExample.objects.filter(pk__in=twins, attention=CONFLICT)
    return set(found.values_list("pk", flat=True)) - {example.pk for example in examples}


def look_again(project: Project, examples: Iterable[UUID]) -> int:
    """Bring the marks of some examples up to date, and put a mark on their rivals; return how many changed.

    Needs an open transaction that holds the project's examples.
    """
    changed, keys = 0, set(examples)
    if not keys:
        return changed
    wanted = GoldenExample.objects.filter(project=project, pk__in=keys).defer("search")
    live = set(_live(wanted).values_list("pk", flat=True))
    stale = _stale(wanted)
    for example in wanted.order_by("pk"):
        example.project = project
        rivals = [rival.pk for rival in rivals_of(example)] if example.pk in live else []
        mark = CONFLICT if rivals else STALE if example.pk in stale else ""
        rows = GoldenExample.objects.filter(pk=example.pk).exclude(attention=mark)
        changed += rows.update(attention=mark)
        changed += mark_conflict(rivals) if rivals else 0
    return changed


def look_everywhere() -> int:
    """Look at every example that changed of late, is marked, or ran out; return how many marks changed."""
    since = timezone.now() - SINCE
    due = Q(updated_at__gte=since) | ~Q(attention="") | Q(expires_at__gte=since, expires_at__lte=timezone.now())
    changed = 0
    for project in Project.objects.filter(pk__in=GoldenExample.objects.filter(due).values("project")).order_by("pk"):
        keys = list(GoldenExample.objects.filter(due, project=project).order_by("pk").values_list("pk", flat=True))
        keys += [key for key in _citing_what_changed(project) if key not in set(keys)]
        for start in range(0, len(keys), LOOKED_AT_ONCE):
            with transaction.atomic():
                lock_examples(project)
                _embed_answers(keys[start : start + LOOKED_AT_ONCE])
                changed += look_again(project, keys[start : start + LOOKED_AT_ONCE])
    return changed


def read_answer(text: str) -> Any:
    """Return the vector of an answer, None without an encoder. Do it before a project's examples are locked."""
    try:
        return embedded(text)
    except EncoderUnavailable:
        return None


def _live(examples: GoldenQuerySet) -> GoldenQuerySet:
    return examples.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), is_active=True)


def similarity_to(example: GoldenExample, answer: str, vector: Any) -> float | None:
    """Return the cosine between an example's answer and another, whose vector is given if it is known."""
    if example.answer_vector is None or vector is None:
        return answer_similarity(example.golden_response, answer)
    return float(np.dot(np.asarray(example.answer_vector), np.asarray(vector)))


def _changed_documents() -> Q:
    return Q(document=None) | ~Q(document__content_hash=F("content_hash"))


def _stale(examples: GoldenQuerySet) -> set[UUID]:
    citations = GoldenCitation.objects.filter(_changed_documents(), example__in=examples.values("pk"))
    return set(citations.values_list("example", flat=True))


def _citing_what_changed(project: Project) -> set[UUID]:
    citations = GoldenCitation.objects.filter(_changed_documents(), project=project)
    return set(citations.values_list("example", flat=True))


def _embed_answers(examples: list[UUID]) -> None:
    """Give a vector to answers that were stored without one."""
    for example in GoldenExample.objects.filter(pk__in=examples, answer_vector=None).only("golden_response"):
        GoldenExample.objects.filter(pk=example.pk).update(answer_vector=read_answer(example.golden_response))
