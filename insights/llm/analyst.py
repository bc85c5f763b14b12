"""Reads feedback with a language model that sees redacted, numbered sentences and answers in their numbers."""

import re
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from insights.analyst import Analysis, Document, Kind, PartlyRead, SetAside, Statement, Unread
from insights.llm.calls import SECONDS, Answer
from insights.llm.client import ask
from insights.llm.failures import LlmFailure, Reason
from insights.llm.prompts import prompt
from insights.llm.schemas import Comparison, Naming, Reading, Said
from insights.llm.sheets import Cut, Place, Sheet, batches, cut, with_ids, written
from privacy.redact import RedactedText, join, own_words, redact
from projects.models import Project

log = structlog.get_logger()

# One bad item of 20 is found by halving in 11 calls; three failures in a row mean that the model is at fault.
CALLS_A_BATCH = 12
FAILURES_IN_A_ROW = 3
TEXT_LENGTH = 160
FEATURE_LENGTH = 60
TITLE_LENGTH = 90
SUMMARY_LENGTH = 400
TITLE_STATEMENTS = 40

_LINK = re.compile(
    r"!?\[[^\]]*\]\([^)]*\)|\b[a-z][a-z0-9+.-]{1,20}://\S+|\b(?:javascript|vbscript|data|mailto):\S+|\bwww\.\S+",
    re.IGNORECASE,
)
# Faults for which one item may be to blame; after any other, asking again at once is of no use.
_ISOLATED = frozenset({Reason.INVALID, Reason.REFUSED})


@dataclass(frozen=True, slots=True)
class Notes:
    """What a model said of one sheet, with the numbers that exist in it."""

    said: tuple[Said, ...]
    aside: SetAside | None


@dataclass(frozen=True, slots=True)
class Title:
    """How an insight is called."""

    title: str
    summary: str


