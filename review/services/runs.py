"""The life of a run: it is begun, and ends with an answer or a failure; or it ran elsewhere and is registered."""

import hashlib
import math
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.errors import DomainError
from insights.llm import ledger
from insights.llm.failures import LlmFailure, Reason
from insights.llm.ledger import Usage
from projects.access import require
from projects.identifiers import uuid7
from projects.models import User
from projects.roles import Permission
from review.models import Agent, AgentSchema, AgentVersion, Run
from review.rendering import render
from review.storable import storable

MOST_ID_CHARACTERS = 255
RETRY_AFTER_SECONDS = 2.0
LONGEST_RUN = timedelta(hours=1)
# The status and the code of each way in which a model gives no answer.
FAILURES = {
    Reason.NOT_CONFIGURED: (400, "no_provider_supporting_model"),
    Reason.INVALID: (400, "invalid_generation"),
    Reason.REFUSED: (400, "failed_generation"),
    Reason.CANCELLED: (400, "agent_run_failed"),
    Reason.TIMEOUT: (408, "timeout"),
    Reason.UNAUTHORIZED: (424, "invalid_provider_config"),
    Reason.UNAVAILABLE: (424, "provider_unavailable"),
    Reason.RATE_LIMITED: (429, "rate_limit"),
    Reason.OVER_BUDGET: (429, "rate_limit"),
}


class RunFailed(DomainError):
    """A run without an answer; `output` is what the model gave all the same, `retry_after` is in seconds."""

    def __init__(
        self, run: Run, message: str, *, code: str, status: int, output: Any = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message, code=code, status=status)
        self.run = run
        self.output = output
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Private:
    """What a caller does not want stored: `task_input`, `task_output`, or fields by their dotted path."""

    names: frozenset[str] = frozenset()

    def without(self, value: Any, place: str) -> Any:
        """Return what of `task_input` or `task_output` may be stored; None for nothing."""
        if place in self.names:
            return None
        for name in sorted(self.names):
            value = _without(value, name.removeprefix(f"{place}.").split("."))
        return value


@dataclass(slots=True)
class OpenRun:
    """A run that goes on, since `started` of the monotonic clock."""

    run: Run
    private: Private
    messages: list[dict[str, Any]]
    started: float = field(default_factory=time.monotonic)

    def finish(self, output: Any, answer: str, *, model: str, usage: Usage) -> Run:
        """Store the answer; the run that is returned has all of it, also what is not stored."""
        run, output, answer = self.run, storable(output), storable(answer)
        run.status, run.output, run.answer = Run.Status.SUCCESS, output, answer
        run.answer_hash = answer_hash(answer)
        run.model = model[: Run._meta.get_field("model").max_length]
        run.input_tokens, run.output_tokens = usage.input_tokens, usage.output_tokens
        run.cost_usd = ledger.cost(model, usage)
        self.messages.append({"role": "assistant", "content": answer})
        kept = self.private.without(output, "task_output")
        shown = answer if kept == output else render(kept) if kept is not None else ""
        self._close(output=kept, answer=shown)
        return run

    def fail(self, failure: LlmFailure) -> RunFailed:
        """Store why there is no answer, and return the error to be raised."""
        status, code = FAILURES[failure.reason]
        wait = math.ceil(failure.retry_after or RETRY_AFTER_SECONDS) if status == 429 else None
        return self.refuse(failure.message, code=code, status=status, retry_after=wait)

    def refuse(
        self, message: str, *, code: str, status: int = 400, output: Any = None, retry_after: int | None = None
    ) -> RunFailed:
        """Store that the answer is of no use, and return the error to be raised."""
        self.run.status = Run.Status.FAILED
        self.run.error = {"code": code, "message": message}
        self._close(error=self.run.error)
        return RunFailed(self.run, message, code=code, status=status, output=output, retry_after=retry_after)

    def _close(self, **changes: Any) -> None:
        run = self.run
        run.duration_seconds = time.monotonic() - self.started
        Run.objects.filter(pk=run.pk).update(
            status=run.status,
            answer_hash=run.answer_hash,
            model=run.model,
            input_tokens=run.input_tokens,
            output_tokens=run.output_tokens,
            cost_usd=run.cost_usd,
            duration_seconds=run.duration_seconds,
            messages=[] if self.private.names else storable(self.messages),
            **changes,
        )


