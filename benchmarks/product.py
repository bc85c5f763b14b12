"""A product of its own for a benchmark: started in an empty folder, stopped and removed afterwards."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from config.embedded_postgres import running

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("EARSHOT_BENCH_DATA", ROOT.parent / "shared" / "data"))


@dataclass(frozen=True, slots=True)
class Product:
    """A running product with one project."""

    address: str
    environment: dict[str, str]
    project: dict[str, Any]

    @property
    def credentials(self) -> tuple[str, str]:
        """Key and secret of the project."""
        return self.project["api_key"], self.project["secret_key"]

    def get(self, path: str, **query: Any) -> Any:
        """Read `/api/v1/<path>`."""
        headers = {"Authorization": f"Bearer {self.project['token']}"}
        answer = requests.get(f"{self.address}/api/v1/{path}", params=query, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def manage(self, *arguments: str) -> str:
        """Run a management command against it and return what it prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True)
        return done.stdout


class Poster:
    """A client with one connection that stays open; it takes little of the cores that it shares with the product."""

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
        self.headers = {"Content-Type": "application/json", **headers}

    def post(self, path: str, body: bytes) -> float:
        """Send a body, and return after how many milliseconds it was answered. Raises RuntimeError unless by a 2xx."""
        began = time.perf_counter()
        self.connection.request("POST", path, body, self.headers)
        answer = self.connection.getresponse()
        said = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{path}: {answer.status} {said[:300]!r}")
        return (time.perf_counter() - began) * 1000


@contextmanager
def running_product(**settings: str) -> Iterator[Product]:
    """Start the product without the sample; raises RuntimeError where it does not answer within two minutes."""
    folder = Path(tempfile.mkdtemp(prefix="earshot-bench-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quota = {"EARSHOT_INGEST_REQUESTS_PER_SECOND": "1000000", "EARSHOT_INGEST_ITEMS_PER_SECOND": "100000000"}
    environment = {**os.environ, "EARSHOT_DATA_DIR": str(folder), **quota, **settings}
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, "manage.py", "up", "--no-sample", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address, process)
        product = Product(address, environment, {})
        made = product.manage("create_project", "Benchmark", "--owner", "bench@example.com", "--json")
        yield Product(address, environment, json.loads(made))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def measured_database(**settings: str) -> Iterator[Path]:
    """Point Django, not yet set up, to an empty database of its own; yield the folder that goes with it."""
    with tempfile.TemporaryDirectory(dir=ROOT / "var") as folder, running(Path(folder) / "postgres") as url:
        os.environ |= {
            "DATABASE_URL": url,
            "SECRET_KEY": "only-for-this-measurement",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "EARSHOT_LOG_LEVEL": "ERROR",
            **settings,
        }
        os.environ.setdefault("EARSHOT_DATA_DIR", str(ROOT / "var"))
        yield Path(folder)


def _wait(address: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError("the product ended while it was starting")
        try:
            if requests.get(f"{address}/healthz", timeout=10).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.2)
    raise RuntimeError("the product did not answer")


def percentile(values: list[float], share: float) -> float:
    """Return the value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def report(name: str, rows: list[dict[str, Any]]) -> None:
    """Print figures as a table, then as one line of JSON."""
    print(f"\n## {name}")
    for row in rows:
        print("  " + "  ".join(f"{key}={value}" for key, value in row.items()))
    print(json.dumps({"benchmark": name, "rows": rows}, default=str))
