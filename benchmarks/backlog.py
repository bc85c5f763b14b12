"""How fast a backlog is analysed, what ingest feels of it, and how soon an insight is to be seen.

`python -m benchmarks.backlog --sizes 1000 10000 100000` measures backlogs of these sizes; the largest takes half
an hour. `--parts` measures some of `sizes`, `ingest`, `insight` and `model` alone.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests

from benchmarks.labelled import data_rows
from benchmarks.product import ROOT, Product, percentile, report, running_product
from tests.model_server import Fault, Trouble, model_server

SIZES = (1_000, 10_000)
BATCH = 100
PROBES = 200
MEANWHILE = 10_000
A_SECOND = 10
SECONDS = 30
WARMING = 40
MODEL_SECONDS = 2.0
PATIENCE = 120
SEED = 100
PARTS = ("sizes", "ingest", "insight", "model")


def reviews(count: int) -> list[str]:
    """Return real reviews, long and short ones in every part alike; each has a number once they begin again."""
    texts = [row["text"] for row in data_rows("app_reviews")]
    random.Random(SEED).shuffle(texts)
    rounds = -(-count // len(texts))
    return [text if turn == 0 else f"{text} ({turn})" for turn in range(rounds) for text in texts][:count]


@contextmanager
def empty_product(folder: Path) -> Iterator[None]:
    """Give this process a database of its own in `folder`, with the tables and nothing in them."""
    import manage

    with ExitStack() as stack:
        os.environ |= {"EARSHOT_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings"}
        os.environ.pop("DATABASE_URL", None)
        manage.enter_local_installation(stack, database=True)
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        yield


def analyse(size: int) -> dict[str, Any]:
    """Analyse `size` waiting items on one core, the database on whichever is free, then group them all."""
    from feedback_ingest.services import ingest_items
    from insights.models import Mention
    from insights.pipeline import analyse_project
    from insights.rebuilding import rebuild_insights
    from projects.models import User
    from projects.services import create_project
    from sources.items import RawItem
    from sources.models import Source
    from sources.services import make_source

    owner = User.objects.create_user("bench@example.com")
    project = create_project("Backlog", owner=owner)
    source = make_source(project, Source.Kind.WEBHOOK, "Reviews")
    items = [RawItem(unique_id=f"review-{number}", body=text) for number, text in enumerate(reviews(size))]
    for start in range(0, size, BATCH):
        ingest_items(source, items[start : start + BATCH])
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    analyse_project(project, seconds=0)  # opens the encoder, which takes the same second however much waits
    began, worked = time.perf_counter(), time.process_time()
    analyse_project(project, seconds=None)
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    began, worked = time.perf_counter(), time.process_time()
    rebuild_insights(project)
    return {
        "items": size,
        "items_per_second": round((size - BATCH / 2) / seconds),
        "items_per_cpu_second": round((size - BATCH / 2) / cpu),
        "mentions": Mention.objects.filter(project=project).count(),
        "regrouped_in_s": round(time.perf_counter() - began, 1),
        "regrouped_in_cpu_s": round(time.process_time() - worked, 1),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def backlog(size: int) -> dict[str, Any]:
    """Measure one size in a process and a database of its own."""
    command = [sys.executable, "-m", "benchmarks.backlog", "--measure", str(size)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def send(product: Product, texts: list[str], name: str) -> float:
    """Send texts in one request; return its milliseconds."""
    items = [{"unique_id": f"{name}-{number}", "body": text} for number, text in enumerate(texts)]
    body = {"source_id": product.project["source_id"], "items": items}
    began = time.perf_counter()
    answer = requests.post(
        f"{product.address}/api/1/ai-feedback/ingest", json=body, auth=product.credentials, timeout=60
    )
    answer.raise_for_status()
    return (time.perf_counter() - began) * 1000


def waiting(product: Product) -> int:
    return int(product.get(f"sources/{product.project['source_id']}/")["waiting"])


def probed(product: Product, name: str) -> list[float]:
    """Send single items, twenty a second, and return how long each took."""
    times = []
    for number, text in enumerate(reviews(PROBES)):
        times.append(send(product, [text], f"{name}-{number}"))
        time.sleep(0.05)
    return times


def meanwhile(product: Product) -> dict[str, Any]:
    """Compare ingest of one item while nothing is analysed with the same while much is."""
    probed(product, "warm")
    settle(product)
    idle = probed(product, "idle")
    settle(product)
    texts = reviews(MEANWHILE)
    for start in range(0, MEANWHILE, BATCH):
        send(product, texts[start : start + BATCH], f"backlog-{start}")
    busy = probed(product, "busy")
    return {
        "idle_p95_ms": round(percentile(idle, 0.95), 1),
        "busy_p95_ms": round(percentile(busy, 0.95), 1),
        "ratio": round(percentile(busy, 0.95) / percentile(idle, 0.95), 2),
        "left_waiting": waiting(product),
    }


def warm_up(product: Product) -> None:
    """Let each worker open what it needs, which takes it a second or two, once."""
    for number, text in enumerate(reviews(WARMING)):
        send(product, [text], f"first-{number}")
        time.sleep(0.1)
    settle(product)


def settle(product: Product) -> None:
    """Wait until nothing waits."""
    while waiting(product):
        time.sleep(0.5)


def visible(product: Product) -> dict[str, Any]:
    """Send ten items a second, and tell how long after its 2xx each was analysed, mentions and all.

    Raises TimeoutError when some are not, long after the last was sent.
    """
    warm_up(product)
    before = ended(product)
    sent: list[float] = []
    texts = reviews(A_SECOND * SECONDS)

    def drive() -> None:
        began = time.perf_counter()
        for number, text in enumerate(texts):
            time.sleep(max(0.0, began + number / A_SECOND - time.perf_counter()))
            send(product, [text], f"steady-{number}")
            sent.append(time.perf_counter())

    client = threading.Thread(target=drive)
    client.start()
    delays: list[float] = []
    patience = time.monotonic() + SECONDS + PATIENCE
    while len(delays) < len(texts):
        if time.monotonic() > patience:
            raise TimeoutError(f"{len(texts) - len(delays)} items were not analysed")
        count, now = ended(product) - before, time.perf_counter()
        # Counted, not told apart: of two that end out of turn, each is given the other's delay.
        delays += [now - sent[number] for number in range(len(delays), min(count, len(sent)))]
        time.sleep(0.05)
    client.join()
    return {"p50_s": round(percentile(delays, 0.5), 2), "p95_s": round(percentile(delays, 0.95), 2)}


def visible_with_model() -> dict[str, Any]:
    """Measure the same with a model that takes two seconds for each call. Raises RuntimeError when it is not asked."""
    with model_server() as model:
        model.fail_always(Trouble(Fault.DELAY, MODEL_SECONDS))
        with running_product(OPENAI_BASE_URL=model.url, OPENAI_API_KEY="loopback") as product:
            measured = visible(product)
        if not model.requests:
            raise RuntimeError("the model was not asked")
        return measured | {"model_calls": len(model.requests)}


def ended(product: Product) -> int:
    source = product.get(f"sources/{product.project['source_id']}/")
    return int(source["used"] + source["set_aside"])


def main() -> None:
    """Measure backlogs of several sizes, ingest beside one, and the way from ingest to insight."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="items in each backlog")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    arguments, _ = parser.parse_known_args()
    if arguments.measure:
        with tempfile.TemporaryDirectory(prefix="earshot-bench-") as folder, empty_product(Path(folder)):
            print(json.dumps(analyse(arguments.measure)))
        return
    if "sizes" in arguments.parts:
        report("backlog on one core", [backlog(size) for size in arguments.sizes])
    if "ingest" in arguments.parts:
        with running_product() as product:
            report("ingest while a backlog is analysed", [meanwhile(product)])
    if "insight" in arguments.parts:
        with running_product() as product:
            report("from ingest to insight", [visible(product)])
    if "model" in arguments.parts:
        report("from ingest to insight, with a model", [visible_with_model()])


if __name__ == "__main__":
    main()
