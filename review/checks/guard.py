"""Trying patterns and schemas that somebody typed in, within a time that nothing can exceed.

A backtracking engine takes exponential time for some patterns, and holds the interpreter while it does. So it
runs in a process of its own, with limits of time and memory, and is killed when they are passed. That keeps the
syntax that people know, needs no other engine, and bounds the patterns inside JSON schemas too.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

SECONDS: Final = 3.0
TOO_LONG: Final = "This check took too long and was stopped."
_CHILD: Final = Path(__file__).with_name("child.py")


def problems_of(tasks: Sequence[dict[str, Any]]) -> list[str]:
    """Return what is wrong with the answer of each task, nothing where all is well.

    A task has an `answer`, and a `pattern` or a `schema`. Tasks run in turn; from the one that takes too long
    on, none has been tried.
    """
    if not tasks:
        return []
    try:
        ran = subprocess.run(  # noqa: S603 (our own script; what was typed in goes through its standard input)
            [sys.executable, "-I", str(_CHILD)],
            input=json.dumps(tasks).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
        written = ran.stdout
    except subprocess.TimeoutExpired as error:
        written = error.stdout or b""
    found = [json.loads(line) for line in written.decode().splitlines(keepends=True) if line.endswith("\n")]
    return found + [TOO_LONG] * (len(tasks) - len(found))
