"""kill -9 of web servers, workers and the database during ingest and analysis: nothing lost, nothing doubled."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
import requests

from tests.config.processes import command, environment, eventually, family, free_port, is_keeper, lives, read_until

pytestmark = [
    pytest.mark.slow,
    # Its waits are for a machine that does nothing else; `make kills` runs it alone.
    pytest.mark.skipif("EARSHOT_TEST_KILLS" not in os.environ, reason="needs the machine to itself: make kills"),
]

ROOT = Path(__file__).resolve().parent.parent
ITEMS = 200
KILLS = 14


class Sender(threading.Thread):
    """Sends items until told to stop, each again until it is acknowledged."""

    def __init__(self, address: str, project: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self.address, self.project = address, project
        self.acknowledged: set[str] = set()

    def run(self) -> None:
        """Send the items ten at a time, five times over."""
        batches = [range(start, start + 10) for start in range(0, ITEMS, 10)]
        for batch in batches:
            items = [
                {
                    "unique_id": f"item-{n}",
                    "body": f"The calendar sync crashes on my phone, case {n}.",
                    "user_id": f"u{n}",
                }
                for n in batch
            ]
            while not self._send(items):
                time.sleep(0.2)

    def _send(self, items: list[dict[str, Any]]) -> bool:
        try:
            answer = requests.post(
                f"{self.address}/api/1/ai-feedback/ingest",
                json={"source_id": self.project["source_id"], "items": items},
                auth=(self.project["api_key"], self.project["secret_key"]),
                timeout=30,
            )
        except requests.RequestException:
            return False
        if answer.status_code == 200:
            self.acknowledged |= {item["unique_id"] for item in items}
        return answer.status_code == 200


def victims(product: "subprocess.Popen[str]", data_dir: Path) -> list[psutil.Process]:
    """Return every process that may die: all of the tree but its root, and the database."""
    tree = [process for process in family(product.pid)[1:] if lives(process) and not is_keeper(process)]
    pid_file = data_dir / "postgres/data/postmaster.pid"
    if pid_file.exists():
        tree.append(psutil.Process(int(pid_file.read_text().split()[0])))
    return tree


END_LEASES = """
from django.utils import timezone
from feedback_ingest.models import FeedbackItem
FeedbackItem.objects.filter(lease_until__gt=timezone.now()).update(lease_until=timezone.now())
"""


def end_leases(folder: str) -> bool:
    """End the leases of killed workers; tell whether the database was there to do it."""
    call = [sys.executable, "manage.py", "shell", "-c", END_LEASES]
    done = subprocess.run(call, cwd=ROOT, env=environment(EARSHOT_DATA_DIR=folder), capture_output=True, check=False)
    return done.returncode == 0


def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    folder = str(tmp_path / "installation")
    with command("up", "--no-sample", "--port", str(port), EARSHOT_DATA_DIR=folder) as product:
        read_until(product, "Ctrl-C stops it")
        # What dying processes log must not fill the pipe, or the living would wait for a reader.
        threading.Thread(target=lambda: list(product.stdout or ()), daemon=True).start()
        made = subprocess.run(
            [sys.executable, "manage.py", "create_project", "Kills", "--owner", "k@example.com", "--json"],
            cwd=ROOT,
            env=environment(EARSHOT_DATA_DIR=folder),
            check=True,
            capture_output=True,
            text=True,
        )
        project = json.loads(made.stdout)
        sender = Sender(address, project)
        sender.start()
        chance = random.Random(3)
        for _ in range(KILLS):
            time.sleep(0.7)
            try:
                chance.choice(victims(product, Path(folder))).kill()
            except (psutil.NoSuchProcess, IndexError, ValueError):
                continue
        sender.join(timeout=120)
        assert len(sender.acknowledged) == ITEMS

        def read(path: str, **query: Any) -> Any:
            headers = {"Authorization": f"Bearer {project['token']}"}
            try:
                answer = requests.get(f"{address}/api/v1/{path}", params=query, headers=headers, timeout=30)
            except requests.RequestException:
                return None
            return answer.json() if answer.ok else None

        def is_settled() -> bool:
            source = read(f"sources/{project['source_id']}/")
            return bool(source and source["received"] == ITEMS and not source["waiting"])

        # Whatever a killed worker held comes back when its lease ends, or by hand, which is quicker here.
        assert eventually(lambda: end_leases(folder), seconds=180)
        assert eventually(is_settled, seconds=150)
        source = read(f"sources/{project['source_id']}/")
        assert source["received"] == source["used"] + source["set_aside"]
        # By id, since a grouping that runs meanwhile may move a mention from one insight to another.
        said = {
            mention["id"]: (mention["item"], mention["start"], mention["end"], mention["kind"], mention["feature"])
            for insight in read("insights/", limit=100)["results"]
            for mention in read(f"insights/{insight['id']}/mentions/", limit=100)["results"]
        }
        assert said
        assert len(set(said.values())) == len(said)
