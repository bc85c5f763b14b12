"""A loopback server that speaks OpenAI's HTTP: it logs every request, counts tokens, and fails as it is told."""

import hashlib
import json
import math
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

DIMENSIONS = 64


class Fault(StrEnum):
    """What may go wrong with one request."""

    DROP = "drop"  # the connection is closed without an answer
    UNAUTHORIZED = "unauthorized"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    NOT_FOUND = "not_found"
    REFUSED_STORE = "refused_store"  # 400 that names `store`, as long as it is sent
    BAD_REQUEST = "bad_request"
    BAD_REQUEST_STORE = "bad_request_store"  # 400 in which the word occurs
    HANG = "hang"  # until the server stops
    DELAY = "delay"
    DRIP = "drip"  # the answer comes byte by byte
    CUT = "cut"  # the answer breaks off
    EMPTY = "empty"
    NO_CHOICES = "no_choices"
    PROSE = "prose"
    REFUSAL = "refusal"
    CUT_BY_LENGTH = "cut_by_length"
    TRUNCATED_JSON = "truncated_json"
    WRONG_SCHEMA = "wrong_schema"
    EXTRA_IDS = "extra_ids"
    MISSING_IDS = "missing_ids"
    DUPLICATED_IDS = "duplicated_ids"
    INVENTED = "invented"  # a third of the statements cite sentences that do not exist
    HUGE = "huge"  # 1 MB
    UNASKED_TOOLS = "unasked_tools"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault with its number: seconds of a delay or of Retry-After."""

    fault: Fault
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    raw: bytes

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation."""
        return list(self.body.get("messages", []))

    @property
    def user(self) -> str:
        """The last thing that the user said."""
        said = [message["content"] for message in self.messages if message["role"] == "user"]
        return str(said[-1]) if said else ""

    @property
    def form(self) -> str | None:
        """The name of the form that is to be filled in."""
        wanted = self.body.get("response_format") or {}
        return (wanted.get("json_schema") or {}).get("name")

    @property
    def input_tokens(self) -> int:
        """About how many tokens the request has."""
        return sum(tokens(str(message.get("content") or "")) for message in self.messages)


@dataclass(frozen=True, slots=True)
class CallTool:
    """An answer that wants tools run: pairs of a name and arguments."""

    calls: tuple[tuple[str, dict[str, Any] | str], ...]


Reply = str | dict[str, Any] | CallTool
Model = Callable[[Asked], Reply]


@dataclass(slots=True)
class ModelServer:
    """The server as tests see it: `model` answers, `script` holds the faults of the next requests, then `always`."""

    url: str = ""
    model: Model = field(default_factory=lambda: obedient)
    script: deque[Trouble | None] = field(default_factory=deque)
    always: Trouble | None = None
    requests: list[Asked] = field(default_factory=list)
    output_tokens: int = 0
    stopping: Event = field(default_factory=Event)

    def fail(self, *faults: Fault | Trouble | None) -> None:
        """Let the next requests meet these faults, in turn; None lets one succeed."""
        self.script.extend(Trouble(fault) if isinstance(fault, Fault) else fault for fault in faults)

    def fail_always(self, fault: Fault | Trouble | None) -> None:
        """Let every request meet this fault, or none."""
        self.always = Trouble(fault) if isinstance(fault, Fault) else fault

    @property
    def prompts(self) -> str:
        """Everything that was ever sent, as one text."""
        return "\n".join(json.dumps(asked.body, ensure_ascii=False) for asked in self.requests)

    def trouble(self) -> Trouble | None:
        """Return what the present request meets."""
        return self.script.popleft() if self.script else self.always


@contextmanager
def model_server(model: Model | None = None) -> Iterator[ModelServer]:
    """Run a server until the block ends."""
    state = ModelServer()
    if model is not None:
        state.model = model
    server = _Server(("127.0.0.1", 0), _Handler)
    server.state = state
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def tokens(text: str) -> int:
    """Return about how many tokens a text has: four characters each, as English has on average."""
    return math.ceil(len(text) / 4)


def items_of(asked: Asked) -> dict[str, list[str]]:
    """Return the sentences of each item in a request of the analysis, by its id."""
    items: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in asked.user.split("\n"):
        if heading := re.fullmatch(r"<<(\w+)>>.*", line):
            lines = items.setdefault(heading[1], [])
        else:
            lines.append(line.split(" ", 1)[1])
    return items


