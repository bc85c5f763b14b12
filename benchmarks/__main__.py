"""Run benchmarks: all of them, or those named, as in `python -m benchmarks ingest main_job --seed=7`."""

import importlib
import sys

ALL = (
    "encoder",
    "kinds",
    "titles",
    "search",
    "clustering",
    "ingest",
    "backlog",
    "lists",
    "review_queue",
    "verdicts",
    "main_job",
)


def main() -> None:
    """Run each benchmark's `main`."""
    named = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    for name in named or ALL:
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
