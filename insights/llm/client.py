"""The one door to a language model: what is asked is redacted, bounded, paid from a budget, and recorded."""

import contextlib
import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.utils import timezone
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from insights.llm import breaker, ledger
from insights.llm.calls import SECONDS, Answer, Call, Message
from insights.llm.failures import LlmFailure, Reason, Unusable
from insights.llm.ledger import Usage
from insights.llm.prompts import Prompt
from insights.llm.wire import Chunk, Counted, Embeddings, Reply
from privacy.egress import EgressRefused
from privacy.redact import RedactedText
from projects.models import Project

if TYPE_CHECKING:
    from openai import OpenAI, Stream  # noqa: TID251

DEFAULT_URL = "https://api.openai.com/v1"
CONNECT_SECONDS = 5.0
MAX_BYTES = 8 * 1024 * 1024
# A filled-in form is short; what is longer than this is not read.
MAX_FORM = 100_000
# Seconds before the second and the third try of a call that may succeed when it is repeated.
PAUSES = (0.5, 2.0)
WORTH_REPEATING = frozenset({Reason.RATE_LIMITED, Reason.UNAVAILABLE})
# A provider that asks for a longer wait gets it, but nobody sits waiting for the answer meanwhile.
MAX_WAIT = 8.0
RATE_LIMITED_SECONDS = 2.0
UNAUTHORIZED_SECONDS = 60.0

T = TypeVar("T")
Form = TypeVar("Form", bound=BaseModel)

_clients: dict[tuple[str, str, int], "OpenAI"] = {}


def configured() -> bool:
    """Tell whether there is a model to ask."""
    return bool(settings.OPENAI_API_KEY or settings.OPENAI_BASE_URL)


def ask(
    project: Project,
    purpose: str,
    prompt: Prompt,
    user: RedactedText,
    answer: type[Form],
    *,
    max_tokens: int = 4_000,
    seconds: float = SECONDS,
) -> Answer[Form] | LlmFailure:
    """Ask for a filled-in form. An answer that does not fit the form is a failure; nothing is repaired."""
    body = chat_body(prompt, [Message("user", user)], max_tokens=max_tokens) | {
        "temperature": 0,
        "response_format": _form(answer),
    }

    def read(content: bytes) -> Form:
        words = Reply.model_validate_json(content).message.content or ""
        if len(words) > MAX_FORM:
            raise Unusable
        return answer.model_validate_json(words)

    return send(Call(project, purpose, prompt.version, body, seconds), read)


def stream(
    project: Project,
    purpose: str,
    prompt: Prompt,
    messages: Sequence[Message],
    *,
    max_tokens: int = 2_000,
    seconds: float = SECONDS,
) -> Iterator[str | LlmFailure]:
    """Yield an answer in pieces as they arrive; a failure, if there is one, comes last."""
    body = chat_body(prompt, messages, max_tokens=max_tokens)
    for chunk in _chunks(Call(project, purpose, prompt.version, body, seconds)):
        if isinstance(chunk, LlmFailure):
            yield chunk
        elif words := chunk.words:
            yield words


def forward(
    project: Project, purpose: str, body: Mapping[str, Any], *, seconds: float = SECONDS, verbatim: bool = True
) -> Answer[dict[str, Any]] | LlmFailure:
    """Pass on a caller's own request, not redacted, and return the completion as it came.

    Without `verbatim` only its words are the caller's: what the endpoint does not know may be left out.
    """

    def read(content: bytes) -> dict[str, Any]:
        if not Reply.model_validate_json(content).choices:
            raise Unusable
        return dict(from_json(content))

    return send(_forwarded(project, purpose, body, seconds, verbatim=verbatim), read)


def forward_stream(
    project: Project, purpose: str, body: Mapping[str, Any], *, seconds: float = SECONDS, verbatim: bool = True
) -> Generator[dict[str, Any] | LlmFailure, None, None]:
    """Pass on a caller's own request as `forward`, and yield the chunks as they came; a failure comes last."""
    for chunk in _chunks(_forwarded(project, purpose, body, seconds, verbatim=verbatim)):
        yield chunk if isinstance(chunk, LlmFailure) else chunk.raw


