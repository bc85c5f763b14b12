"""One worker's turn: claim, analyse with no transaction open, store; a batch that fails is tried item by item."""

import time
from collections.abc import Callable, Sequence

import structlog

from insights.analyst import Analysis, Analyst, Compared, PartlyRead, SetAside, Unread, compared
from insights.analysts import analyst_for
from insights.embedding import MeasureName, Vector, vectors_of
from insights.matching import Matcher, Shelf
from insights.pipeline.claims import Claim, claim, put_off, release
from insights.pipeline.reading import Thread, read_threads
from insights.pipeline.storing import Finding, Vectors, store
from projects.models import Project

log = structlog.get_logger()

TURN = 20.0  # seconds a worker stays with one project before others have theirs
MODEL_PAUSE = 30.0  # seconds until a model that cannot answer is asked again

_matchers: dict[int, Matcher] = {}


def analyse_project(
    project: Project, *, seconds: float | None = TURN, progress: Callable[[int], None] | None = None
) -> bool:
    """Analyse what waits, for `seconds` at the most (None: until nothing waits); tell whether something is left."""
    end = None if seconds is None else time.monotonic() + seconds
    analyst = analyst_for(project)
    while claimed := claim(project, analyst.batch_size):
        done = _analyse(project, claimed, analyst.analyst)
        if progress:
            progress(done)
        if end is not None and time.monotonic() > end:
            return True
    return False


def _analyse(project: Project, claimed: Claim, analyst: Analyst) -> int:
    """Analyse and store one claim; return how many items ended."""
    try:
        return _attempt(project, claimed, analyst)
    except Exception as error:  # whatever one item provokes must not stop the others
        _matchers.pop(project.pk, None)
        if len(claimed.ids) == 1:
            # The name of the fault only: its message may hold the customer's words.
            log.warning("analysis_failed", item=claimed.ids[0], fault=type(error).__name__)
            release(claimed, claimed.ids, type(error).__name__)
            return 0
    return sum(_analyse(project, Claim([pk], claimed.lease), analyst) for pk in claimed.ids)


def _attempt(project: Project, claimed: Claim, analyst: Analyst) -> int:
    threads = read_threads(project, claimed.ids)
    findings = []
    for thread, answer in zip(threads, _ask(threads, analyst), strict=True):
        if isinstance(answer, Unread):
            _give_back(claimed, thread, answer)
        else:
            findings.append(Finding(thread, answer))
    matcher = _matchers.setdefault(project.pk, Matcher(project.pk))
    return store(project, claimed, findings, _vectors(findings), matcher)


def _give_back(claimed: Claim, thread: Thread, unread: Unread) -> None:
    if unread.blameless:
        put_off(claimed, [thread.item.pk], unread.reason, seconds=unread.retry_after or MODEL_PAUSE)
    else:
        release(claimed, [thread.item.pk], unread.reason)


def _ask(threads: Sequence[Thread], analyst: Analyst) -> list[Analysis | Unread]:
    """Ask the analyst about the threads in which a customer speaks."""
    speaking = [thread.document for thread in threads if thread.texts]
    try:
        answers: list[Analysis | Unread] = list(analyst.analyse(speaking)) if speaking else []
    except PartlyRead as partly:
        answers = partly.results
    given = iter(answers)
    return [
        next(given) if thread.texts else Analysis(thread.item.project.language, SetAside.EMPTY, 0) for thread in threads
    ]


def _vectors(findings: Sequence[Finding]) -> Vectors:
    by_measure: dict[MeasureName, dict[Compared, Vector | None]] = {"sentences": {}, "ngrams": {}, "names": {}}
    for finding in findings:
        for statement in finding.analysis.statements:
            measure = Shelf.of(statement.kind, finding.analysis.language).measure
            by_measure[measure][compared(statement)] = statement.vector
    return {
        measure: vectors_of(
            statements, measure, {each: vector for each, vector in statements.items() if vector is not None}
        )
        for measure, statements in by_measure.items()
    }
