"""kill -9 of web servers, workers and the database during ingest and analysis: nothing lost, nothing doubled."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, LiteralString

import psutil  # type: ignore[import-untyped]
import psycopg
import pytest
import requests

from config.embedded_postgres import running as running_database
from tests.config.processes import eventually, family, lives
from tests.product import Product, running

pytestmark = pytest.mark.slow

KILLS = ("web server", "job workers", "database") * 5
BATCH = 10  # items that arrive for each kill
PATIENCE = 120.0  # seconds that the product may take to come back from a kill, on a busy machine
STANDSTILL = 5.0  # seconds without progress after which whoever held what waits is taken for dead
LEASED = "SELECT EXISTS (SELECT FROM feedback_ingest_feedbackitem WHERE lease_until > now())"
END_LEASES = "UPDATE feedback_ingest_feedbackitem SET lease_until = now() WHERE lease_until > now()"


class Sender(threading.Thread):
    """Sends as many batches of items as it is allowed to, each again until it is acknowledged."""

    def __init__(self, product: Product, project: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self.product, self.project = product, project
        self.acknowledged: set[str] = set()
        self.allowed = threading.Semaphore(0)

    def run(self) -> None:
        """Send one batch for each kill, and one after them."""
        for number in range(len(KILLS) + 1):
            self.allowed.acquire()
            while not self._send(range(number * BATCH, (number + 1) * BATCH)):
                time.sleep(0.1)

    def has_sent(self, batches: int) -> bool:
        """Tell whether as many batches are acknowledged."""
        return len(self.acknowledged) == batches * BATCH

    def _send(self, numbers: range) -> bool:
        body = "The calendar sync crashes on my phone, case {}."
        items = [{"unique_id": f"item-{n}", "body": body.format(n), "user_id": f"u{n}"} for n in numbers]
        try:
            answer = self.product.ingest(self.project, *items)
        except requests.RequestException:
            return False
        if answer.status_code == 200:
            self.acknowledged |= {item["unique_id"] for item in items}
        return answer.status_code == 200


def victims(product: Product, kind: str) -> list[psutil.Process]:
    """Return the processes of a kind that live: for the web server and the workers, with all that they started."""
    if kind == "database":
        pid_file = product.folder / "data/postgres/data/postmaster.pid"
        return [psutil.Process(int(pid_file.read_text().split()[0]))]
    mark = {"web server": "gunicorn", "job workers": "worker"}[kind]
    [root] = [child for child in psutil.Process(product.process.pid).children() if mark in child.cmdline()]
    return [process for process in family(root.pid) if lives(process)]


def kill_one(product: Product, kind: str, chance: random.Random) -> bool:
    """Kill a process of a kind; tell whether there was one."""
    try:
        chance.choice(victims(product, kind)).kill()
    except (psutil.NoSuchProcess, FileNotFoundError, IndexError, ValueError):
        return False  # it has not come back from the kill before
    return True


class Database:
    """The product's database, asked beside it; without an answer while it is dead."""

    def __init__(self, url: str) -> None:
        self.url = url

    def run(self, statement: LiteralString) -> bool:
        """Run a statement; tell whether it was run, and of a question, whether the answer is yes."""
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                cursor = connection.execute(statement)
                row = cursor.fetchone() if cursor.description else None
        except psycopg.OperationalError:
            return False
        return row is None or bool(row[0])


class Answers:
    """What the API tells about a project."""

    def __init__(self, product: Product, project: dict[str, Any]) -> None:
        self.address, self.project = product.address, project

    def read(self, path: str, **query: Any) -> Any:
        """Return an answer, or None while there is none to be had."""
        headers = {"Authorization": f"Bearer {self.project['token']}"}
        try:
            answer = requests.get(f"{self.address}/api/v1/{path}", params=query, headers=headers, timeout=30)
        except requests.RequestException:
            return None
        return answer.json() if answer.ok else None

    def all(self, path: str) -> Iterator[Any]:
        """Yield every row of a list."""
        page = self.read(path, limit=100)
        yield from page["results"]
        while page["next"]:
            page = self.read(path, limit=100, cursor=page["next"])
            yield from page["results"]

    @property
    def source(self) -> Any:
        """The source that is sent to."""
        return self.read(f"sources/{self.project['source_id']}/")


class Settling:
    """Asks whether all is analysed, and ends the leases of the dead where nothing moves.

    The leases of the living are left to them: they would have to begin again, and again.
    """

    def __init__(self, database: Database, answers: Answers) -> None:
        self.database, self.answers = database, answers
        self.waiting, self.since = -1, time.monotonic()

    def __call__(self) -> bool:
        """Tell whether nothing waits any longer."""
        source = self.answers.source
        if source and source["waiting"] != self.waiting:
            self.waiting, self.since = source["waiting"], time.monotonic()
        elif time.monotonic() - self.since > STANDSTILL:
            self.database.run(END_LEASES)
            self.since = time.monotonic()
        return self.waiting == 0


def wait_for(condition: Callable[[], object]) -> None:
    assert eventually(condition, seconds=PATIENCE)


def kill_while_it_works(product: Product, sender: Sender, database: Database) -> None:
    """Let items arrive, and kill something before they are all acknowledged, or while a worker reads them."""
    chance = random.Random(3)
    for number, kind in enumerate(KILLS, 1):
        sender.allowed.release()
        if kind == "job workers":
            wait_for(partial(database.run, LEASED))
        wait_for(partial(kill_one, product, kind, chance))
        # What a killed worker held comes back when its lease ends, which would take its time.
        wait_for(partial(database.run, END_LEASES))
        wait_for(partial(sender.has_sent, number))
    sender.allowed.release()
    sender.join(timeout=PATIENCE)
    assert sender.has_sent(len(KILLS) + 1)


def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    with running(tmp_path) as product, running_database(product.folder / "data") as url:
        project, database = product.project("kills"), Database(url)
        sender, answers = Sender(product, project), Answers(product, project)
        sender.start()
        kill_while_it_works(product, sender, database)

        wait_for(Settling(database, answers))
        stored = [item["unique_id"] for item in answers.all("items/")]
        assert sorted(stored) == sorted(sender.acknowledged)
        source = answers.source
        assert source["received"] == len(stored) == source["used"] + source["set_aside"]
        # By id, since a grouping that runs meanwhile may move a mention from one insight to another.
        said = {
            mention["id"]: (mention["item"], mention["start"], mention["end"], mention["kind"], mention["feature"])
            for insight in answers.all("insights/")
            for mention in answers.all(f"insights/{insight['id']}/mentions/")
        }
        assert len(set(said.values())) == len(said)
        assert len({item for item, *_ in said.values()}) == source["used"]
