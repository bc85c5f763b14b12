"""How fast customers' verdicts are taken: `POST /v1/feedback` from several clients at once."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from benchmarks.ingest import WORDS
from benchmarks.product import Poster, Product, percentile, report, running_product

CLIENTS = 4
RUNS = 100
# The first verdicts load what the later ones find loaded.
UNCOUNTED = 20
UNLIMITED = {"EARSHOT_FEEDBACK_PER_TOKEN": "1000000", "EARSHOT_FEEDBACK_PER_ADDRESS": "1000000"}


def register_runs(product: Product) -> list[str]:
    """Register runs that were executed elsewhere; return their feedback tokens."""
    headers = {"Authorization": f"Bearer {product.project['token']}"}
    tokens, chance = [], random.Random(1)
    for _ in range(RUNS):
        asked, said = (" ".join(chance.sample(WORDS, 8)) for _ in range(2))
        body = {"task_input": {"question": asked}, "task_output": said}
        answer = requests.post(f"{product.address}/v1/_/agents/bench/runs", json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        tokens.append(answer.json()["feedback_token"])
    return tokens


def post_verdicts(product: Product, tokens: list[str], outcome: str, client: int) -> list[float]:
    """Judge each run as another user, in an order of their own; return the latencies in milliseconds."""
    poster, user = Poster(product.address, {}), f"{outcome}-{client}"
    mixed = random.Random(client).sample(tokens, len(tokens))
    said = ({"feedback_token": token, "outcome": outcome, "user_id": user} for token in mixed)
    return [poster.post("/v1/feedback", json.dumps(body).encode()) for body in said][UNCOUNTED:]


def measure(product: Product, tokens: list[str], outcome: str) -> dict[str, Any]:
    """Post from all clients at once."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        results = clients.map(lambda client: post_verdicts(product, tokens, outcome, client), range(CLIENTS))
        latencies = [latency for result in results for latency in result]
    return {
        "outcome": outcome,
        "p50_ms": round(percentile(latencies, 0.5), 1),
        "p95_ms": round(percentile(latencies, 0.95), 1),
    }


def main() -> None:
    """Measure negative verdicts, which wait for review, and positive ones, which become golden examples."""
    with running_product(**UNLIMITED) as product:
        tokens = register_runs(product)
        report("verdicts", [measure(product, tokens, outcome) for outcome in ("negative", "positive")])