def embed(project: Project, texts: Sequence[RedactedText]) -> Answer[list[list[float]]] | LlmFailure:
    """Return a vector for each text, in their order, by the configured embedding model."""
    if not settings.EMBEDDING_MODEL:
        return LlmFailure(Reason.NOT_CONFIGURED)
    body = {"model": settings.EMBEDDING_MODEL, "input": list(texts)}

    def read(content: bytes) -> list[list[float]]:
        data = sorted(Embeddings.model_validate_json(content).data, key=lambda row: row.index)
        if [row.index for row in data] != list(range(len(texts))):
            raise Unusable
        return [row.embedding for row in data]

    return send(Call(project, "embed", "", body, path="/embeddings"), read)


def chat_body(prompt: Prompt, messages: Sequence[Message], *, max_tokens: int) -> dict[str, Any]:
    """Return the body of a request: the prompt, then the conversation."""
    spoken = [{"role": message.role, "content": message.text} for message in messages]
    return {
        "model": settings.MODEL_NAME,
        "messages": [{"role": "system", "content": prompt.text}, *spoken],
        "max_completion_tokens": max_tokens,
        "store": False,
    }


def send(call: Call, read: Callable[[bytes], T]) -> Answer[T] | LlmFailure:
    """Make a call, again where that may help, and return what `read` makes of the body that comes back.

    `read` raises Unusable or ValidationError on a body of no use. Sleeps between tries.
    """
    if failure := _prevented(call):
        return failure
    for pause in PAUSES:
        result = _try(call, read)
        if isinstance(result, Answer) or result.reason not in WORTH_REPEATING:
            return result
        wait = max(result.retry_after or 0.0, pause)
        if wait > min(MAX_WAIT, call.left):
            return result
        time.sleep(wait)
    return _try(call, read)


def send_stream(call: Call) -> Iterator[Chunk | LlmFailure]:
    """Make a call whose answer streams; the last value is a failure when it did not end well. Nothing is repeated."""
    return _chunks(call)


def disconnect() -> None:
    """Close the connections of this process."""
    while _clients:
        _clients.popitem()[1].close()


def _forwarded(project: Project, purpose: str, body: Mapping[str, Any], seconds: float, *, verbatim: bool) -> Call:
    theirs = {name: value for name, value in body.items() if name != "stream"}
    own = {"model": settings.MODEL_NAME, "store": False, **theirs}
    return Call(project, purpose, "", own, seconds, forwarded=True, verbatim=verbatim)


