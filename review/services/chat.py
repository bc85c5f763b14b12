"""Passing a caller's own chat completions on to the model, unchanged, as runs that can be judged."""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from insights.llm.calls import Answer
from insights.llm.client import forward, forward_stream
from insights.llm.failures import LlmFailure, Reason
from insights.llm.ledger import Usage
from insights.llm.wire import Chunk
from projects.access import require
from projects.models import User
from projects.roles import Permission
from review.models import Agent, AgentVersion, Run
from review.rendering import render
from review.services.runs import OpenRun, open_run, user_of
from review.storable import storable

PURPOSE = "chat"
SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class ChatOrder:
    """A chat completion that a caller wants; `body` is what the model gets."""

    agent: Agent
    version: AgentVersion
    body: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A chunk as it came; the one that ends the answer comes with the run."""

    chunk: dict[str, Any]
    run: Run
    ends: bool = False


def complete(order: ChatOrder, *, actor: User) -> tuple[Run, dict[str, Any]]:
    """Return the completion as it came, and the run. Raises DomainError: 403; RunFailed."""
    begun = _begin(order, actor)
    answer = forward(order.agent.project, PURPOSE, order.body, seconds=SECONDS)
    if not isinstance(answer, Answer):
        raise begun.fail(answer)
    message = answer.value["choices"][0]["message"]
    said = {name: value for name, value in message.items() if name in ("tool_calls", "refusal") and value}
    output = _text_of(message.get("content")) or said
    return begun.finish(output, render(output), model=order.body["model"], usage=answer.usage), answer.value


def stream_completion(order: ChatOrder, *, actor: User) -> Generator[Part, None, None]:
    """Yield the chunks as they come. Raises as `complete`; whoever stops listening leaves a failed run."""
    begun = _begin(order, actor)
    text, usage, held = "", None, list[dict[str, Any]]()
    chunks = forward_stream(order.agent.project, PURPOSE, order.body, seconds=SECONDS)
    try:
        with contextlib.closing(chunks):
            for raw in chunks:
                if isinstance(raw, LlmFailure):
                    raise begun.fail(raw)
                chunk = Chunk.model_validate(raw)
                text += chunk.words
                usage = chunk.usage.as_usage() if chunk.usage else usage
                # What ends the answer waits for the run, and with it what was counted and comes later.
                if chunk.finishes or held:
                    held.append(raw)
                else:
                    yield Part(raw, begun.run)
    except GeneratorExit:
        begun.fail(LlmFailure(Reason.CANCELLED))
        raise
    estimated = Usage(len(str(order.body["messages"])) // 4, len(text) // 4)
    run = begun.finish(text or None, text, model=order.body["model"], usage=usage or estimated)
    for place, raw in enumerate(held):
        yield Part(raw, run, ends=place == 0)


def _begin(order: ChatOrder, actor: User) -> OpenRun:
    require(actor, Permission.MANAGE, order.agent.project)
    messages = storable(order.body["messages"])
    run = Run(
        project=order.agent.project,
        agent=order.agent,
        version=order.version,
        input=_question(messages),
        metadata=storable(order.metadata),
        conversation_id=order.conversation_id,
        user_id=user_of(order.metadata) or user_of({"user_id": order.body.get("user")}),
        created_by=actor,
    )
    return open_run(run, messages)


def _question(messages: list[dict[str, Any]]) -> str:
    """Return what the user said last: this is what the answer answers."""
    said = [message.get("content") for message in messages if message.get("role") == "user"]
    return _text_of(said[-1]) if said else ""


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part["text"]) for part in parts if isinstance(part, dict) and part.get("type") == "text")
