"""How fast feedback comes in: items a second through the API, and the storage step beside COPY into the same table."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from typing import Any

import msgspec
import requests

from benchmarks.product import ROOT, Product, percentile, report, running_product

CLIENTS = 4
ITEMS = 20_000
WORDS = "export calendar sync invoice route crash login slow love please add dark mode price update map photo".split()


def make_items(count: int, seed: int, *, parts: int = 0, body: int = 14) -> list[dict[str, Any]]:
    """Return generated items of `body` words, each with `parts` conversation parts."""
    chance = random.Random(seed)
    words = chance.choices(WORDS, k=count * body)
    return [
        {
            "unique_id": f"{seed}-{number}",
            "body": " ".join(words[number * body : number * body + body]),
            "author": f"Person {chance.randrange(10_000)}",
            "user_id": f"u{chance.randrange(10_000)}",
            "created_at": f"2026-{chance.randrange(1, 11):02}-{chance.randrange(1, 28):02}T10:00:00Z",
            **(
                {
                    "conversation_parts": [
                        {"unique_id": f"{seed}-{number}-{part}", "body": " ".join(chance.choices(WORDS, k=body))}
                        for part in range(parts)
                    ]
                }
                if parts
                else {}
            ),
        }
        for number in range(count)
    ]


def drive(product: Product, batches: list[list[dict[str, Any]]], clients: int = CLIENTS) -> dict[str, Any]:
    """Send batches from several clients at once; return items a second and the latencies in milliseconds."""
    bodies = [json.dumps({"source_id": product.project["source_id"], "items": batch}) for batch in batches]
    queue, latencies, lock = iter(bodies), [], threading.Lock()

    def client() -> None:
        with requests.Session() as session:
            session.auth = product.credentials
            session.headers["Content-Type"] = "application/json"
            while True:
                with lock:
                    body = next(queue, None)
                if body is None:
                    return
                began = time.perf_counter()
                answer = session.post(f"{product.address}/api/1/ai-feedback/ingest", data=body, timeout=120)
                answer.raise_for_status()
                with lock:
                    latencies.append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    sent = sum(len(batch) for batch in batches)
    return {
        "items_per_second": round(sent / seconds),
        "p50_ms": round(percentile(latencies, 0.5), 1),
        "p95_ms": round(percentile(latencies, 0.95), 1),
    }


def batches_of(items: list[dict[str, Any]], size: int) -> list[list[dict[str, Any]]]:
    """Cut items into requests."""
    return [items[start : start + size] for start in range(0, len(items), size)]


STORAGE = """
import json, os, sys, time
from config.embedded_postgres import hold
from pathlib import Path
os.environ["DATABASE_URL"] = hold(Path(os.environ["EARSHOT_DATA_DIR"]))
os.environ["SECRET_KEY"] = "benchmark"
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from benchmarks.ingest import compare_with_copy
print(json.dumps(compare_with_copy(sys.argv[1])))
"""


def compare_with_copy(source_id: str) -> dict[str, Any]:
    """Store the same rows by our upsert and by COPY of a pre-encoded block; return both and their ratio."""
    from django.db import connection, transaction

    from feedback_ingest.services import ingest_items
    from feedback_ingest.wire import Envelope, read_items
    from sources.models import Source

    source = Source.objects.get(pk=source_id)
    encoded = [json.dumps(item).encode() for item in make_items(10_000, seed=91)]
    raws = [
        read_items(Envelope("x", [msgspec.Raw(item) for item in encoded[start : start + 100]]))[0]
        for start in range(0, len(encoded), 100)
    ]
    began = time.perf_counter()
    for items in raws:
        ingest_items(source, items)
    ours = 10_000 / (time.perf_counter() - began)
    columns = "project_id, source_id, unique_id, body, author, user_id, created_at, received_at, state"
    blocks = [
        "".join(
            f"{source.project_id}\t{source.pk}\tcopy-{item.unique_id}\t{item.body}\t{item.author}\t{item.user_id}"
            f"\t{item.created_at}\t{item.created_at}\twaiting\n"
            for item in items
        ).encode()
        for items in raws
    ]
    began = time.perf_counter()
    for block in blocks:
        statement = f"COPY feedback_ingest_feedbackitem ({columns}) FROM STDIN"
        with transaction.atomic(), connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(block)
    copied = 10_000 / (time.perf_counter() - began)
    return {"ours": round(ours), "copy": round(copied), "ratio": round(ours / copied, 2)}


def storage(product: Product) -> dict[str, Any]:
    """Run the comparison in a process of its own, beside the running product."""
    command = [sys.executable, "-c", STORAGE, product.project["source_id"]]
    done = subprocess.run(command, cwd=ROOT, env=product.environment, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure P1 to P4."""
    # Analysis would compete for the two cores; how the two get along is measured by `analysis`.
    os.environ["EARSHOT_WORKERS"] = "1"
    with running_product() as product:
        items = make_items(ITEMS, seed=1)
        fresh = drive(product, batches_of(items, 100))
        again = drive(product, batches_of(items, 100))
        half = make_items(2_000, seed=1, parts=2)
        rows = [
            {"goal": "P1 new items", **fresh},
            {"goal": "P2 all conflict", **again},
            {"goal": "P2 half new parts", **drive(product, batches_of(half, 100))},
            {"goal": "P3 one item", **drive(product, batches_of(make_items(800, seed=3), 1))},
            {"goal": "P4 100 items x 50 parts", **drive(product, batches_of(make_items(1_000, seed=4, parts=50), 100))},
            {"goal": "P1 storage beside COPY", **storage(product)},
        ]
        report("ingest", rows)


if __name__ == "__main__":
    main()
