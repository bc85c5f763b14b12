"""Reads one file in a process of its own and reports the refusal, the CPU seconds and the growth of memory."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Measured:
    """`code` is None when the file was read to its end; `megabytes` is the growth of the peak memory."""

    code: str | None
    rows: int
    seconds: float
    megabytes: float


def measure(path: Path) -> Measured:
    """Read the file as the import does, by its suffix."""
    output = subprocess.run(
        [sys.executable, "-m", "tests.sources.measuring", str(path)],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout
    return Measured(**json.loads(output))


def _peak() -> float:
    # getrusage would count the memory of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _main(path: Path) -> None:
    from sources.files import FileRefused, document_items, inspect, rows

    before, began = _peak(), time.process_time()
    code, count = None, 0
    try:
        with path.open("rb") as stream:
            if path.suffix == ".docx":
                results = document_items(stream)
            else:
                results = rows(stream, inspect(stream).guessed_mapping)
            count = sum(1 for _ in results)
    except FileRefused as refusal:
        code = refusal.code
    seconds = time.process_time() - began
    json.dump({"code": code, "rows": count, "seconds": seconds, "megabytes": _peak() - before}, sys.stdout)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
