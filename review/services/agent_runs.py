"""Running an agent: its prompt with golden examples goes to the model, and what comes back has to fit its schema."""

import contextlib
import json
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from pydantic_core import from_json

from config.errors import DomainError
from insights.llm.calls import Answer
from insights.llm.client import forward, forward_stream
from insights.llm.failures import LlmFailure, Reason, Unusable
from insights.llm.ledger import Usage
from insights.llm.wire import Chunk, Reply
from projects.access import require
from projects.identifiers import uuid7
from projects.models import User
from projects.roles import Permission
from review.json_schemas import misfits
from review.models import AgentSchema, AgentVersion, Feedback, Run
from review.rendering import render
from review.services.agents import digest_of
from review.services.prompting import Shown, request_body, shown_examples
from review.services.runs import OpenRun, Private, open_run, user_of
from review.storable import storable

PURPOSE = "run"
# For all models that are tried together.
SECONDS = 90.0
# Each piece of a stream repeats all before it: more of them would only be more work.
PIECE_EVERY_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run and how; `cache` is auto, always or never, `fallback` names models to be tried next."""

    schema: AgentSchema
    version: AgentVersion
    input: dict[str, Any]
    environment: str = ""
    run_id: UUID | None = None
    cache: str = "auto"
    fallback: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    private: Private = field(default_factory=Private)
    conversation_id: str | None = None
    with_examples: bool = True


@dataclass(frozen=True, slots=True)
class Piece:
    """The output of a run as far as it has come."""

    run: Run
    output: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Heard:
    text: str
    usage: Usage
    model: str


@dataclass(slots=True)
class _Work:
    """A run that has begun, with what the model is asked; `earlier` is the same run that has an answer already."""

    order: Order
    open: OpenRun
    body: dict[str, Any]
    earlier: Run | None

    @property
    def models(self) -> tuple[str, ...]:
        return (self.order.version.model, *self.order.fallback)

    @property
    def left(self) -> float:
        return SECONDS - (time.monotonic() - self.open.started)


def run_agent(order: Order, *, actor: User) -> Run:
    """Run an agent and return the run with its answer.

    Raises DomainError: 403, 400 for an input that does not fit; RunFailed, a run that is stored all the same.
    """
    work = _begin(order, actor)
    if work.earlier:
        return _repeat(work, work.earlier)
    result: _Heard | LlmFailure = LlmFailure(Reason.TIMEOUT)
    for model in work.models:
        if work.left > 0:
            result = _ask(work, model)
        if isinstance(result, _Heard):
            break
    return _end(work, result)


def stream_agent(order: Order, *, actor: User) -> Generator[Piece | Run, None, None]:
    """Run an agent; yield pieces while the answer comes, and the run at last. Raises as `run_agent`.

    Whoever stops listening leaves a failed run.
    """
    work = _begin(order, actor)
    if work.earlier:
        yield _repeat(work, work.earlier)
        return
    result: _Heard | LlmFailure = LlmFailure(Reason.TIMEOUT)
    try:
        for model in work.models:
            result, begun = yield from _listen(work, model)
            if begun or isinstance(result, _Heard):
                break
    except GeneratorExit:
        work.open.fail(LlmFailure(Reason.CANCELLED))
        raise
    yield _end(work, result)


def _begin(order: Order, actor: User) -> _Work:
    schema, version = order.schema, order.version
    require(actor, Permission.MANAGE, schema.project)
    given = storable(order.input)
    if reasons := misfits(given, schema.input_schema):
        raise DomainError(f"The input does not fit the agent's schema. {' '.join(reasons)}", code="bad_request")
    question = render(given)
    shown = shown_examples(schema, question) if order.with_examples else []
    body = request_body(schema, version, question, shown)
    digest = None if order.private.names else _digest(given, shown)
    earlier = _earlier(order, digest)
    run = Run(
        id=order.run_id or uuid7(),
        project=schema.project,
        agent=schema.agent,
        schema=schema,
        version=version,
        environment=order.environment,
        input=given,
        input_hash=digest,
        examples=[each.example.pk for each in shown],
        metadata=storable(order.metadata),
        conversation_id=order.conversation_id,
        user_id=user_of(order.metadata),
        created_by=actor,
    )
    return _Work(order, open_run(run, body["messages"], private=order.private), body, earlier)


def _digest(given: Any, shown: list[Shown]) -> bytes:
    """Return what tells runs apart that may be answered alike: the input, and the examples as they read."""
    return bytes.fromhex(digest_of([given, [[str(each.example.pk), each.answer] for each in shown]]))


def _earlier(order: Order, digest: bytes | None) -> Run | None:
    """Return the latest run that may answer for this one: the same in everything, and nobody found it wrong."""
    is_wanted = order.cache == "always" or (order.cache == "auto" and order.version.temperature == 0)
    if digest is None or not is_wanted:
        return None
    disliked = Feedback.objects.current().filter(run=OuterRef("pk"), sentiment=Feedback.Sentiment.NEGATIVE)
    same = Run.objects.filter(
        schema=order.schema, version=order.version, input_hash=digest, status=Run.Status.SUCCESS
    ).exclude(output=None)
    return same.exclude(Exists(disliked)).order_by("-created_at").first()


def _repeat(work: _Work, earlier: Run) -> Run:
    return work.open.finish(earlier.output, earlier.answer, model=earlier.model, usage=Usage(0, 0))


def _ask(work: _Work, model: str) -> _Heard | LlmFailure:
    body = work.body | {"model": model}
    answer = forward(work.order.schema.project, PURPOSE, body, seconds=work.left, verbatim=False)
    if not isinstance(answer, Answer):
        return answer
    try:
        return _Heard(Reply.model_validate(answer.value).message.content or "", answer.usage, model)
    except Unusable as error:
        return LlmFailure(error.reason)


def _listen(work: _Work, model: str) -> Generator[Piece, None, tuple[_Heard | LlmFailure, bool]]:
    """Yield pieces; return what was heard in all, and whether the caller has seen any of it."""
    body = work.body | {"model": model}
    text, usage, last, shown_at = "", None, None, float("-inf")
    chunks = forward_stream(work.order.schema.project, PURPOSE, body, seconds=max(work.left, 1.0), verbatim=False)
    with contextlib.closing(chunks):
        for raw in chunks:
            if isinstance(raw, LlmFailure):
                return raw, last is not None
            chunk = Chunk.model_validate(raw)
            text += chunk.words
            usage = chunk.usage.as_usage() if chunk.usage else usage
            if time.monotonic() - shown_at < PIECE_EVERY_SECONDS:
                continue
            output = _so_far(text)
            if output and output != last:
                last, shown_at = output, time.monotonic()
                yield Piece(work.open.run, output)
    return _Heard(text, usage or _estimate(body, text), model), last is not None


def _end(work: _Work, result: _Heard | LlmFailure) -> Run:
    """Store what was heard. Raises RunFailed for a failure and for what does not fit the agent's schema."""
    if isinstance(result, LlmFailure):
        raise work.open.fail(result)
    try:
        output = json.loads(result.text)
    except (ValueError, RecursionError):
        output = None
    if not isinstance(output, dict):
        raise work.open.refuse("The model's answer is not a JSON object.", code="invalid_generation")
    output = storable(output)
    if reasons := misfits(output, work.order.schema.output_schema):
        message = f"The model's answer does not fit the agent's schema. {' '.join(reasons)}"
        raise work.open.refuse(message, code="invalid_generation", output=output)
    return work.open.finish(output, render(output), model=result.model, usage=result.usage)


def _so_far(text: str) -> dict[str, Any] | None:
    try:
        output = from_json(text, allow_partial="trailing-strings")
    except ValueError:
        return None
    return storable(output) if isinstance(output, dict) else None


def _estimate(body: dict[str, Any], text: str) -> Usage:
    return Usage(len(str(body["messages"])) // 4, len(text) // 4)