def open_run(run: Run, messages: list[dict[str, Any]], *, private: Private | None = None) -> OpenRun:
    """Store a run as begun. An id that is taken is replaced: whose it is, is nobody's business."""
    private = private or Private()
    given, kept = run.input, private.without(run.input, "task_input")
    run.input = {} if kept is None else kept
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError:
        run.pk = uuid7()
        run.save(force_insert=True)
    run.input = given
    return OpenRun(run, private, list(messages))


def end_abandoned_runs() -> int:
    """Call failed what a process began that ended before the run did; return how many there were."""
    abandoned = Run.objects.filter(status=Run.Status.RUNNING, created_at__lt=timezone.now() - LONGEST_RUN)
    error = {"code": "agent_run_failed", "message": "The process that ran it ended."}
    return abandoned.update(status=Run.Status.FAILED, error=error)


@dataclass(frozen=True, slots=True)
class Registered:
    """A run that was executed elsewhere; `external_id` is its id there."""

    input: Any
    output: Any
    external_id: str | None = None
    schema: AgentSchema | None = None
    version: AgentVersion | None = None
    environment: str = ""
    model: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    conversation_id: str | None = None
    duration_seconds: float | None = None
    cost_usd: Decimal = Decimal(0)
    created_at: datetime | None = None


def register_run(agent: Agent, registered: Registered, *, actor: User) -> Run:
    """Store a run of elsewhere, so that it can be judged; registered again, it is the same.

    Raises DomainError: 403; 409 where its id is known with another input or output.
    """
    require(actor, Permission.MANAGE, agent.project)
    taken, output = storable(registered.input), storable(registered.output)
    answer = render(output)
    run = Run(
        project=agent.project,
        agent=agent,
        origin=Run.Origin.REGISTERED,
        status=Run.Status.SUCCESS,
        input=taken,
        output=output,
        answer=answer,
        answer_hash=answer_hash(answer),
        metadata=storable(registered.metadata),
        user_id=user_of(registered.metadata),
        created_by=actor,
        created_at=registered.created_at or timezone.now(),
        external_id=registered.external_id,
        schema=registered.schema,
        version=registered.version,
        environment=registered.environment,
        model=registered.model,
        conversation_id=registered.conversation_id,
        duration_seconds=registered.duration_seconds,
        cost_usd=registered.cost_usd,
    )
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError:
        return _known(run)
    return run


def answer_hash(answer: str) -> bytes:
    """Return the SHA-256 that binds a feedback token to an answer."""
    return hashlib.sha256(answer.encode()).digest()


def user_of(metadata: dict[str, Any]) -> str | None:
    """Return who asked, as callers note it under `user_id`."""
    name = metadata.get("user_id")
    return storable(name)[:MOST_ID_CHARACTERS] or None if isinstance(name, str) else None


def client_id(text: str | None) -> UUID | None:
    """Return the id that a client wants for its run; one that is no UUID is passed over."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _known(run: Run) -> Run:
    known = Run.objects.select_related("agent", "schema", "version", "project").get(
        project=run.project, external_id=run.external_id
    )
    if (known.agent_id, known.input, known.output) != (run.agent_id, run.input, run.output):
        raise DomainError("A run with this id is known with another content.", code="bad_request", status=409)
    return known


def _without(value: Any, path: list[str]) -> Any:
    if not isinstance(value, dict) or path[0] not in value:
        return value
    kept = {name: each for name, each in value.items() if name != path[0]}
    return kept if len(path) == 1 else kept | {path[0]: _without(value[path[0]], path[1:])}