def _form(answer: type[BaseModel]) -> dict[str, Any]:
    schema = {"name": answer.__name__, "schema": answer.model_json_schema(), "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def _prevented(call: Call) -> LlmFailure | None:
    """Return why a call is not even tried."""
    if not configured():
        return LlmFailure(Reason.NOT_CONFIGURED)
    if failure := breaker.refusal():
        return failure
    return None if call.forwarded else ledger.over_budget(call.project, call.estimated_tokens)


def _try(call: Call, read: Callable[[bytes], T]) -> Answer[T] | LlmFailure:
    """Make one call and store what became of it."""
    started = time.monotonic()
    usage = Usage(0, 0)
    with _Faults() as faults:
        content = _post(call)
        usage = Counted.of(content) or Usage(call.estimated_tokens, len(content) // 4)
        value = read(content)
    call.record(usage, time.monotonic() - started, faults.reason)
    if faults.failure is None:
        return Answer(value, usage)
    if call.drop(faults.complaint):
        return _try(call, read)
    return faults.failure


def _post(call: Call) -> bytes:
    import httpx2

    response = _client().post(
        call.path, cast_to=httpx2.Response, body=call.known_body(), options={"timeout": _timeout(call)}
    )
    return response.content


def _chunks(call: Call) -> Iterator[Chunk | LlmFailure]:
    """Make a call whose answer streams; the last value is a failure when it did not end well."""
    if failure := _prevented(call):
        yield failure
        return
    streamed = {"stream_options": {"include_usage": True}, **call.body, "stream": True}
    call = replace(call, body=streamed)
    started, usage, length, finished = time.monotonic(), None, 0, False
    faults = _Faults()
    try:
        with faults, contextlib.closing(_open_stream(call)) as arriving:
            for raw in arriving:
                chunk = Chunk.model_validate({**raw, "raw": raw} if isinstance(raw, dict) else raw)
                usage = chunk.usage.as_usage() if chunk.usage else usage
                length += len(chunk.words)
                finished = finished or chunk.finishes
                yield chunk
            if not finished:
                raise Unusable(Reason.UNAVAILABLE)
    finally:
        # Also when the reader went away: what was produced until then was paid for.
        sent = 0 if faults.failure and not length else call.estimated_tokens
        call.record(usage or Usage(sent, length // 4), time.monotonic() - started, faults.reason)
    if faults.failure and call.drop(faults.complaint):
        yield from _chunks(call)
    elif faults.failure:
        yield faults.failure


def _open_stream(call: Call) -> "Stream[object]":
    from openai import Stream  # noqa: TID251

    return _client().post(
        call.path,
        cast_to=object,
        body=call.known_body(),
        options={"timeout": _timeout(call)},
        stream=True,
        stream_cls=Stream[object],
    )


def _timeout(call: Call) -> Any:
    import httpx2

    return httpx2.Timeout(max(call.left, 1.0), connect=CONNECT_SECONDS)


def _client() -> "OpenAI":
    """Return this process's client; a changed setting, or a fork, makes another."""
    import httpx2
    from openai import OpenAI  # noqa: TID251

    from insights.llm.transport import EgressTransport

    url, key = settings.OPENAI_BASE_URL or DEFAULT_URL, settings.OPENAI_API_KEY or "none"
    place = (url, key, os.getpid())
    if place not in _clients:
        web = httpx2.Client(transport=EgressTransport(max_bytes=MAX_BYTES), trust_env=False)
        _clients[place] = OpenAI(api_key=key, base_url=url, max_retries=0, http_client=web)
    return _clients[place]


class _Faults:
    """Holds what went wrong with the endpoint inside a `with`; every other error passes."""

    def __init__(self) -> None:
        self.failure: LlmFailure | None = None
        self.complaint = ""

    @property
    def reason(self) -> Reason | None:
        return self.failure.reason if self.failure else None

    def __enter__(self) -> "_Faults":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.failure = _failure_of(error) if error else None
        if self.failure is None:
            return False
        if self.failure.reason == Reason.UNAUTHORIZED:
            breaker.open_for(UNAUTHORIZED_SECONDS, Reason.UNAUTHORIZED)
        if self.failure.reason == Reason.RATE_LIMITED:
            breaker.open_for(self.failure.retry_after or RATE_LIMITED_SECONDS, Reason.RATE_LIMITED)
        if self.failure.reason == Reason.REFUSED:
            self.complaint = str(error)
        return True


def _failure_of(error: BaseException) -> LlmFailure | None:
    """Return what an error of the endpoint means, None for an error of our own."""
    import httpx2
    import openai  # noqa: TID251

    match error:
        case Unusable():
            return LlmFailure(error.reason)
        case ValidationError() | EgressRefused() | openai.APIResponseValidationError():
            return LlmFailure(Reason.INVALID)
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return LlmFailure(Reason.UNAUTHORIZED, retry_after=UNAUTHORIZED_SECONDS)
        case openai.RateLimitError():
            return LlmFailure(Reason.RATE_LIMITED, _retry_after(error.response.headers.get("retry-after")))
        case openai.APITimeoutError() | httpx2.TimeoutException():
            return LlmFailure(Reason.TIMEOUT)
        case openai.BadRequestError() | openai.UnprocessableEntityError():
            return LlmFailure(Reason.REFUSED)
        case openai.APIConnectionError() if isinstance(error.__cause__, EgressRefused):
            return LlmFailure(Reason.INVALID)
        case openai.APIStatusError() if error.status_code == 413:
            return LlmFailure(Reason.REFUSED)
        case openai.OpenAIError() | httpx2.HTTPError():
            return LlmFailure(Reason.UNAVAILABLE)
    return None


def _retry_after(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for, in either of its forms."""
    if not header:
        return None
    try:
        return max(float(header), 0.0)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(header) - timezone.now()).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