class OpenAIAnalyst:
    """An analyst that asks the configured model; `dropped` counts what it had to throw away of the answers."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.dropped: Counter[str] = Counter()

    def analyse(self, documents: Sequence[Document]) -> list[Analysis]:
        """Read documents, the same words only once. Raises PartlyRead when some got no usable answer."""
        cuts = [cut(document) for document in documents]
        wanted = dict.fromkeys(sheet for one in cuts for sheet in one.sheets)
        read: dict[Sheet, Notes | LlmFailure] = {}
        for batch in batches(list(wanted)):
            read |= self._read(batch)
        results = [_result(one, [read[sheet] for sheet in one.sheets]) for one in cuts]
        analyses = [result for result in results if isinstance(result, Analysis)]
        if len(analyses) < len(results):
            raise PartlyRead(results)
        return analyses

    def compare(self, statement: str, candidates: Sequence[str]) -> int | LlmFailure | None:
        """Return the place of the candidate that makes the same point, None when none does."""
        lines = [join(" ", [own_words("S"), _line(statement)])]
        lines += [join(" ", [own_words(str(n)), _line(text)]) for n, text in enumerate(candidates, start=1)]
        answer = ask(self.project, "compare", prompt("compare.v1"), join("\n", lines), Comparison)
        if isinstance(answer, LlmFailure):
            return answer
        same = answer.value.same
        return same - 1 if same is not None and 1 <= same <= len(candidates) else None

    def title(self, kind: Kind, statements: Sequence[str]) -> Title | LlmFailure:
        """Name what several customers said."""
        lines = [own_words(f"Kind: {kind.value}"), *map(_line, statements[:TITLE_STATEMENTS])]
        answer = ask(self.project, "title", prompt("title.v1"), join("\n", lines), Naming)
        if isinstance(answer, LlmFailure):
            return answer
        title = _cleaned(answer.value.title, TITLE_LENGTH).rstrip(".")
        if not title:
            return LlmFailure(Reason.INVALID)
        return Title(title, _cleaned(answer.value.summary, SUMMARY_LENGTH))

    def _read(self, batch: Sequence[Sheet]) -> dict[Sheet, Notes | LlmFailure]:
        """Read one batch: what fails is halved rather than repeated, until a single sheet is to blame."""
        read: dict[Sheet, Notes | LlmFailure] = {}
        waiting = deque([list(batch)])
        failure, failures = LlmFailure(Reason.INVALID), 0
        for _ in range(CALLS_A_BATCH):
            if not waiting:
                return read
            part = waiting.popleft()
            answer = self._ask(part)
            if not isinstance(answer, LlmFailure):
                failures = 0
                read |= answer
                waiting.extend(_without(part, answer))
                continue
            failure, failures = answer, failures + 1
            if failure.reason not in _ISOLATED or failures == FAILURES_IN_A_ROW:
                waiting.append(part)
                break
            if len(part) == 1:
                read[part[0]] = failure
            else:
                waiting.extend((part[: len(part) // 2], part[len(part) // 2 :]))
        return read | {sheet: failure for part in waiting for sheet in part}

    def _ask(self, part: Sequence[Sheet]) -> dict[Sheet, Notes] | LlmFailure:
        """Ask once and return what can be used, which is something, or why there is nothing."""
        sheets = with_ids(part)
        answer = ask(self.project, "analyse", prompt("analyse.v1"), written(sheets), Reading, seconds=SECONDS)
        if isinstance(answer, LlmFailure):
            return answer
        notes = self._checked(answer, sheets)
        return {sheets[name]: note for name, note in notes.items()} or LlmFailure(Reason.INVALID)

    def _checked(self, answer: Answer[Reading], sheets: dict[str, Sheet]) -> dict[str, Notes]:
        """Keep what speaks of sheets and sentences that exist, and count the rest."""
        said: dict[str, list[Said]] = {}
        dropped: Counter[str] = Counter()
        for one in answer.value.s:
            sheet = sheets.get(one.i)
            if sheet is None:
                dropped["unknown_item"] += 1
            elif not any(1 <= number <= len(sheet.lines) for number in one.n):
                dropped["unknown_sentence"] += 1
            else:
                said.setdefault(one.i, []).append(one)
        asides = {one.i: SetAside(one.w) for one in answer.value.e if one.i in sheets}
        dropped["unknown_item"] += sum(one.i not in sheets for one in answer.value.e)
        if dropped.total():
            self.dropped += dropped
            log.warning("model_answer_dropped", project=self.project.pk, **dropped)
        return {
            name: Notes(tuple(said.get(name, ())), asides.get(name))
            for name in sheets
            if name in said or name in asides
        }


def _without(part: Sequence[Sheet], read: dict[Sheet, Notes]) -> list[list[Sheet]]:
    """Return the sheets that an answer left out, to be asked about once more; none where it left out none."""
    missing = [sheet for sheet in part if sheet not in read]
    return [missing] if missing else []


def _result(one: Cut, notes: Sequence[Notes | LlmFailure]) -> Analysis | Unread:
    statements: dict[tuple[Place, Kind], Statement] = {}
    asides: list[SetAside] = []
    for sheet, places, note in zip(one.sheets, one.places, notes, strict=True):
        if isinstance(note, LlmFailure):
            return Unread(note.reason.value, note.message, note.blameless, note.retry_after)
        asides += [note.aside] if note.aside else []
        for said in note.said:
            statement = _statement(said, sheet, places)
            place = Place(statement.passage, statement.start, statement.end)
            statements.setdefault((place, statement.kind), statement)
    aside = None if statements else (asides or [SetAside.EMPTY])[0]
    total = sum(statement.sentiment for statement in statements.values())
    return Analysis(one.language, aside, (total > 0) - (total < 0), tuple(statements.values()))


def _statement(said: Said, sheet: Sheet, places: Sequence[Place]) -> Statement:
    """Tie what was said to the first run of neighbouring sentences that it names, within one passage."""
    numbers = sorted({number for number in said.n if 1 <= number <= len(places)})
    first = last = numbers[0]
    while last + 1 in numbers and places[last].passage == places[first - 1].passage:
        last += 1
    start, end = places[first - 1], places[last - 1]
    words = " ".join(sheet.lines[first - 1 : last])
    return Statement(
        passage=start.passage,
        start=start.start,
        end=end.end,
        kind=Kind(said.k),
        text=_cleaned(said.t, TEXT_LENGTH) or words[:TEXT_LENGTH],
        feature=_cleaned(said.f or "", FEATURE_LENGTH) or None,
        sentiment=said.x,
        confidence=1.0,
    )


def _line(text: str) -> RedactedText:
    redaction = redact(text)
    return redaction.line(0, len(redaction.text))


def _cleaned(text: str, length: int) -> str:
    """Make words of a model fit to be shown: one line without links or invisible signs, of limited length."""
    return " ".join(_LINK.sub(" ", _line(text[: 4 * length])).split())[:length].strip()
