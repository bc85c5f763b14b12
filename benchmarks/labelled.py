"""Reads the labelled texts that the benchmarks and the training share."""

import json
import os
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("EARSHOT_BENCH_DATA", ROOT / "../shared/data"))
OWN = ROOT / "benchmarks/own_sentences"


def rows(path: Path) -> list[dict[str, Any]]:
    """Read one JSON object a line."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def data_rows(name: str) -> list[dict[str, Any]]:
    """Read one labelled set: its development split, or whichever split the data folder holds instead.

    Raises FileNotFoundError when it holds none.
    """
    folder = DATA / name
    for path in (folder / "dev.jsonl", folder / "test.jsonl", *sorted(folder.glob("*.jsonl"))):
        if path.exists():
            return rows(path)
    raise FileNotFoundError(f"no labelled texts in {folder}")
