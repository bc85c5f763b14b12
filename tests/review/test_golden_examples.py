"""Golden examples: their versions, their vectors, and the split that no question stands on both sides of."""

from functools import partial

import numpy as np
import pytest
from django.db import transaction

from config.errors import DomainError
from insights import embedding
from insights.local.encoder import EncoderUnavailable
from projects.models import AuditEvent, Project
from projects.roles import Role
from review.models import GoldenExample
from review.services import twins
from review.services.golden import create_example, delete_example, move_to_split, read_question, update_example
from tests.factories import Member, make_member, make_project
from tests.races import race
from tests.review.factories import make_feedback

RESET = "How do I reset my password?"
RESET_TWIN = "How can I reset my password?"
EXPORT = "Can I export my report as a PDF file?"
FEW_SHOT, EVALUATION = GoldenExample.Split.FEW_SHOT, GoldenExample.Split.EVALUATION


def make_example(member: Member, query: str, split: str | None = None) -> GoldenExample:
    return create_example(
        member.project, actor=member.user, original_query=query, golden_response="Like this.", split=split
    )


def split_of(example: GoldenExample) -> str:
    return GoldenExample.objects.get(pk=example.pk).split


@pytest.mark.django_db
def test_an_example_holds_the_vector_of_its_question(reviewer: Member) -> None:
    example = make_example(reviewer, RESET)
    stored = np.asarray(GoldenExample.objects.get().vector)
    [expected] = embedding.encoder().encode([RESET])
    assert float(np.dot(stored, expected)) == pytest.approx(1, abs=1e-3)
    assert (example.split, example.version, example.is_active) == (FEW_SHOT, 1, True)


