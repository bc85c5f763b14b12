"""Tries patterns and schemas in a process of its own, which may be killed; run as a script, never imported."""

import json
import re
import resource
import sys
from typing import Any

CPU_SECONDS = 5
MEMORY_BYTES = 1024 * 1024 * 1024


def main() -> None:
    """Read tasks from standard input, and write a line for each: what is wrong, or nothing."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for task in json.load(sys.stdin):
        sys.stdout.write(json.dumps(problem_of(task)) + "\n")
        sys.stdout.flush()


def problem_of(task: dict[str, Any]) -> str:
    """Say what is wrong with an answer, or return nothing."""
    if "pattern" in task:
        return "" if re.search(task["pattern"], task["answer"]) else "The pattern is not found."
    return schema_problem(task["schema"], task["answer"])


def schema_problem(schema: dict[str, Any], answer: str) -> str:
    """Say where JSON does not fit its schema, or return nothing."""
    # Only schemas need it, and it takes longer to load than all the rest.
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
    from referencing import Registry

    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return "The answer is not JSON."
    # A registry of its own fetches nothing.
    for error in Draft202012Validator(schema, registry=Registry()).iter_errors(value):
        return f"At {error.json_path}: {error.message[:200]}"
    return ""


if __name__ == "__main__":
    main()
