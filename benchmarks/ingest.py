"""How fast feedback comes in: items a second through the API, and the storage step beside COPY into the same table."""

import base64
import json
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks.product import Poster, Product, measured_database, percentile, report, running_product

if TYPE_CHECKING:
    from sources.items import RawItem
    from sources.models import Source

CLIENTS = 4
ITEMS = 20_000
STORED = 10_000
COPY = """
COPY feedback_ingest_feedbackitem (project_id, source_id, unique_id, body, author, email, user_id, url, metadata,
    rating, created_at, language, given, received_at) FROM STDIN
"""
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


def drive(product: Product, batches: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """Send batches from several clients at once; return items a second and the latencies in milliseconds."""
    source = product.project["source_id"]
    bodies = iter([json.dumps({"source_id": source, "items": batch}).encode() for batch in batches])
    secret = base64.b64encode(":".join(product.credentials).encode()).decode()

    def client(_number: int) -> list[float]:
        poster = Poster(product.address, {"Authorization": f"Basic {secret}"})
        # A step of an iterator over a list is atomic: no two clients get the same body.
        return [poster.post("/api/1/ai-feedback/ingest", body) for body in bodies]

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        latencies = [latency for taken in clients.map(client, range(CLIENTS)) for latency in taken]
    seconds = time.perf_counter() - began
    return {
        "items_per_second": round(sum(map(len, batches)) / seconds),
        "p50_ms": round(percentile(latencies, 0.5), 1),
        "p95_ms": round(percentile(latencies, 0.95), 1),
    }


def batches_of(items: list[dict[str, Any]], size: int) -> list[list[dict[str, Any]]]:
    """Cut items into requests."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def storage() -> dict[str, Any]:
    """Store rows by our upsert and by COPY of a pre-encoded block, in turn; return both rates and their ratio.

    COPY fills the same columns of the same table, with its indexes and its search vector, a hundred rows in a
    transaction, and does nothing of what we do besides: it finds no conflicts, counts nothing and wakes nobody.
    """
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction

    from feedback_ingest.services import ingest_items
    from sources.models import Source
    from tests.factories import make_project, make_source

    call_command("migrate", verbosity=0)
    source = make_source(make_project(), kind=Source.Kind.WEBHOOK)
    ours = copied = 0.0
    for items in decoded_batches(make_items(STORED, seed=91)):
        block = copy_block(source, items)
        began = time.perf_counter()
        ingest_items(source, items)
        ours += time.perf_counter() - began
        began = time.perf_counter()
        with transaction.atomic(), connection.cursor() as cursor, cursor.copy(COPY) as copy:
            copy.write(block)
        copied += time.perf_counter() - began
    return {"ours": round(STORED / ours), "copy": round(STORED / copied), "ratio": round(copied / ours, 2)}


def decoded_batches(items: list[dict[str, Any]]) -> list[list["RawItem"]]:
    """Return items as the API hands them on, a hundred at a time."""
    from feedback_ingest.wire import Envelope, read_items

    encoded = [msgspec.Raw(json.dumps(item).encode()) for item in items]
    return [read_items(Envelope("", encoded[start : start + 100]))[0] for start in range(0, len(encoded), 100)]


def copy_block(source: "Source", items: list["RawItem"]) -> bytes:
    """Return items as rows of `COPY`, under ids of their own."""
    lines = (
        (source.project_id, source.pk, f"copy-{item.unique_id}", item.body, item.author, "\\N", item.user_id, "\\N",
         "\\N", "\\N", item.created_at, "\\N", 139, item.created_at)
        for item in items
    )  # fmt: skip
    return "".join("\t".join(map(str, line)) + "\n" for line in lines).encode()


def main() -> None:
    """Measure P1 to P4."""
    # Analysis competes for the two cores; how the two get along is measured by `backlog`. One item a request
    # comes first, while no backlog of the others is being analysed.
    os.environ["EARSHOT_WORKERS"] = "1"
    with running_product() as product:
        drive(product, batches_of(make_items(40, seed=2), 1))
        items = make_items(ITEMS, seed=1)
        threads = make_items(2_000, seed=5, parts=2)
        begun = [thread | {"conversation_parts": thread["conversation_parts"][:1]} for thread in threads]
        rows = [
            {"goal": "P3 one item", **drive(product, batches_of(make_items(800, seed=3), 1))},
            {"goal": "P1 new items", **drive(product, batches_of(items, 100))},
            {"goal": "P2 all conflict", **drive(product, batches_of(items, 100))},
            {"goal": "threads of two parts", **drive(product, batches_of(make_items(2_000, seed=6, parts=2), 100))},
        ]
        drive(product, batches_of(begun, 100))
        rows += [
            {"goal": "P2 threads of two parts, one of them known", **drive(product, batches_of(threads, 100))},
            {"goal": "P4 100 items x 50 parts", **drive(product, batches_of(make_items(1_000, seed=4, parts=50), 100))},
        ]
    with measured_database():
        rows.append({"goal": "P1 storage beside COPY", **storage()})
    report("ingest", rows)


if __name__ == "__main__":
    main()
