"""Reads the data files of the sample project and turns their ages into moments."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def read_lines(name: str) -> list[dict[str, Any]]:
    """Return the objects of `<name>.jsonl`, one a line, as they are stored."""
    text = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def dated(value: Any, now: datetime) -> Any:
    """Replace every age in days by the moment it stands for, counted back from `now`.

    `days_ago` becomes `created_at`, `started_days_ago` becomes `started_at`, and so on at any depth; an age
    of null stays null. Raises ValueError when `now` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("The sample needs a moment with a time zone.")
    if isinstance(value, list):
        return [dated(entry, now) for entry in value]
    if not isinstance(value, dict):
        return value
    return dict(_dated_entry(key, entry, now) for key, entry in value.items())


def _dated_entry(key: str, entry: Any, now: datetime) -> tuple[str, Any]:
    if key != "days_ago" and not key.endswith("_days_ago"):
        return key, dated(entry, now)
    stem = key.removesuffix("days_ago").rstrip("_") or "created"
    return f"{stem}_at", None if entry is None else now - timedelta(days=entry)