def said(item: str, *numbers: int, kind: str = "complaint", **fields: Any) -> dict[str, Any]:
    """Return one statement as the analysis wants it."""
    return {"i": item, "n": list(numbers), "k": kind, "f": None, "t": "It fails often", "x": -1} | fields


def obedient(asked: Asked) -> Reply:
    """Answer as a model should: each item's first sentence is a complaint; forms are filled in; else prose."""
    if asked.form == "Reading":
        statements = [
            said(item, 1, t=" ".join(lines[0].split()[:8]), f="export") for item, lines in items_of(asked).items()
        ]
        return {"s": statements, "e": []}
    if asked.form == "Comparison":
        return {"same": None}
    if asked.form == "Naming":
        return {"title": "Exports fail", "summary": "Customers say that exports fail."}
    if asked.form:
        return {}
    return "An answer."


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    state: ModelServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients break off on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *arguments: Any) -> None:
        """Write no log."""

    def do_POST(self) -> None:
        """Answer a request, or fail it."""
        state = self.server.state
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.path, headers, json.loads(raw), raw)
        trouble = state.trouble()
        state.requests.append(asked)
        if trouble is None or not self._failed(asked, trouble):
            self._answer(asked, trouble)

    def _failed(self, asked: Asked, trouble: Trouble) -> bool:
        """Answer with a failure, if it is one of HTTP."""
        errors = {Fault.UNAUTHORIZED: 401, Fault.SERVER_ERROR: 500, Fault.NOT_FOUND: 404, Fault.BAD_REQUEST: 400}
        match trouble.fault:
            case Fault.DROP:
                self.close_connection = True
            case Fault.RATE_LIMITED:
                headers = {"Retry-After": f"{trouble.seconds:g}"} if trouble.seconds else {}
                self._send(429, {"error": {"message": "slow down, secret-provider-text"}}, headers)
            case Fault.REFUSED_STORE if "store" in asked.body:
                self._send(400, {"error": {"message": "Unrecognized request argument: store", "param": "store"}})
            case Fault.BAD_REQUEST_STORE:
                self._send(400, {"error": {"message": "The text 'our store is closed' violates a policy"}})
            case Fault.HANG:
                self.server.state.stopping.wait(60)
                self.close_connection = True
            case fault if fault in errors:
                self._send(errors[fault], {"error": {"message": "secret-provider-text"}})
            case _:
                return False
        return True

    def _answer(self, asked: Asked, trouble: Trouble | None) -> None:
        if trouble and trouble.fault == Fault.DELAY:
            self.server.state.stopping.wait(trouble.seconds)
        if asked.path.endswith("/embeddings"):
            self._embed(asked)
            return
        reply = self.server.state.model(asked)
        message, finish = _message(_spoilt(reply, asked, trouble), trouble)
        counted = json.dumps(message.get("tool_calls")) if message.get("tool_calls") else str(message["content"])
        usage = {"prompt_tokens": asked.input_tokens, "completion_tokens": tokens(counted)}
        usage["total_tokens"] = sum(usage.values())
        self.server.state.output_tokens += usage["completion_tokens"]
        if asked.body.get("stream"):
            self._stream(asked, message, finish, usage, trouble)
            return
        choices = [] if trouble and trouble.fault == Fault.NO_CHOICES else [
            {"index": 0, "message": message, "finish_reason": finish}
        ]  # fmt: skip
        completion = {"id": "chatcmpl-1", "object": "chat.completion", "created": int(time.time())}
        completion |= {"model": asked.body["model"], "choices": choices, "usage": usage}
        self._send(200, completion, trouble=trouble)

    def _embed(self, asked: Asked) -> None:
        texts = asked.body["input"]
        texts = [texts] if isinstance(texts, str) else texts
        data = [{"object": "embedding", "index": n, "embedding": embedding(text)} for n, text in enumerate(texts)]
        used = sum(map(tokens, texts))
        usage = {"prompt_tokens": used, "total_tokens": used}
        self._send(200, {"object": "list", "data": data, "model": asked.body["model"], "usage": usage})

    def _send(
        self,
        status: int,
        body: dict[str, Any],
        headers: Mapping[str, str] | None = None,
        trouble: Trouble | None = None,
    ) -> None:
        fault = trouble.fault if trouble else None
        content = b"" if fault == Fault.EMPTY else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if fault == Fault.CUT:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        elif fault == Fault.DRIP:
            self._drip(content)
        else:
            self.wfile.write(content)

    def _drip(self, content: bytes) -> None:
        with suppress(OSError):
            for position in range(len(content)):
                self.wfile.write(content[position : position + 1])
                self.wfile.flush()
                if self.server.state.stopping.wait(0.05):
                    return

    def _stream(
        self, asked: Asked, message: dict[str, Any], finish: str, usage: dict[str, int], trouble: Trouble | None
    ) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        words = re.findall(r"\S+\s*", message["content"] or "")
        for index, call in enumerate(message.get("tool_calls") or []):
            self._stream_call(asked, index, call)
        cut = trouble is not None and trouble.fault == Fault.CUT
        for word in words[: len(words) // 2] if cut else words:
            self._event(asked, {"delta": {"content": word}, "index": 0, "finish_reason": None})
        if cut:
            self.close_connection = True
            return
        self._event(asked, {"delta": {}, "index": 0, "finish_reason": finish})
        if (asked.body.get("stream_options") or {}).get("include_usage"):
            self._event(asked, None, usage)
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _stream_call(self, asked: Asked, index: int, call: dict[str, Any]) -> None:
        """Send a call as endpoints do: its name first, then its arguments in two pieces."""
        arguments = call["function"]["arguments"]
        half = len(arguments) // 2
        named = {"id": call["id"], "type": "function", "function": {"name": call["function"]["name"], "arguments": ""}}
        pieces = [named, *({"function": {"arguments": piece}} for piece in (arguments[:half], arguments[half:]))]
        for piece in pieces:
            delta = {"tool_calls": [{"index": index, **piece}]}
            self._event(asked, {"delta": delta, "index": 0, "finish_reason": None})

    def _event(self, asked: Asked, choice: dict[str, Any] | None, usage: dict[str, int] | None = None) -> None:
        event = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": asked.body["model"], "created": 1}
        event |= {"choices": [choice] if choice else [], "usage": usage}
        self._chunk(b"data: " + json.dumps(event).encode() + b"\n\n")

    def _chunk(self, content: bytes) -> None:
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()


def embedding(text: str) -> list[float]:
    """Return a unit vector in which texts that share words are near."""
    vector = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.lower()) or [""]:
        vector[hashlib.sha256(word.encode()).digest()[0] % DIMENSIONS] += 1.0
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length for value in vector]