@pytest.mark.django_db
def test_without_an_encoder_the_example_is_kept_all_the_same(
    reviewer: Member, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unavailable() -> None:
        raise EncoderUnavailable("altered")

    twins.embedded.cache_clear()
    monkeypatch.setattr(twins, "encoder", unavailable)
    make_example(reviewer, RESET, EVALUATION)
    assert make_example(reviewer, RESET).split == EVALUATION
    assert set(GoldenExample.objects.values_list("vector", "vector_model")) == {(None, "")}
    assert "no encoder" in caplog.text


@pytest.mark.django_db
def test_the_nearest_examples_come_first_and_none_of_another_project(reviewer: Member, stranger: Member) -> None:
    near, far = make_example(reviewer, RESET), make_example(reviewer, EXPORT)
    make_example(stranger, RESET)
    question = read_question("reset password")
    assert question.vector
    with transaction.atomic():
        found = GoldenExample.objects.visible_to(reviewer.user).nearest(question.vector, similarity=-1.0, limit=5)
    assert [example for example, _ in found] == [near, far]
    assert found[0].similarity > 0.6 > found[1].similarity


@pytest.mark.django_db
def test_every_change_is_a_version_and_no_change_is_none(reviewer: Member) -> None:
    example = make_example(reviewer, RESET)
    update_example(example, actor=reviewer.user, golden_response="Another way.")
    update_example(example, actor=reviewer.user, golden_response="Another way.", is_active=True)
    changed = update_example(example, actor=reviewer.user, is_active=False)
    history = changed.versions.order_by("number").values_list("number", "golden_response", "is_active", "editor")
    assert list(history) == [
        (1, "Like this.", True, reviewer.user.pk),
        (2, "Another way.", True, reviewer.user.pk),
        (3, "Another way.", False, reviewer.user.pk),
    ]
    assert AuditEvent.objects.filter(verb="golden_example.changed").count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("split", [FEW_SHOT, EVALUATION])
def test_near_duplicates_follow_the_first_of_them(reviewer: Member, split: str) -> None:
    make_example(reviewer, RESET, split)
    assert make_example(reviewer, RESET_TWIN).split == split
    assert make_example(reviewer, EXPORT).split == FEW_SHOT


@pytest.mark.django_db
def test_moving_one_moves_all_its_near_duplicates_and_nothing_else(reviewer: Member, stranger: Member) -> None:
    first, twin = make_example(reviewer, RESET), make_example(reviewer, RESET_TWIN)
    other, foreign = make_example(reviewer, EXPORT), make_example(stranger, RESET)
    assert move_to_split(first, EVALUATION, actor=reviewer.user) == 2
    assert [split_of(each) for each in (first, twin, other, foreign)] == [
        EVALUATION, EVALUATION, FEW_SHOT, FEW_SHOT,
    ]  # fmt: skip


@pytest.mark.django_db
def test_one_that_is_near_to_both_sides_brings_them_together(reviewer: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """A and C are no twins of each other, but both are of B; D is a twin of C alone."""
    angles = {"A": 0.0, "B": 0.5, "C": 1.0, "D": 1.5}

    class Circle:
        name = "circle"

        def encode(self, texts: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
            vectors = np.zeros((len(texts), 384), dtype=np.float32)
            for row, text in enumerate(texts):
                vectors[row, :2] = np.cos(angles[text]), np.sin(angles[text])
            return vectors

    monkeypatch.setattr(twins, "encoder", Circle)
    a, c, d = (
        make_example(reviewer, name, split) for name, split in zip("ACD", (FEW_SHOT, EVALUATION, None), strict=True)
    )
    assert (split_of(a), split_of(c), split_of(d)) == (FEW_SHOT, EVALUATION, EVALUATION)
    make_example(reviewer, "B", FEW_SHOT)
    assert set(GoldenExample.objects.values_list("split", flat=True)) == {FEW_SHOT}


@pytest.mark.django_db(transaction=True)
def test_near_duplicates_made_at_once_do_not_part() -> None:
    project = make_project()
    member = make_member(project, Role.REVIEWER)
    questions = [RESET, RESET_TWIN] * 3
    race(
        *(
            partial(make_example, member, query, (FEW_SHOT, EVALUATION)[number % 2])
            for number, query in enumerate(questions)
        )
    )
    assert GoldenExample.objects.count() == 6
    assert len(set(GoldenExample.objects.values_list("split", flat=True))) == 1


@pytest.mark.django_db
def test_large_projects_find_near_duplicates_by_the_index(reviewer: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twins, "EXACT_UP_TO", 0)
    make_example(reviewer, RESET, EVALUATION)
    assert make_example(reviewer, RESET_TWIN).split == EVALUATION


@pytest.mark.django_db
def test_blank_texts_are_refused(reviewer: Member) -> None:
    for query, answer in (("", "A"), ("  ", "A"), ("Q", " ")):
        with pytest.raises(DomainError):
            create_example(reviewer.project, actor=reviewer.user, original_query=query, golden_response=answer)
    example = make_example(reviewer, RESET)
    with pytest.raises(DomainError):
        update_example(example, actor=reviewer.user, golden_response=" ")


@pytest.mark.django_db
def test_writing_needs_the_manage_permission(reviewer: Member, viewer: Member) -> None:
    example = make_example(reviewer, RESET)
    for write in (
        partial(make_example, viewer, EXPORT),
        partial(update_example, example, actor=viewer.user, is_active=False),
        partial(delete_example, example, actor=viewer.user),
        partial(move_to_split, example, EVALUATION, actor=viewer.user),
    ):
        with pytest.raises(DomainError) as refused:
            write()
        assert refused.value.status == 403
    assert GoldenExample.objects.get().is_active


@pytest.mark.django_db
def test_what_was_deleted_meanwhile_is_not_found(reviewer: Member) -> None:
    example = make_example(reviewer, RESET)
    delete_example(example, actor=reviewer.user)
    for write in (delete_example, partial(update_example, is_active=False)):
        with pytest.raises(DomainError, match="Golden example not found"):
            write(example, actor=reviewer.user)


@pytest.mark.django_db
def test_deleting_the_feedback_deletes_its_example_with_its_history(project: Project, owner: Member) -> None:
    feedback = make_feedback(owner.user, project, "positive")
    feedback.delete()
    assert not GoldenExample.objects.exists()
