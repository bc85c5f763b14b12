"""Lets a model look things up before it answers: rounds of read-only tools, within limits of number and time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError

from insights.llm.calls import SECONDS, Call, Message
from insights.llm.client import chat_body, send
from insights.llm.failures import LlmFailure, Reason, Unusable
from insights.llm.prompts import Prompt
from insights.llm.wire import Reply, ReplyMessage, ToolCall
from privacy.redact import RedactedText, own_words
from projects.models import Project

log = structlog.get_logger()

ROUNDS = 5
# A model that asks for more at once is told to ask for less.
CALLS_A_ROUND = 8


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a model may look up: what `run` returns is sent to it. Tools change nothing."""

    name: str
    description: str
    arguments: type[BaseModel]
    run: Callable[[Any], RedactedText]

    def described(self) -> dict[str, Any]:
        """Return the tool as an endpoint wants it."""
        parameters = self.arguments.model_json_schema()
        function = {"name": self.name, "description": self.description, "parameters": parameters}
        return {"type": "function", "function": function}


@dataclass(frozen=True, slots=True)
class Conversation:
    """How a conversation with tools ended, and how many tools were run for it."""

    text: str
    tool_calls: int


def converse(
    project: Project,
    purpose: str,
    prompt: Prompt,
    messages: Sequence[Message],
    tools: Sequence[Tool],
    *,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
    max_tokens: int = 2_000,
    cancelled: Callable[[], bool] = lambda: False,
) -> Conversation | LlmFailure:
    """Ask, running the tools that the model wants for up to `rounds`, then insist on an answer.

    `cancelled` is asked before every call.
    """
    offered = {tool.name: tool for tool in tools}
    body = chat_body(prompt, messages, max_tokens=max_tokens)
    if offered:
        body["tools"] = [tool.described() for tool in tools]
    call = Call(project, purpose, prompt.version, body, seconds)
    used = 0
    for number in range(rounds + 1):
        if stop := _stopped(call, cancelled):
            return stop
        last = number == rounds or not offered
        if last and offered:
            call = replace(call, body={**call.body, "tool_choice": "none"})
        answer = send(call, _reader(may_use_tools=not last))
        if isinstance(answer, LlmFailure):
            return answer
        if not answer.value.tool_calls or last:
            return Conversation(answer.value.content or "", used)
        results = [_run(offered, wanted) for wanted in answer.value.tool_calls[:CALLS_A_ROUND]]
        used += sum(ran for _, ran in results)
        turns = [_asked(answer.value), *_told(answer.value.tool_calls, [text for text, _ in results])]
        call = replace(call, body={**call.body, "messages": [*call.body["messages"], *turns]})
    raise AssertionError("the last round returns")


def _stopped(call: Call, cancelled: Callable[[], bool]) -> LlmFailure | None:
    if cancelled():
        return LlmFailure(Reason.CANCELLED)
    return LlmFailure(Reason.TIMEOUT) if call.left <= 0 else None


def _reader(*, may_use_tools: bool) -> Callable[[bytes], ReplyMessage]:
    def read(content: bytes) -> ReplyMessage:
        message = Reply.model_validate_json(content).message
        if not message.content and not (may_use_tools and message.tool_calls):
            raise Unusable
        return message

    return read


def _run(offered: dict[str, Tool], wanted: ToolCall) -> tuple[RedactedText, bool]:
    """Run a tool and return what the model is told, and whether anything was run."""
    tool = offered.get(wanted.function.name)
    if tool is None:
        return own_words("There is no such tool."), False
    try:
        arguments = tool.arguments.model_validate_json(wanted.function.arguments or "{}")
    except ValidationError:
        return own_words("The arguments do not fit the tool."), False
    try:
        return tool.run(arguments), True
    except Exception as error:  # the model may go on without it; the message may hold anybody's words
        log.warning("tool_failed", tool=tool.name, fault=type(error).__name__)
        return own_words("The tool failed."), True


def _asked(message: ReplyMessage) -> dict[str, Any]:
    wanted = [{"type": "function", **tool_call.model_dump()} for tool_call in message.tool_calls or []]
    return {"role": "assistant", "content": message.content or "", "tool_calls": wanted}


def _told(wanted: Sequence[ToolCall], results: Sequence[RedactedText]) -> list[dict[str, Any]]:
    """Answer every call, as endpoints insist on: those beyond the limit by saying so."""
    texts = [*results, *[own_words("Too many calls at once.")] * (len(wanted) - len(results))]
    return [
        {"role": "tool", "tool_call_id": tool_call.id, "content": text}
        for tool_call, text in zip(wanted, texts, strict=True)
    ]
