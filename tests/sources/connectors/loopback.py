"""A stateful vendor on loopback: rows that change, scripted faults, a log of requests, and a clock of its own."""

import base64
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

START = 1_793_577_600.0  # 2026-11-02, noon
DAY = 86_400.0


class FakeClock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.time = START
        self.sleeps: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += seconds


@dataclass
class Reply:
    """An answer that a row got."""

    id: int
    text: str
    created: float
    by_customer: bool = False
    deleted: bool = False


@dataclass
class Row:
    """A ticket, review, call or post, whatever the vendor calls it; times are seconds since 1970."""

    id: int
    text: str
    created: float
    updated: float
    deleted: bool = False
    bare: bool = False
    replies: list[Reply] = field(default_factory=list)

    @property
    def author(self) -> str:
        return f"Customer {self.id % 7}"

    @property
    def email(self) -> str:
        return f"customer{self.id % 7}@example.com"


@dataclass
class Request:
    """What arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    url: str

    @property
    def json(self) -> Any:
        return json.loads(self.body or b"null")

    @property
    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body.decode()).items()}


@dataclass
class Answer:
    """What is sent back."""

    data: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    @property
    def content(self) -> bytes:
        return self.raw if self.raw is not None else json.dumps(self.data).encode()


class Vendor:
    """The half that all vendors share; a subclass says how it lists, and what it can and cannot do."""

    kind: ClassVar[str]
    settings: ClassVar[dict[str, Any]] = {}
    secrets: ClassVar[dict[str, str]] = {}
    size: ClassVar[int] = 100  # rows a page
    limit_headers: ClassVar[dict[str, str]] = {"Retry-After": "7"}
    limit_status: ClassVar[int] = 429
    limit_body: ClassVar[Any] = {}
    limit_wait: ClassVar[float] = 7.0
    renews: ClassVar[bool] = False
    mirrors: ClassVar[str] = ""  # how a deletion is noticed: listed, recheck, missing
    links: ClassVar[bool] = False  # whether the next page is a link
    tokens: ClassVar[bool] = False  # whether the next page is a token that can expire
    expired: ClassVar[Answer | None] = None
    threads: ClassVar[bool] = True  # whether rows have replies
    emails: ClassVar[bool] = False
    edits: ClassVar[bool] = True  # whether an edit is noticed by the next run
    span: ClassVar[float] = 75 * DAY  # how far back the application lists
    created_order: ClassVar[bool] = False  # whether rows are listed by creation

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.rows: dict[int, Row] = {}
        self.log: list[Request] = []
        self.exchanges: list[tuple[Request, Answer]] = []
        self.faults: deque[tuple[Callable[[Request], bool], Answer]] = deque()
        self.before: Callable[[int, Request], None] = lambda count, request: None
        self.token = "first-token"
        self.refresh_token = "refresh-1"
        self.lists: list[list[Row]] = []
        self.empty_pages = 0
        self.endless = False
        self.foreign = ""
        self.base = ""
        self.keep_exchanges = True

    def add(self, count: int = 1, *, every: float = 60, replies: int = 0) -> list[Row]:
        """Add rows, each `every` seconds after the one before, the last one a little before now."""
        first = len(self.rows) + 1
        start = max(self.clock.time - 120 - every * count, max((row.updated for row in self.rows.values()), default=0))
        added = []
        for place in range(count):
            moment = float(int(start + every * (place + (every > 0))))
            row = Row(first + place, f"Text of row {first + place}", moment, moment)
            row.replies = [
                Reply(row.id * 1000 + number, f"Reply {number} to {row.id}", moment + 1, bool(number % 2))
                for number in range(1, replies + 1)
            ]
            self.rows[row.id] = row
            added.append(row)
            self.clock.time = max(self.clock.time, row.updated + 120)
        return added

    def edit(self, row: Row, text: str) -> None:
        row.text = text
        row.updated = float(int(self.clock.time)) - 1

    def delete(self, row: Row) -> None:
        row.deleted = True
        row.updated = float(int(self.clock.time)) - 1

    def fail(self, answer: Answer, *, times: int = 1, where: Callable[[Request], bool] = lambda request: True) -> None:
        self.faults.extend([(where, answer)] * times)

    def goes_on(self, request: Request) -> bool:
        """Whether a request continues a list by a token that can expire."""
        return False

    def unique_id(self, row: Row) -> str:
        return str(row.id)

    def body_of(self, row: Row) -> str:
        return row.text

    def handle(self, request: Request) -> Answer:
        self.before(len(self.log), request)
        self.log.append(request)
        if self.faults and self.faults[0][0](request):
            return self.faults.popleft()[1]
        if granted := self.grant(request):
            return granted
        if not self.allowed(request):
            return Answer({"error": "unauthorised"}, 401)
        answer = self.answer(request)
        if self.keep_exchanges:
            self.exchanges.append((request, answer))
        return answer

    def grant(self, request: Request) -> Answer | None:
        """Answer a request for a token, or return None where it is none."""
        return None

    def allowed(self, request: Request) -> bool:
        return self.token in request.headers.get("authorization", "") or any(
            base64.b64encode(pair.encode()).decode() in request.headers.get("authorization", "")
            for pair in self.pairs()
        )

    def pairs(self) -> list[str]:
        return []

    def answer(self, request: Request) -> Answer:
        raise NotImplementedError

    def newest_first(self) -> list[Row]:
        return sorted(self.visible(), key=lambda row: (row.created, row.id), reverse=True)

    def oldest_first(self, since: float = 0) -> list[Row]:
        rows = [row for row in self.visible() if row.updated >= since]
        return sorted(rows, key=lambda row: (row.updated, row.id))

    def visible(self) -> list[Row]:
        """Rows that the list shows; deleted ones only where the vendor lists them."""
        return [row for row in self.rows.values() if not row.deleted or self.mirrors == "listed"]

    def cut(self, rows: list[Row], token: str | None) -> tuple[list[Row], str | None]:
        """Return a page and the next token, which goes on with the list as it was when it began."""
        if token is None:
            token = f"{len(self.lists)}.0.0"
            self.lists.append(rows)
        number, start, blank = (int(part) for part in token.split("."))
        rows = self.lists[number]
        if self.empty_pages and start and not blank:
            return [], f"{number}.{start}.1"
        found = rows[start : start + self.size]
        more = start + self.size < len(rows)
        if self.endless and not more:
            return found, f"{number}.{len(rows)}.0"
        return found, f"{number}.{start + self.size}.0" if more else None

    def link(self, request: Request, token: str | None, name: str) -> str | None:
        if token is None:
            return None
        return f"{self.foreign or self.base}{request.path}?{name}={token}"


@contextmanager
def serving(vendor: Vendor) -> Iterator[str]:
    """Serve a vendor and yield its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {key.lower(): value for key, value in self.headers.items()}
            request = Request(self.command, parts.path, query, headers, body, vendor.base + self.path)
            answer = vendor.handle(request)
            content = answer.content
            lines = {"Content-Type": "application/json", "Content-Length": str(len(content)), **answer.headers}
            head = "".join(f"{key}: {value}\r\n" for key, value in lines.items())
            # One send: a second one would wait for the first one's acknowledgement.
            self.wfile.write(f"HTTP/1.1 {answer.status} Answer\r\n{head}\r\n".encode() + content)

        do_POST = do_GET

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    vendor.base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield vendor.base
    finally:
        server.shutdown()
        server.server_close()
