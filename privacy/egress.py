"""The one way out: requests that reach only addresses that may be reached, within limits of size and time."""

import contextlib
import ipaddress
import math
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from config.errors import DomainError

Address = tuple[socket.AddressFamily, tuple[Any, ...]]

SCHEMES = frozenset({"http", "https"})
PORTS = frozenset({80, 443, 8080, 8443})
# Seconds to connect, and seconds from the sent request to the last byte of the answer.
TIMEOUT = (5.0, 30.0)
MAX_BYTES = 10 * 1024 * 1024

_CLOSED_V4 = [
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # a cloud's own service behind an address that looks public
    )
]  # fmt: skip
# Only global unicast is open, less what carries an IPv4 address (6to4, Teredo) or stands in documents.
# That leaves out the mapped, compatible and translated (NAT64) forms of IPv4 addresses too.
_OPEN_V6 = ipaddress.IPv6Network("2000::/3")
_CLOSED_V6 = [ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]


class EgressRefused(DomainError):
    """An address may not be reached, or its answer is larger than allowed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="address_refused")


def session(*, operator: bool = False, max_bytes: int = MAX_BYTES) -> requests.Session:
    """Return a session whose requests raise EgressRefused on a forbidden address or an oversized body.

    It follows no redirect, uses no proxy and no stored password, and counts a read timeout over the whole
    answer. `operator` is for addresses from the environment, which may be private.
    """
    guarded = _Session()
    guarded.trust_env = False
    for scheme in SCHEMES:
        guarded.mount(f"{scheme}://", Adapter(operator=operator, max_bytes=max_bytes))
    return guarded


def check_url(url: str) -> None:
    """Raise EgressRefused unless `url`, typed into the product, leads to an address that may be reached.

    It tells a person early; the check that counts is made again on every connection.
    """
    parts = _check_form(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        allowed_addresses(parts.hostname or "", port)
    except OSError as error:
        raise EgressRefused("This address cannot be found.") from error


def allowed_addresses(host: str, port: int, *, operator: bool = False) -> list[Address]:
    """Resolve `host` and return its addresses. Raises EgressRefused if one is forbidden, OSError if none is."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses: list[Address] = [(family, address) for family, _, _, _, address in found]
    if operator:
        return addresses
    own = all(_may_be_loopback(address) for _, address in addresses)
    if not own and not all(is_open(str(address[0])) for _, address in addresses):
        raise EgressRefused("This address leads into a private network and is not used.")
    if not own and port not in PORTS:
        raise EgressRefused(f"Port {port} is not used. Allowed are {_listed(PORTS)}.")
    return addresses


