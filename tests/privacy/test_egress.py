"""Where requests may go: no address typed into the product reaches a private network, whatever it looks like."""

import gzip
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import httpx2
import pytest
import requests
from pytest_django import Settings

from insights.llm.transport import EgressTransport
from privacy import egress
from privacy.egress import EgressRefused


class Canary(ThreadingHTTPServer):
    """A server on loopback that counts who connects."""

    daemon_threads = True

    def __init__(self) -> None:
        self.connections = 0
        self.paths: list[str] = []
        self.hosts: list[str | None] = []
        self.stopping = Event()
        super().__init__(("127.0.0.1", 0), CanaryHandler)

    def get_request(self) -> tuple[socket.socket, Any]:
        self.connections += 1
        return super().get_request()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients break off on purpose."""


class CanaryHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Canary

    def log_message(self, format: str, *arguments: Any) -> None:
        """Write no log."""

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.server.hosts.append(self.headers["Host"])
        body = b"x" * 5_000
        self.send_response(302 if self.path == "/redirect" else 200)
        if self.path == "/redirect":
            self.send_header("Location", "/target")
        if self.path == "/bomb":
            body = gzip.compress(b"\0" * 20_000_000)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.path == "/drip":
            self._drip()
        else:
            self.wfile.write(body)

    def _drip(self) -> None:
        with suppress(OSError):
            while not self.server.stopping.wait(0.05):
                self.wfile.write(b"x")


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Canary]:
    server = Canary()
    # A port that is not allowed would be refused for that alone, and prove nothing of the address.
    monkeypatch.setattr(egress, "PORTS", egress.PORTS | {server.server_port})
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.stopping.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def closed(settings: Settings) -> None:
    """As the product runs: loopback is not for addresses that people type."""
    settings.ALLOW_LOOPBACK = False


def get(url: str, **options: Any) -> requests.Response:
    with egress.session() as session:
        return session.get(url, **options)


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let every name resolve to each answer in turn, and to the last for ever; return the names asked for."""
    asked: list[str] = []

    def resolver(host: str, port: int, *arguments: Any, **options: Any) -> list[Any]:
        address = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return asked


TARGETS = [
    "127.0.0.1", "127.0.0.2", "127.255.255.254", "127.1", "127.0.1", "2130706433", "017700000001", "0x7f000001",
    "0x7f.0x0.0x0.0x1", "0x7f.1", "0177.0.0.1", "0177.0.0.01", "0", "0.0.0.0", "0x0", "00000000",
    "localhost", "LOCALHOST", "localhost.", "127.0.0.1.", "１２７.0.0.1", "①②⑦.⓪.⓪.①", "127。0。0。1",
    "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[0000:0000:0000:0000:0000:ffff:7f00:0001]", "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "[fe80::1]",
    "[fc00::1]", "[fd00::1]", "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[100::1]", "[3fff::1]",
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255",
    "169.254.169.254", "169.254.0.1", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
    "100.64.0.1", "100.100.100.200",
    "100.127.255.255", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.88.99.1",
]  # fmt: skip


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("host", TARGETS)
def test_no_private_address_is_connected_to_in_any_spelling(canary: Canary, host: str) -> None:
    url = f"http://{host}:{canary.server_port}/"
    with pytest.raises((EgressRefused, requests.ConnectionError, requests.exceptions.InvalidURL)):
        get(url)
    with pytest.raises(EgressRefused):
        egress.check_url(url)
    assert canary.connections == 0


FORMS = [
    "file:///etc/passwd", "gopher://127.0.0.1:6379/_INFO", "ftp://127.0.0.1/", "dict://127.0.0.1:11211/",
    "//127.0.0.1/",
    "javascript:alert(1)", "data:text/plain,x", "http://", "https:///path", "example.com", "http://[::1", "http://a:b/",
    "http://example.com:99999/", "http://user@127.0.0.1/", "http://example.com@127.0.0.1/", "http://user:pass@8.8.8.8/",
    "unix:///var/run/docker.sock", "ldap://127.0.0.1/", "jar:http://127.0.0.1!/", "http:127.0.0.1",
]  # fmt: skip


