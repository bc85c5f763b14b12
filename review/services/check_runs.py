"""Running the checks: every question of the evaluation split is asked, its answer graded, and both are kept."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from config.errors import DomainError
from projects.models import Project, User
from review.checks import grade
from review.checks.asking import Reply, Target, ask
from review.models import GoldenCheckResult, GoldenCheckRun, GoldenExample
from review.querysets import GoldenQuerySet

AT_ONCE: Final = 4
MOST_AT_ONCE: Final = 16
Outcome = GoldenCheckResult.Outcome


def begin_run(project: Project, target: Target, *, split: str, started_by: User | None = None) -> GoldenCheckRun:
    """Write down that a run begins.

    Raises DomainError for the split that prompts hold, whose questions are never asked, and where there is
    nothing to ask.
    """
    if split != GoldenExample.Split.EVALUATION:
        raise DomainError(
            "Only the evaluation split is asked: prompts may hold the answers of the other.", code="would_leak"
        )
    questions = questions_of(project).count()
    if not questions:
        raise DomainError("There is nothing to ask: no example in use is in the evaluation split.", code="no_questions")
    return GoldenCheckRun.objects.create(
        project=project,
        target=target.shown,
        model="" if target.is_agent else target.model[:120],
        split=split,
        questions=questions,
        started_by=started_by,
    )


def questions_of(project: Project) -> GoldenQuerySet:
    """Return the examples that tests ask, the oldest first, without any whose question a prompt may hold."""
    shown = GoldenExample.objects.filter(project=project, split=GoldenExample.Split.FEW_SHOT).values("query_hash")
    asked = GoldenExample.objects.in_tests().filter(project=project).exclude(query_hash__in=shown)
    return asked.order_by("created_at", "pk").defer("search", "vector", "answer_vector")


def ask_all(run: GoldenCheckRun, target: Target, *, at_once: int = AT_ONCE) -> Iterator[GoldenCheckResult]:
    """Ask every question, up to `at_once` at a time, and yield each result as it is stored; then end the run.

    Only the waiting is done in threads: grading and storing happen here.
    """
    examples = list(questions_of(run.project))
    with ThreadPoolExecutor(max_workers=min(at_once, MOST_AT_ONCE)) as pool:
        waiting = {pool.submit(ask, target, example.original_query): example for example in examples}
        try:
            for reply in as_completed(waiting):
                result = _store(run, waiting[reply], reply.result())
                if result is not None:
                    yield result
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    GoldenCheckRun.objects.filter(pk=run.pk).update(
        finished_at=timezone.now(), questions=F("passed") + F("failed") + F("errors")
    )
    run.refresh_from_db()


def _store(run: GoldenCheckRun, example: GoldenExample, reply: Reply) -> GoldenCheckResult | None:
    """Grade a reply and keep it; nothing is kept of an example that was deleted meanwhile."""
    findings = [] if reply.problem else grade(
        reply.answer, golden_response=example.golden_response, checks=example.checks
    )  # fmt: skip
    if reply.problem:
        outcome = Outcome.ERROR
    else:
        outcome = Outcome.PASSED if all(finding.passed for finding in findings) else Outcome.FAILED
    with transaction.atomic():
        if not GoldenExample.objects.select_for_update(no_key=True).filter(pk=example.pk).exists():
            return None
        result = GoldenCheckResult.objects.create(
            project_id=run.project_id,
            run=run,
            example=example,
            version=example.version,
            outcome=outcome,
            answer=reply.answer,
            findings=[asdict(finding) for finding in findings] or [{"kind": "answer", "problem": reply.problem}],
            milliseconds=reply.milliseconds,
        )
        counter = {"passed": "passed", "failed": "failed", "error": "errors"}[outcome]
        GoldenCheckRun.objects.filter(pk=run.pk).update(**{counter: F(counter) + 1})
    return result