def _message(reply: Reply, trouble: Trouble | None) -> tuple[dict[str, Any], str]:
    fault = trouble.fault if trouble else None
    if isinstance(reply, CallTool) or fault == Fault.UNASKED_TOOLS:
        calls = reply.calls if isinstance(reply, CallTool) else (("delete_everything", {"all": True}),)
        wanted = [
            {
                "id": f"call_{number}",
                "type": "function",
                "function": {
                    "name": name,
                    "arguments": given if isinstance(given, str) else json.dumps(given),
                },
            }
            for number, (name, given) in enumerate(calls)
        ]
        return {"role": "assistant", "content": None, "tool_calls": wanted}, "tool_calls"
    if fault == Fault.REFUSAL:
        return {"role": "assistant", "content": None, "refusal": "I cannot help with that."}, "stop"
    content = reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False, separators=(",", ":"))
    return {"role": "assistant", "content": content}, "length" if fault == Fault.CUT_BY_LENGTH else "stop"


def _spoilt(reply: Reply, asked: Asked, trouble: Trouble | None) -> Reply:
    """Return the reply as a failing model would give it."""
    if trouble is None or isinstance(reply, CallTool):
        return reply
    match trouble.fault:
        case Fault.PROSE:
            return "Sure! Here is what your customers say: they are mostly happy."
        case Fault.TRUNCATED_JSON:
            return json.dumps(reply)[: len(json.dumps(reply)) // 2]
        case Fault.WRONG_SCHEMA:
            return {"items": [1, 2, 3]}
        case Fault.HUGE:
            return "x" * 1_000_000
    if isinstance(reply, dict) and "s" in reply:
        return {**reply, "s": _spoilt_statements(list(reply["s"]), trouble.fault)}
    return reply


def _spoilt_statements(statements: list[dict[str, Any]], fault: Fault) -> list[dict[str, Any]]:
    match fault:
        case Fault.EXTRA_IDS:
            return [*statements, said("zzzz", 1), said("", 1), said("1", 1)]
        case Fault.MISSING_IDS:
            return statements[: max(len(statements) // 2, 1)]
        case Fault.DUPLICATED_IDS:
            return [*statements, *statements]
        case Fault.INVENTED:
            return [
                {**one, "n": [997 + place], "t": "Invented"} if place % 3 == 0 else one
                for place, one in enumerate(statements)
            ]
    return statements
