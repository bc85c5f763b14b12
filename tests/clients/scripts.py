"""Runs what users of a published client would write, in a process of its own against a server on loopback."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

MOST_SECONDS = 90


def run_python(python: Path, script: str, folder: Path, **variables: str) -> Any:
    """Run a script with this Python; return what it printed last, read as JSON.

    `variables` are its environment, beside the path. Raises AssertionError with its output where it fails.
    """
    return _run([str(python), "-W", "ignore", "-c", script], folder, variables)


def run_node(node_folder: Path, script: str, folder: Path, **variables: str) -> Any:
    """Run an ECMAScript module that finds the packages of `node_folder`; else as `run_python`."""
    module = node_folder / f"{folder.name}.mjs"
    module.write_text(script, encoding="utf-8")
    try:
        return _run(["node", str(module)], folder, variables)
    finally:
        module.unlink()


def _run(command: list[str], folder: Path, variables: dict[str, str]) -> Any:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "NO_PROXY": "127.0.0.1,localhost"} | variables
    said, complained = folder / "stdout", folder / "stderr"
    # Into files: a pipe that nobody empties while the server is in this very process would stop both.
    with said.open("wb") as stdout, complained.open("wb") as stderr:
        status = subprocess.run(
            command, cwd=folder, env=environment, stdout=stdout, stderr=stderr, timeout=MOST_SECONDS, check=False
        ).returncode
    lines = said.read_text(encoding="utf-8").splitlines()
    output = "\n".join([*lines[-40:], complained.read_text(encoding="utf-8")[-6_000:]])
    assert status == 0, f"the client ended with {status}:\n{output}"
    assert lines, f"the client printed nothing:\n{output}"
    return json.loads(lines[-1])
