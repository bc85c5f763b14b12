"""Measures the memory of a worker that pulls 10,000 and then 100,000 items from an application into the product.

`python -m benchmarks.connector_memory [--rows 100000]`; the application runs in a process of its own, and makes
every page when it is asked for.
"""

import argparse
import gc
import json
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.product import ROOT, measured_database, report

if TYPE_CHECKING:
    from sources.models import Source

SMALL = 10_000
PAGE = 100
FIRST = int(time.time()) - 30 * 86_400  # when the first issue was changed; each of the others a second later
WORDS = " ".join(f"The export of report {number} is slow since the update." for number in range(12))


def issue(number: int) -> dict[str, Any]:
    """Return one issue as GitHub lists it, with a text of about 600 characters."""
    moment = datetime.fromtimestamp(FIRST + number, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "id": number,
        "number": number,
        "title": f"Issue {number}",
        "body": f"{number}: {WORDS}",
        "user": {"login": f"user{number % 977}", "id": number % 977, "type": "User"},
        "created_at": moment,
        "updated_at": moment,
        "html_url": f"https://github.com/acme/app/issues/{number}",
        "state": "open",
        "labels": [],
    }


def page(rows: int, since: str) -> list[dict[str, Any]]:
    """Return the first issues that were changed at `since` or later."""
    start = max(int(datetime.fromisoformat(since).timestamp()) - FIRST, 0)
    return [issue(number) for number in range(start, min(start + PAGE, rows))]


def serve(rows: int, port_file: Path) -> None:
    """Answer as GitHub does for a repository of `rows` issues, until the process is ended."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer a page of issues; there are no comments."""
            parts = urlsplit(self.path)
            since = parse_qs(parts.query)["since"][0]
            content = json.dumps(page(rows, since) if parts.path.endswith("/issues") else []).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            self.wfile.write(head.encode() + content)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port_file.write_text(str(server.server_port))
    server.serve_forever()


def measure(rows: int, folder: Path) -> list[dict[str, Any]]:
    """Pull a small repository and a large one, each from an application of its own."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    return [pull(count, folder) for count in (SMALL, rows)]


def pull(rows: int, folder: Path) -> dict[str, Any]:
    """Read a repository of `rows` issues to its end; return the memory before and after, in MB, and the pace."""
    from feedback_ingest.connector_feed import KEEPER
    from sources.syncing import sync

    port_file = folder / f"port-{rows}"
    command = [sys.executable, "-m", "benchmarks.connector_memory", "--serve", str(rows), "--port-file", str(port_file)]
    vendor = subprocess.Popen(command, cwd=ROOT)
    try:
        while not (port_file.exists() and port_file.read_text()):
            time.sleep(0.1)
        source = connected(f"http://127.0.0.1:{port_file.read_text()}")
        before, began = resident(), time.monotonic()
        run = sync(source, store=KEEPER.store, known=KEEPER.known, seconds=7_200)
        took = time.monotonic() - began
    finally:
        vendor.terminate()
        vendor.wait()
    source.count.refresh_from_db()
    if run is None or source.count.received != rows:
        raise RuntimeError(f"{source.count.received} of {rows} items arrived: {run and run.error}")
    return {
        "items": rows,
        "rss_before_mb": before,
        "rss_after_mb": resident(),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "items_per_second": round(rows / took),
        "requests": run.requests,
    }


def connected(address: str) -> "Source":
    """Return a source that reads the application at `address`."""
    from sources import credentials
    from sources.models import Connection, Source
    from tests.factories import make_project, make_source

    source = make_source(make_project(), kind=Source.Kind.CONNECTOR, application="github")
    settings = {"repositories": ["acme/app"], "loopback": address}
    Connection.objects.create(source=source, settings=settings, secrets=credentials.seal({"access_token": "x"}))
    return source


def resident() -> int:
    """Return how many MB of memory this process holds."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024**2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--port-file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_known_args()[0]
    if given.serve is not None:
        serve(given.serve, given.port_file)
        return
    with measured_database(EARSHOT_ALLOW_LOOPBACK="yes") as folder:
        found = measure(given.rows, folder)
    report("memory of a worker that pulls from an application", found)


if __name__ == "__main__":
    main()
