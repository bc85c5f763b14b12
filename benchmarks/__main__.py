"""Run benchmarks: all of them, or those named, as in `python -m benchmarks ingest main_job`."""

import importlib
import sys

ALL = ("encoder", "kinds", "titles", "clustering", "ingest", "backlog", "lists", "review_queue", "verdicts", "main_job")


def main() -> None:
    """Run each benchmark's `main`."""
    for name in sys.argv[1:] or ALL:
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