@pytest.mark.usefixtures("closed", "canary")
@pytest.mark.parametrize("url", FORMS)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(EgressRefused):
        egress.check_url(url)
    with pytest.raises((EgressRefused, requests.RequestException)):
        get(url)


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize(
    "name", ["127.0.0.1.nip.io", "metadata.google.internal", "rebind.example", "xn--d1abbgf6aiiy.xn--p1ai"]
)
@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.5", "::1"])
def test_a_name_is_judged_by_where_it_leads(
    canary: Canary, monkeypatch: pytest.MonkeyPatch, name: str, address: str
) -> None:
    resolve_to(monkeypatch, address)
    with pytest.raises(EgressRefused):
        get(f"http://{name}:{canary.server_port}/")
    assert canary.connections == 0


@pytest.mark.usefixtures("closed")
def test_a_name_that_leads_elsewhere_after_the_check_is_checked_again(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolve_to(monkeypatch, "93.184.216.34", "127.0.0.1")
    url = f"http://rebind.example:{canary.server_port}/"
    egress.check_url(url)
    with pytest.raises(EgressRefused):
        get(url)
    assert asked == ["rebind.example"] * 2
    assert canary.connections == 0


def test_a_connection_goes_to_the_address_that_was_checked_under_the_name_that_was_asked(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolve_to(monkeypatch, "127.0.0.1", "10.0.0.1")
    response = get(f"http://service.example:{canary.server_port}/")
    assert response.status_code == 200
    assert asked == ["service.example"]
    assert canary.hosts == [f"service.example:{canary.server_port}"]


@pytest.mark.usefixtures("closed")
def test_one_private_address_among_several_refuses_the_name(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    mixed = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: mixed)
    with pytest.raises(EgressRefused):
        get(f"http://two.example:{canary.server_port}/")
    assert canary.connections == 0


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("port", [22, 25, 6379, 5432, 11211])
def test_ports_of_other_services_are_refused(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    resolve_to(monkeypatch, "93.184.216.34")
    with pytest.raises(EgressRefused, match="Allowed are 80, 443, 8080, 8443"):
        egress.check_url(f"http://public.example:{port}/")


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e"])
def test_public_addresses_may_be_reached(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    assert egress.is_open(address)
    resolve_to(monkeypatch, address)
    egress.check_url("https://public.example/hook")


@pytest.mark.usefixtures("closed")
def test_an_address_from_the_environment_may_be_private(canary: Canary) -> None:
    url = f"http://127.0.0.1:{canary.server_port}/"
    with egress.session(operator=True) as session:
        assert session.get(url).status_code == 200


def test_a_redirect_is_not_followed(canary: Canary) -> None:
    response = get(f"http://127.0.0.1:{canary.server_port}/redirect")
    assert response.status_code == 302
    assert canary.paths == ["/redirect"]


def test_proxies_of_the_environment_are_not_used(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{canary.server_port}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{canary.server_port}")
    with pytest.raises(requests.ConnectionError):
        get("http://127.0.0.1:9/")
    assert canary.connections == 0


@pytest.mark.parametrize("path", ["/", "/bomb"])
def test_a_body_is_read_up_to_a_limit_after_unpacking(canary: Canary, path: str) -> None:
    with egress.session(max_bytes=4_000) as session, pytest.raises(EgressRefused, match="too large"):
        session.get(f"http://127.0.0.1:{canary.server_port}{path}")


def test_an_answer_that_drips_ends_at_the_time_limit(canary: Canary) -> None:
    started = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        get(f"http://127.0.0.1:{canary.server_port}/drip", timeout=(1, 0.5))
    assert time.monotonic() - started < 10


def test_connections_are_kept_for_further_requests(canary: Canary) -> None:
    with egress.session() as session:
        for _ in range(3):
            session.get(f"http://127.0.0.1:{canary.server_port}/")
    assert canary.connections == 1


@pytest.mark.usefixtures("closed")
def test_the_transport_of_the_model_reads_bodies_and_keeps_the_limits(canary: Canary) -> None:
    url = f"http://127.0.0.1:{canary.server_port}"
    with httpx2.Client(transport=EgressTransport(max_bytes=6_000), timeout=0.5) as web:
        assert web.get(f"{url}/").text == "x" * 5_000
        assert web.get(f"{url}/redirect").status_code == 302
        with pytest.raises(EgressRefused):
            web.get(f"{url}/bomb")
        with pytest.raises(httpx2.ReadTimeout):
            web.get(f"{url}/drip")
        with pytest.raises(httpx2.ConnectError):
            web.get("http://127.0.0.1:9/")
