"""The whole product as it runs: it needs no network, sheds load with manners, and its logs hold nothing it was told."""

import json
import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.config.processes import eventually
from tests.product import Product, running

pytestmark = pytest.mark.slow
QUOTA = 5  # ingest requests a second
# Loaded by every Python process of the product: notes whom it looks up or connects to.
WATCH = """
import os, sys

def note(line):
    handle = os.open(os.environ["CONNECTIONS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(handle, (line + "\\n").encode())
    os.close(handle)

def watch(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        note(f"to {arguments[1][0]}")
    elif event == "socket.getaddrinfo" and arguments[0]:
        note(f"to {os.fsdecode(arguments[0])}")

note(f"watching {os.getpid()}")
sys.addaudithook(watch)
"""
TRACKING = ("/api/track/", "/api/feedbacks/", "/api/conversations/", "/api/attachments/", "/api/conversations/ingest/")
JUDGING = (
    "/feedback", "/feedback/golden-examples/", "/v1/_/agents", "/v1/chat/completions", "/v1/feedback",
    "/api/v1/golden-examples/", "/api/v1/knowledge/", "/api/v1/sources/", "/api/token/", "/api/token/refresh/",
)  # fmt: skip
LOOPBACK = ("to 127.", "to ::1", "to localhost", "watching ")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product with a small quota."""
    with running(tmp_path_factory.mktemp("product"), EARSHOT_INGEST_REQUESTS_PER_SECOND=str(QUOTA)) as started:
        yield started


def test_too_many_requests_are_refused_with_manners_and_others_are_served(product: Product) -> None:
    loud, quiet = product.project("loud"), product.project("quiet")
    answers: list[requests.Response] = []
    ends = time.monotonic() + 4

    def flood(sender: int) -> None:
        numbers = count()
        while time.monotonic() < ends:
            answers.append(product.ingest(loud, {"unique_id": f"{sender}-{next(numbers)}", "body": "It is slow."}))

    senders = [threading.Thread(target=flood, args=(sender,)) for sender in range(4)]
    for sender in senders:
        sender.start()
    others: list[int] = []
    while time.monotonic() < ends:
        others.append(product.ingest(quiet, {"unique_id": str(len(others)), "body": "I like it."}).status_code)
        time.sleep(0.5)
    for sender in senders:
        sender.join()

    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {200, 429}, statuses
    refused = [answer.headers.get("Retry-After", "") for answer in answers if answer.status_code == 429]
    assert all(after.isdecimal() and int(after) >= 1 for after in refused)
    # The flood may take the first seconds of a clock that is running out; it never takes the others'.
    assert statuses[200] <= QUOTA * 6
    assert others
    assert set(others) == {200}


def test_a_request_in_chunks_is_read_like_any_other(product: Product) -> None:
    project = product.project("chunks")
    body = json.dumps({"source_id": project["source_id"], "items": [{"unique_id": "1", "body": "It is slow."}]})
    answer = requests.post(
        f"{product.address}/api/1/ai-feedback/ingest",
        auth=(project["api_key"], project["secret_key"]),
        data=(piece.encode() for piece in (body[:40], body[40:])),
        headers={"Content-Type": "application/json"},
        timeout=60,
    )
    assert (answer.status_code, answer.json()) == (200, {"ingested": 1, "failed": 0, "errors": []})


class Canaries:
    """Words that occur once in the world, to be looked for where they must not be."""

    def __init__(self) -> None:
        self.sent: dict[str, str] = {}

    def __call__(self, place: str) -> str:
        """Return a word for a place."""
        return self.sent.setdefault(place, f"canary{uuid4().hex}")


def tell_everywhere(product: Product, canary: Canaries) -> None:
    """Say a canary wherever something can be said: rightly, malformed, and where it fails."""
    project = product.project("told")
    bearer = {"Authorization": f"Bearer {project['token']}"}
    agent = {"Authorization": f"Api-Key {project['agent_key']}"}

    def post(path: str, place: str, body: Any, **options: Any) -> int:
        text = body if isinstance(body, str) else json.dumps(body)
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        query = {"token": canary(f"{place} query")}
        answer = requests.post(
            f"{product.address}{path}", text.encode(), params=query, headers=headers, timeout=60, **options
        )
        return answer.status_code

    item = {
        "unique_id": canary("unique id"),
        "body": f"The export crashes. {canary('item body')}",
        "author": canary("author"),
        "email": f"{canary('e-mail')}@example.com",
        "user_id": canary("user id"),
        "metadata": {"account": canary("account")},
    }
    assert eventually(lambda: product.ingest(project, item).status_code == 200)
    product.ingest(project, {"unique_id": "bad", "body": 7, "author": canary("author of a bad item")})
    product.ingest(project, {"unique_id": "nul", "body": f"\x00{canary('item body with NUL')}"})
    ingest = "/api/1/ai-feedback/ingest"
    post(ingest, "malformed ingest", f'{{"items": "{canary("malformed body")}', auth=(project["api_key"], "x"))
    post(ingest, "wrong secret", {}, auth=(canary("public key"), canary("secret key")))
    for path in TRACKING:
        message = {"conversation_id": canary(path), "content": canary(f"{path} content"), "sender": "end_user"}
        post(path, path, message, headers=agent)
        post(path, f"{path} malformed", f'{{"content": "{canary(f"{path} malformed")}', headers=agent)
        post(path, f"{path} refused", message, headers={"Authorization": f"Api-Key ags_{canary(f'{path} key')}"})
    for path in JUDGING:
        word = canary(path)
        body: dict[str, Any] = {
            "reason": word, "feedback_token": word, "original_query": word, "golden_response": word, "id": word,
            "messages": [{"role": "user", "content": word}], "model": word, "name": word, "title": word, "text": word,
            "email": f"{word}@example.com", "password": word, "refresh": word, "comment": word, "outcome": "positive",
            "message_id": word, "feedback_type": "negative", "input_schema": {}, "output_schema": {},
        }  # fmt: skip
        post(path, path, body, headers=bearer)
        post(path, f"{path} NUL", body | {"title": f"\x00{word}", "name": "\x00", "id": f"\x00{word}"}, headers=bearer)
        post(path, f"{path} malformed", f'["{canary(f"{path} malformed")}', headers=bearer)
        post(path, f"{path} refused", body, headers={"Authorization": f"Bearer {canary(f'{path} token')}"})
    post(f"/hooks/{project['source_id']}/{canary('key in an address')}/", "hook", {"text": canary("hook")})
    for path in ("sign-in", "join"):
        requests.get(f"{product.address}/{path}/{canary(f'{path} link')}", timeout=60)
    for path in ("/api/v1/items/", "/api/v1/people/", "/feedback/admin/list", "/account/login/"):
        query = {name: canary(f"{path} {name}") for name in ("q", "search", "email", "cursor", "next", "api_key")}
        requests.get(
            f"{product.address}{path}", params=query, headers=bearer, cookies={"sessionid": canary(path)}, timeout=60
        )
    sign_in_wrongly(product, canary)

    def is_read() -> bool:
        answer = requests.get(f"{product.address}/api/v1/sources/{project['source_id']}/", headers=bearer, timeout=60)
        return bool(answer.ok and answer.json()["received"] and not answer.json()["waiting"])

    assert eventually(is_read, seconds=120)


def sign_in_wrongly(product: Product, canary: Canaries) -> None:
    """Send the form of the page with a password that is wrong, and once without its token."""
    session = requests.Session()
    address = f"{product.address}/account/login/"
    session.get(address, timeout=60)
    form = {"login": f"{canary('login')}@example.com", "password": canary("password")}
    session.post(address, form | {"csrfmiddlewaretoken": session.cookies["csrftoken"]}, timeout=60)
    session.post(address, form, timeout=60)


def test_the_logs_hold_nothing_of_what_was_said(product: Product) -> None:
    canary = Canaries()
    tell_everywhere(product, canary)
    of_database = (product.folder / "data/postgres/server.log").read_text(errors="replace")
    logged = product.log + of_database
    assert "/api/1/ai-feedback/ingest" in logged
    assert "/api/track/" in logged
    assert [place for place, word in canary.sent.items() if word in logged] == []


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare: NOT tried whether it starts without a network")
def test_it_starts_without_a_network_and_looks_for_none(tmp_path: Path) -> None:
    alone = ["unshare", "--net", "--map-root-user"] if os.geteuid() else ["unshare", "--net"]
    with_loopback = [*alone, "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if subprocess.run([*with_loopback, "true"], capture_output=True, check=False).returncode:
        pytest.skip("network namespaces are not permitted: NOT tried whether it starts without a network")
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    noted = tmp_path / "connections.txt"
    with running(tmp_path, *with_loopback, PYTHONPATH=str(tmp_path), CONNECTIONS=str(noted)):
        # Time for the workers to take up their first jobs.
        time.sleep(3)
    lines = noted.read_text().splitlines()
    assert len({line for line in lines if line.startswith("watching")}) > 3
    assert [line for line in lines if not line.startswith(LOOPBACK)] == []
