"""The main job on real input: 9,709 app reviews through the ingest API, to insights with verified quotes."""

import argparse
import json
import random
import time
from collections.abc import Iterator
from typing import Any

import requests

from benchmarks.product import DATA, Product, report, running_product

REVIEWS = DATA / "app_reviews" / "reviews.jsonl"
SHOWN = 20
JUDGED = 50
SEED = 20


def send(product: Product, texts: list[str]) -> dict[str, Any]:
    """Send all texts, 100 a request, as a plain client does; return what was taken."""
    taken = {"ingested": 0, "failed": 0}
    with requests.Session() as client:
        client.auth = product.credentials
        for start in range(0, len(texts), 100):
            items = [
                {"unique_id": f"review-{number}", "body": text}
                for number, text in enumerate(texts[start : start + 100], start)
            ]
            body = {"source_id": product.project["source_id"], "items": items}
            answer = client.post(f"{product.address}/api/1/ai-feedback/ingest", json=body, timeout=60)
            answer.raise_for_status()
            taken = {name: taken[name] + answer.json()[name] for name in taken}
    return taken


def watch(product: Product, started: float) -> tuple[float, float]:
    """Wait until nothing waits; return the seconds to the first insight and to the end."""
    first = 0.0
    while True:
        source = product.get(f"sources/{product.project['source_id']}/")
        if not first and product.get("insights/", limit=1)["total"]:
            first = time.monotonic() - started
        if not source["waiting"] and first:
            return first, time.monotonic() - started
        time.sleep(0.5)


def main() -> None:
    """Send, wait, and print accounting, the top titles, and mentions drawn at random to be judged by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED, help="draws other mentions")
    arguments, _ = parser.parse_known_args()
    if not REVIEWS.exists():
        print(f"SKIPPED: {REVIEWS} is not there; set EARSHOT_BENCH_DATA to the folder of the data sets.")
        return
    texts = [json.loads(line)["text"] for line in REVIEWS.read_text(encoding="utf-8").splitlines()]
    with running_product() as product:
        started = time.monotonic()
        taken = send(product, texts)
        sent = time.monotonic() - started
        first, last = watch(product, started)
        product.manage("analyze")
        source = product.get(f"sources/{product.project['source_id']}/")
        counts = {name: source[name] for name in ("received", "used", "set_aside", "waiting")}
        seconds = {"sent": round(sent, 1), "first_insight": round(first, 1), "last": round(last, 1)}
        report("main job", [taken | counts | seconds])
        report("top titles", list(titles(product)))
        report("mentions drawn at random", drawn(product, arguments.seed))


def titles(product: Product) -> list[dict[str, Any]]:
    """Return the insights with most people."""
    found = product.get("insights/", limit=SHOWN)["results"]
    return [{"people": row["people"], "kind": row["kind"], "title": row["title"]} for row in found]


def drawn(product: Product, seed: int) -> list[dict[str, Any]]:
    """Return mentions drawn at random from the whole run."""
    rows = [
        {"kind": mention["kind"], "title": insight["title"], "quote": mention["quote"]}
        for insight in every(product, "insights/")
        for mention in every(product, f"insights/{insight['id']}/mentions/")
    ]
    rows.sort(key=lambda row: (row["quote"], row["kind"]))
    return random.Random(seed).sample(rows, min(JUDGED, len(rows)))


def every(product: Product, path: str) -> Iterator[dict[str, Any]]:
    """Yield a whole list, page by page."""
    query: dict[str, Any] = {"limit": 100}
    while True:
        page = product.get(path, **query)
        yield from page["results"]
        if not page["next"]:
            return
        query["cursor"] = page["next"]


if __name__ == "__main__":
    main()
