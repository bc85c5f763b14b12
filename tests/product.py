"""The product as its users run it: `manage.py up` in a folder of its own, for tests to talk to."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.config.processes import ROOT, command, environment, eventually, family, free_port, is_keeper, lives
from tests.database import locked, template_name


@dataclass(frozen=True, slots=True)
class Product:
    """A product that runs, where it answers and what it logs."""

    folder: Path
    address: str
    process: "subprocess.Popen[bytes]"

    @property
    def log(self) -> str:
        """All that its processes wrote."""
        return (self.folder / "output.log").read_text(errors="replace")

    def project(self, name: str) -> dict[str, Any]:
        """Make a project; return its credentials."""
        line = [sys.executable, "manage.py", "create_project", name, "--owner", f"{name}@example.com", "--json"]
        variables = environment(EARSHOT_DATA_DIR=str(self.folder / "data"))
        made = subprocess.run(line, cwd=ROOT, env=variables, check=True, capture_output=True, text=True)
        credentials: dict[str, Any] = json.loads(made.stdout)
        return credentials

    def ingest(self, project: dict[str, Any], *items: dict[str, Any]) -> requests.Response:
        """Send items."""
        return requests.post(
            f"{self.address}/api/1/ai-feedback/ingest",
            json={"source_id": project["source_id"], "items": items},
            auth=(project["api_key"], project["secret_key"]),
            timeout=60,
        )


def install(folder: Path) -> Path:
    """Make the data folder of an installation whose database is migrated already; return it.

    It is a copy of one that is made again only when the migrations change, for they are most of a first start.
    """
    made = ROOT / "var" / "test" / f"installation_{template_name()}"
    with locked(made.parent / "installation.lock"):
        if not made.exists():
            for outdated in made.parent.glob("installation_*"):
                shutil.rmtree(outdated)
            draft = Path(tempfile.mkdtemp(dir=made.parent))
            with command("migrate", "-v", "0", EARSHOT_DATA_DIR=str(draft)) as migrating:
                assert migrating.wait() == 0
            draft.rename(made)
        # With the owner of the database's files, who is not always the one who runs the tests.
        subprocess.run(["cp", "-a", str(made), str(folder)], check=True)
    return folder


@contextmanager
def running(folder: Path, *within: str, **variables: str) -> Iterator[Product]:
    """Start the product, its output in a file; `within` is a command that starts it in a place of its own."""
    port = free_port()
    line = [*within, sys.executable, str(ROOT / "manage.py"), "up", "--no-sample", "--port", str(port)]
    settings = environment(EARSHOT_DATA_DIR=str(install(folder / "data")), EARSHOT_LOG_LEVEL="INFO", **variables)
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(line, env=settings, stdout=output, stderr=output, start_new_session=True)
    with process:
        product = Product(folder, f"http://127.0.0.1:{port}", process)
        try:
            assert eventually(lambda: "Ctrl-C stops it" in product.log or process.poll() is not None, seconds=240)
            assert process.poll() is None, product.log
            yield product
        finally:
            process.terminate()
            for left in family(process.pid):
                if lives(left) and not is_keeper(left) and not eventually(lambda: process.poll() is not None):
                    left.kill()
