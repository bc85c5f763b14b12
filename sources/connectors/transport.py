"""The one place where connectors open a connection: size-bound answers, no redirects, time from one clock."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

import msgspec
import requests
from django.conf import settings

from privacy import egress
from sources.connectors.errors import ConnectorError
from sources.connectors.spec import Pace

MAX_ANSWER_BYTES = 32 * 1024 * 1024
TIMEOUT = (10, 60)
USER_AGENT = "earshot/1 (feedback connector)"
LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")


class Clock(Protocol):
    """What tells the time and waits."""

    def now(self) -> float:
        """Return seconds since 1970."""

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to be sent, without its credential."""

    method: str
    url: str
    params: Mapping[str, Any]
    body: Mapping[str, Any] | None = None
    format: str = "json"
    pace: Pace | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read to its end; `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """Return the decoded body, or None where it is not JSON."""
        try:
            return msgspec.json.decode(self.content)
        except msgspec.DecodeError:
            return None


def open_session() -> requests.Session:
    """Return a session that reaches public addresses only, follows no redirect and reads bounded answers."""
    return egress.session(max_bytes=MAX_ANSWER_BYTES)


def send(
    session: requests.Session,
    call: Call,
    headers: Mapping[str, str],
    *,
    form: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
) -> Reply | None:
    """Send a request and return its answer, or None where no whole answer came.

    Raises ConnectorError where the address may not be asked, or the answer is too large or leads elsewhere.
    """
    try:
        response = session.request(
            call.method,
            call.url,
            params={key: _parameter(value) for key, value in call.params.items()},
            json=call.body,
            data=form,
            auth=auth or _no_auth,
            headers={"User-Agent": USER_AGENT, "Accept": "application/json, */*;q=0.5"} | dict(headers),
            timeout=TIMEOUT,
            allow_redirects=False,
        )
    except egress.EgressRefused as error:
        raise ConnectorError(error.message, permanent=True) from error
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
        return None
    except requests.RequestException as error:
        raise ConnectorError("The address cannot be used. Check it.", permanent=True) from error
    if 300 <= response.status_code < 400:
        raise ConnectorError(
            "The address answers with a redirect, which is not followed. Enter the address it leads to.",
            permanent=True,
        )
    received = {key.lower(): value for key, value in response.headers.items()}
    return Reply(response.status_code, received, response.content)


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from adding credentials of a `.netrc` file."""
    return request


def _parameter(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def origin(url: str) -> str:
    """Return scheme, host and port of an address: what a credential may be sent to."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{_host(parts)}"


def _host(parts: SplitResult) -> str:
    try:
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        port = -1
    return f"{(parts.hostname or '').lower()}:{port}"


def checked_base(url: str, host_pattern: str) -> str:
    """Return the address if it may be asked.

    Raises ConnectorError where it is not HTTPS, has a user name in it, or its host is not one of the vendor's.
    Loopback passes only where the settings allow it.
    """
    if is_loopback(url):
        return url
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise ConnectorError("The address must begin with https:// and a host name.", permanent=True)
    if host_pattern and not re.fullmatch(host_pattern, parts.hostname):
        raise ConnectorError(f"{parts.hostname} is not an address of this application.", permanent=True)
    return url


def is_loopback(url: str) -> bool:
    """Whether the address is on this machine and the settings allow that."""
    return bool(settings.ALLOW_LOOPBACK and LOOPBACK.fullmatch(origin_text(url)))


def origin_text(url: str) -> str:
    """Return scheme and authority as they are written."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
