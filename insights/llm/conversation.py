"""Lets a model look things up before it answers: rounds of read-only tools, within limits of number and time."""

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError

from insights.llm.calls import SECONDS, Call, Message
from insights.llm.client import chat_body, send, send_stream
from insights.llm.failures import LlmFailure, Reason, Unusable
from insights.llm.prompts import Prompt
from insights.llm.wire import CalledFunction, Chunk, Reply, ReplyMessage, ToolCall, ToolCallPiece
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


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of what the model says; what it said before it used a tool is not its answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolUsed:
    """The name of something that was looked up."""

    name: str


Step = Words | ToolUsed
Steps = Generator[Step, None, Conversation | LlmFailure]
Asking = Callable[[Call, bool], Generator[Words, None, ReplyMessage | LlmFailure]]


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
    body = chat_body(prompt, messages, max_tokens=max_tokens)
    call = _offering(Call(project, purpose, prompt.version, body, seconds), tools)
    steps = _steps(call, tools, _ask, rounds=rounds, cancelled=cancelled)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            outcome: Conversation | LlmFailure = end.value
            return outcome


def converse_streaming(
    project: Project,
    purpose: str,
    prompt: Prompt,
    messages: Sequence[Message],
    tools: Sequence[Tool],
    *,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
    max_tokens: int = 2_000,
) -> Iterator[Step | Conversation | LlmFailure]:
    """Do as `converse` does, and yield every step as it happens; how it ended comes last. No call is repeated."""
    body = chat_body(prompt, messages, max_tokens=max_tokens)
    call = _offering(Call(project, purpose, prompt.version, body, seconds), tools)
    yield (yield from _steps(call, tools, _ask_streaming, rounds=rounds, cancelled=lambda: False))


def _offering(call: Call, tools: Sequence[Tool]) -> Call:
    return replace(call, body=call.body | {"tools": [tool.described() for tool in tools]}) if tools else call


def _steps(call: Call, tools: Sequence[Tool], ask: Asking, *, rounds: int, cancelled: Callable[[], bool]) -> Steps:
    offered = {tool.name: tool for tool in tools}
    used = 0
    for number in range(rounds + 1):
        if stop := _stopped(call, cancelled):
            return stop
        last = number == rounds or not offered
        if last and offered:
            call = replace(call, body={**call.body, "tool_choice": "none"})
        said = yield from ask(call, not last)
        if isinstance(said, LlmFailure):
            return said
        if not said.tool_calls or last:
            return Conversation(said.content or "", used)
        results = []
        for wanted in said.tool_calls[:CALLS_A_ROUND]:
            text, ran = _run(offered, wanted)
            results.append(text)
            if ran:
                used += 1
                yield ToolUsed(wanted.function.name)
        turns = [_asked(said), *_told(said.tool_calls, results)]
        call = replace(call, body={**call.body, "messages": [*call.body["messages"], *turns]})
    raise AssertionError("the last round returns")


def _ask(call: Call, may_use_tools: bool) -> Generator[Words, None, ReplyMessage | LlmFailure]:
    yield from ()
    answer = send(call, _reader(may_use_tools=may_use_tools))
    return answer if isinstance(answer, LlmFailure) else answer.value


def _ask_streaming(call: Call, may_use_tools: bool) -> Generator[Words, None, ReplyMessage | LlmFailure]:
    """Put the answer together from its pieces, passing on its words as they come."""
    words: list[str] = []
    calls: dict[int, ToolCall] = {}
    with contextlib.closing(send_stream(call)) as chunks:  # type: ignore[type-var]
        for chunk in chunks:
            if isinstance(chunk, LlmFailure):
                return chunk
            if failure := _broken_off(call, chunk):
                return failure
            for piece in chunk.tool_call_pieces:
                calls[piece.index] = _joined(calls.get(piece.index), piece)
            if chunk.words:
                words.append(chunk.words)
                yield Words(chunk.words)
    if not words and not (may_use_tools and calls):
        return LlmFailure(Reason.INVALID)
    return ReplyMessage(content="".join(words), tool_calls=[calls[index] for index in sorted(calls)] or None)


def _broken_off(call: Call, chunk: Chunk) -> LlmFailure | None:
    """Tell why a stream is not read to its end: the time is up, it was cut, or the model refuses."""
    if call.left <= 0:
        return LlmFailure(Reason.TIMEOUT)
    if chunk.refuses:
        return LlmFailure(Reason.REFUSED)
    return LlmFailure(Reason.INVALID) if chunk.is_cut else None


def _joined(call: ToolCall | None, piece: ToolCallPiece) -> ToolCall:
    known = call or ToolCall(function=CalledFunction(name="", arguments=""))
    return ToolCall(
        id=known.id or piece.id or "",
        function=CalledFunction(
            name=known.function.name + (piece.function.name or ""),
            arguments=known.function.arguments + (piece.function.arguments or ""),
        ),
    )


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
