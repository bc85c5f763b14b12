"""Decides some of the sample's verdicts as its reviewers did, with the golden examples that they made."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from feedback_ingest.sample import GoldenExample as SampleExample
from projects.models import Project, User
from review.models import Feedback, GoldenExample
from review.services.golden import create_example, move_to_split, update_example
from review.services.transitions import dismiss_feedback, resolve_feedback

SPLITS = {"train": GoldenExample.Split.FEW_SHOT, "eval": GoldenExample.Split.EVALUATION}
DECIDED_AFTER = timedelta(hours=20)
# Conversations whose verdict says nothing about the answer.
DISMISSED = {"Say something in Klingon": "Spam or a test", "where is the price list": "The question was unclear"}


def decide(project: Project, verdicts: dict[str, Feedback], golden: Sequence[SampleExample], owner: User) -> None:
    """Resolve the verdicts that have a golden answer, and dismiss a few others."""
    by_question = {feedback.original_query: feedback for feedback in verdicts.values() if _is_open(feedback)}
    for sample in golden:
        feedback = by_question.pop(sample.query, None)
        example = _resolve(feedback, sample, owner) if feedback else _write(project, sample, owner)
        update_example(example, actor=owner, checks=_checks(sample))
        move_to_split(example, SPLITS[sample.split], actor=owner)
    for question, reason in DISMISSED.items():
        if feedback := by_question.get(question):
            dismiss_feedback(feedback, actor=owner, reason=reason)
            _date(feedback)


def _is_open(feedback: Feedback) -> bool:
    return feedback.status == Feedback.Status.PENDING and feedback.sentiment == Feedback.Sentiment.NEGATIVE


def _resolve(feedback: Feedback, sample: SampleExample, owner: User) -> GoldenExample:
    example = resolve_feedback(feedback, actor=owner, golden_response=sample.golden_response)
    _date(feedback)
    return example


def _write(project: Project, sample: SampleExample, owner: User) -> GoldenExample:
    return create_example(
        project,
        actor=owner,
        original_query=sample.query,
        golden_response=sample.golden_response,
        original_response=sample.original_response,
    )


def _date(feedback: Feedback) -> None:
    """Let a decision, and the example that came of it, be from the day after the verdict."""
    decided = feedback.created_at + DECIDED_AFTER
    Feedback.objects.filter(pk=feedback.pk).update(reviewed_at=decided, updated_at=decided)
    GoldenExample.objects.filter(feedback=feedback).update(created_at=decided, updated_at=decided)


def _checks(sample: SampleExample) -> list[dict[str, Any]]:
    wanted = [{"kind": "contains", "text": text} for text in sample.contains]
    return wanted + [{"kind": "not_contains", "text": text} for text in sample.not_contains]
