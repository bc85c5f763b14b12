"""Measures the sentence encoder: sentences a second on one thread, by length: `python -m benchmarks.encoder`."""

import json
import os
import resource
import time
from pathlib import Path

from insights.local.encoder import Encoder

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("EARSHOT_BENCH_DATA", ROOT / "../shared/data"))
MODELS = Path(os.environ.get("EARSHOT_DATA_DIR", ROOT / "var")) / "models"
SAMPLE = 400
SETS = {"short (clinc150)": "clinc150", "medium (banking77)": "banking77", "long (minibar_cluster)": "minibar_cluster"}


def sample(name: str) -> list[str]:
    with (DATA / name / "dev.jsonl").open() as lines:
        texts = sorted({str(json.loads(line)["text"]) for line in lines})
    return texts[:: max(1, len(texts) // SAMPLE)][:SAMPLE]


def main() -> None:
    """Print a table and, last, the figures as one line of JSON."""
    begun = time.perf_counter()
    encoder = Encoder(MODELS)
    encoder.encode(["warm up"])
    figures = {"first vector, seconds": time.perf_counter() - begun}
    print("| texts | mean characters | texts a second |\n|---|---|---|")
    for title, name in SETS.items():
        texts = sample(name)
        begun = time.perf_counter()
        encoder.encode(texts)
        figures[title] = len(texts) / (time.perf_counter() - begun)
        print(f"| {title} | {sum(map(len, texts)) / len(texts):.0f} | {figures[title]:.0f} |")
    figures["peak memory, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"model": encoder.name, **figures}))


if __name__ == "__main__":
    main()
