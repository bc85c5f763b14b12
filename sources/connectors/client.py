"""Ask one application politely: its own pace, its own words for "later", one renewal of a refused credential."""

import re
from collections import deque
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from sources.connectors.auth import REFUSED, Account, Auth, at_loopback, choose
from sources.connectors.errors import ConnectorError, CursorExpired, Gone, Refused
from sources.connectors.expressions import search
from sources.connectors.feeds import read_feed
from sources.connectors.filling import fill
from sources.connectors.spec import Connector, Outcome, Pace
from sources.connectors.transport import Call, Clock, Reply, checked_base, origin, send

TRIES = 4
MAX_REFUSALS = 10
NUMBER = re.compile(r"\d+(\.\d+)?")

WORDS: dict[Outcome, str] = {
    "forbidden": "The credential lacks a permission. Grant what the set-up lists and try again.",
    "gone": "What was to be read does not exist any more. Check the settings of the source.",
    "rejected": "The application did not understand the request. Check the settings of the source.",
    "exhausted": "The application's daily allowance is used up. The next try comes by itself.",
}


class Answer:
    """The body of a good answer, and the address of its Link header's next page."""

    __slots__ = ("data", "empty", "link")

    def __init__(self, data: Any, link: str | None, *, empty: bool = False) -> None:
        self.data = data
        self.link = link
        self.empty = empty


class Client:
    """Sends the requests of one run.

    Waits of up to `patience` seconds are waited out; a longer one ends the run with a ConnectorError that
    says when to come back.
    """

    def __init__(
        self, connector: Connector, account: Account, *, session: requests.Session, clock: Clock, patience: float
    ) -> None:
        self.connector = connector
        self.account = account
        self.session = session
        self.clock = clock
        self.patience = patience
        self.auth: Auth = choose(connector.auth, account, clock=clock, session=session)
        self.requests = 0
        self.recent: dict[Pace, deque[float]] = {}
        self.fixed: Mapping[str, Any] = fill(connector.headers, account.values())

    @property
    def base_url(self) -> str:
        """The checked address that every request of this connection goes to.

        Raises ConnectorError where it is not an address of the vendor.
        """
        url = self.auth.base_url or str(fill(self.connector.base_url, self.account.values()))
        return checked_base(at_loopback(url, self.account.settings), self.connector.host_pattern)

    def fetch(self, call: Call) -> Answer:
        """Return a good answer.

        Raises CursorExpired where the place in the list is no longer known, and ConnectorError for all else
        that ends the run.
        """
        headers = self._headers()
        if origin(call.url) != origin(self.base_url):
            raise ConnectorError("A link led to another address and was not followed.", permanent=True)
        broken = limited = 0
        renewed = False
        while True:
            reply = self._send(call, headers)
            body = self._body(call, reply)
            outcome, say = self._judge(reply, body)
            if outcome == "broken":
                broken += 1
                self._retry(broken, TRIES, 2.0**broken)
            elif outcome == "limited" and reply is not None:
                limited += 1
                self._retry(limited, MAX_REFUSALS, self._wait_told(reply))
            elif outcome == "refused" and not renewed and self.auth.renew():
                renewed = True
                headers = self._headers()
            else:
                return self._conclude(outcome, say, body, reply)

    def _headers(self) -> dict[str, str]:
        """Return the headers, the credential among them; a token is fetched before the address is known."""
        return {key: str(value) for key, value in self.fixed.items()} | dict(self.auth.headers())

    def _send(self, call: Call, headers: Mapping[str, str]) -> Reply | None:
        self._keep_pace(call.pace)
        self.requests += 1
        return send(self.session, call, headers)

    def _keep_pace(self, pace: Pace | None) -> None:
        if pace is None:
            return
        allowed = max(int(fill(pace.requests, self.account.values()) or 1), 1)
        recent = self.recent.setdefault(pace, deque(maxlen=allowed))
        if len(recent) == allowed:
            self._wait(recent[0] + pace.seconds - self.clock.now())
        recent.append(self.clock.now())

    def _body(self, call: Call, reply: Reply | None) -> Any:
        if reply is None:
            return None
        if call.format == "feed" and reply.status == 200:
            return read_feed(reply.content)
        return reply.json()

    def _judge(self, reply: Reply | None, body: Any) -> tuple[Outcome, str]:
        if reply is None:
            return "broken", ""
        facts = {"status": reply.status, "headers": dict(reply.headers), "body": body}
        for rule in self.connector.rules:
            if search(rule.when, facts):
                return rule.then, rule.say
        return _by_status(reply.status, body), ""

    def _conclude(self, outcome: Outcome, say: str, body: Any, reply: Reply | None) -> Answer:
        if outcome == "ok" and reply is not None:
            return Answer(body, _next_link(reply.headers.get("link", "")))
        if outcome == "empty":
            return Answer(None, None, empty=True)
        if outcome == "expired":
            raise CursorExpired
        if outcome == "exhausted":
            raise ConnectorError(say or WORDS["exhausted"], permanent=False, retry_after=3600)
        if outcome == "gone":
            raise Gone(say or WORDS["gone"])
        if outcome == "refused":
            raise Refused(say or REFUSED)
        raise ConnectorError(say or WORDS[outcome], permanent=True)

    def _retry(self, count: int, most: int, pause: float) -> None:
        if count >= most:
            raise ConnectorError(
                "The application does not answer as it should. The next try comes by itself.",
                permanent=False,
                retry_after=max(pause, 60),
            )
        self._wait(pause)

    def _wait(self, seconds: float) -> None:
        if seconds <= 0:
            return
        if seconds > self.patience:
            raise ConnectorError(
                "The application asks to slow down; reading goes on by itself.", permanent=False, retry_after=seconds
            )
        self.clock.sleep(seconds)

    def _wait_told(self, reply: Reply) -> float:
        """Return the seconds that the answer asks to wait: Retry-After, else the vendor's own header."""
        limits = self.connector.limits
        after = reply.headers.get("retry-after", "").strip()
        if NUMBER.fullmatch(after):
            return max(float(after), 0.1)
        if after:
            try:
                return max(parsedate_to_datetime(after).timestamp() - self.clock.now(), 0.1)
            except (ValueError, TypeError):
                return limits.wait
        reset = reply.headers.get(limits.reset_header.lower(), "").strip() if limits.reset_header else ""
        if not NUMBER.fullmatch(reset):
            return limits.wait
        return max(float(reset) - (self.clock.now() if limits.reset == "epoch" else 0), 0.1)


def _by_status(status: int, body: Any) -> Outcome:
    if status in (408, 425) or status >= 500:
        return "broken"
    known: dict[int, Outcome] = {401: "refused", 403: "forbidden", 404: "gone", 410: "gone", 429: "limited"}
    if status in known:
        return known[status]
    if status >= 400:
        return "rejected"
    # A proxy's sign-in page comes with 200 as well.
    return "ok" if body is not None else "broken"


def _next_link(header: str) -> str | None:
    """Return the address of rel="next" in a Link header."""
    for entry in re.findall(r"<([^>]*)>((?:\s*;\s*[^,<]*)*)", header):
        if re.search(r'rel="?next"?', entry[1]):
            return str(entry[0])
    return None