def is_open(address: str) -> bool:
    """Tell whether an IP address is a public one."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _CLOSED_V4)
    return ip in _OPEN_V6 and not any(ip in network for network in _CLOSED_V6)


def _may_be_loopback(address: tuple[Any, ...]) -> bool:
    return bool(settings.ALLOW_LOOPBACK) and ipaddress.ip_address(str(address[0])).is_loopback


def _listed(ports: frozenset[int]) -> str:
    return ", ".join(map(str, sorted(ports)))


def _check_form(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (reading it raises on a bad number)
    except ValueError as error:
        raise EgressRefused("This is not a web address.") from error
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise EgressRefused("An address must begin with https:// or http:// and name a host.")
    if parts.username is not None or parts.password is not None:
        raise EgressRefused("An address must not contain a user name or password.")
    return parts


class Adapter(HTTPAdapter):
    """Sends a prepared request over a checked connection, and cuts off an answer that is too large."""

    def __init__(self, *, operator: bool, max_bytes: int) -> None:
        self.operator = operator
        self.max_bytes = max_bytes
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        """Make pools whose connections are checked."""
        context = ssl.create_default_context()
        context.sslsocket_class = _TlsSocket
        self.poolmanager = PoolManager(connections, maxsize=maxsize, ssl_context=context, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = _OPERATOR_POOLS if self.operator else _POOLS

    def send(  # type: ignore[override] # requests' own callers pass these by keyword
        self, request: PreparedRequest, *, timeout: Any = None, **options: Any
    ) -> requests.Response:
        """Send it. Raises EgressRefused, or what requests raises when the other side fails."""
        if not self.operator:
            _check_form(request.url or "")
        response = super().send(request, timeout=timeout or TIMEOUT, **options)
        response.raw = LimitedBody(response.raw, self.max_bytes)
        return response


class _Session(requests.Session):
    """A session for which a redirect is an answer like any other."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class LimitedBody:
    """The body of an answer, decoded, up to a number of bytes."""

    def __init__(self, raw: Any, max_bytes: int) -> None:
        self.raw = raw
        self.left = max_bytes

    def stream(self, amount: int = 65_536, decode_content: bool = True) -> Iterator[bytes]:
        """Yield pieces as they arrive. Raises EgressRefused once they are too many."""
        for piece in self.raw.stream(amount, decode_content=decode_content):
            yield self._counted(piece)

    def read(self, amount: int | None = None, decode_content: bool = True) -> bytes:
        """Return the rest, or up to `amount` bytes. Raises EgressRefused when that is too much."""
        limit = self.left + 1 if amount is None else min(amount, self.left + 1)
        return self._counted(self.raw.read(limit, decode_content=decode_content))

    def arriving(self) -> Iterator[bytes]:
        """Yield what has arrived without waiting for more. Raises EgressRefused once it is too much."""
        while piece := self.raw.read1(65_536, decode_content=True):
            yield self._counted(piece)

    def _counted(self, piece: bytes) -> bytes:
        self.left -= len(piece)
        if self.left < 0:
            self.close()
            raise EgressRefused("The answer from this address is too large.")
        return piece

    def close(self) -> None:
        """Drop the connection."""
        self.raw.close()

    def release_conn(self) -> None:
        """Give the connection back."""
        self.raw.release_conn()


class _Deadline:
    """A socket that stops reading at a point in time: a timeout alone starts anew with every byte."""

    deadline = math.inf

    def recv_into(self, *arguments: Any) -> int:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("The answer took too long.")
        if left < math.inf:
            self.settimeout(left)  # type: ignore[attr-defined]
        return int(super().recv_into(*arguments))  # type: ignore[misc]


class _PlainSocket(_Deadline, socket.socket):
    pass


class _TlsSocket(_Deadline, ssl.SSLSocket):
    pass


class _Checked(HTTPConnection):
    """A connection to an address that was checked, and to no other: nothing is resolved twice."""

    operator = False

    def _new_conn(self) -> socket.socket:
        try:
            addresses = allowed_addresses(self._dns_host, self.port, operator=self.operator)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        try:
            timeout = self.timeout if isinstance(self.timeout, int | float) else TIMEOUT[0]
            return _connect(addresses, timeout)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "No connection within the time allowed.") from error
        except OSError as error:
            raise NewConnectionError(self, "No connection.") from error

    def getresponse(self) -> Any:
        if isinstance(self.sock, _Deadline) and isinstance(self.timeout, int | float):
            self.sock.deadline = time.monotonic() + self.timeout
        return super().getresponse()


class _CheckedTls(_Checked, HTTPSConnection):
    pass


class _Operator(_Checked):
    operator = True


class _OperatorTls(_CheckedTls):
    operator = True


def _pool(base: type[HTTPConnectionPool], connection: type[HTTPConnection]) -> type[HTTPConnectionPool]:
    return type(f"{connection.__name__}Pool", (base,), {"ConnectionCls": connection})


_POOLS = {"http": _pool(HTTPConnectionPool, _Checked), "https": _pool(HTTPSConnectionPool, _CheckedTls)}
_OPERATOR_POOLS = {
    "http": _pool(HTTPConnectionPool, _Operator),
    "https": _pool(HTTPSConnectionPool, _OperatorTls),
}


def _connect(addresses: list[Address], timeout: float) -> socket.socket:
    """Connect to the first address that answers. Raises the OSError of the last one that does not."""
    failure: OSError = OSError("no address")
    for family, address in addresses:
        with contextlib.ExitStack() as undo:
            connection = undo.enter_context(_PlainSocket(family, socket.SOCK_STREAM))
            connection.settimeout(timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                connection.connect(address)
            except OSError as error:
                failure = error
                continue
            undo.pop_all()
            return connection
    raise failure
