"""The house stands as it was drawn: imports point one way, and what is forbidden is not there."""

import ast
import re
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("projects", "privacy", "sources", "feedback_ingest", "insights", "review")
# Wiring that an app may use: the shape of errors; and the one command that opens the embedded database.
FROM_CONFIG = {"config.errors"}
EXCEPTIONS = {("projects/management/commands/postgres.py", "config.embedded_postgres")}


def modules(folder: str) -> Iterator[Path]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        if "migrations" not in path.parts:
            yield path


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("app", APPS)
def test_an_app_imports_only_what_stands_to_its_left(app: str) -> None:
    allowed = APPS[: APPS.index(app) + 1]
    wrong = []
    for path in modules(app):
        name = str(path.relative_to(ROOT))
        for target in imports(path):
            top = target.split(".")[0]
            if top in APPS and top not in allowed:
                wrong.append((name, target))
            if top == "config" and not any(target == one or target.startswith(one + ".") for one in FROM_CONFIG):
                wrong.append((name, target))
    wrong = [pair for pair in wrong if not any(pair[0] == path and pair[1].startswith(to) for path, to in EXCEPTIONS)]
    assert [pair for pair in wrong if pair[1] != "config"] == []


def test_config_imports_apps_only_for_settings_and_urls() -> None:
    wrong = [
        (path.name, target)
        for path in modules("config")
        if path.name not in ("settings.py", "urls.py")
        for target in imports(path)
        if target.split(".")[0] in APPS
    ]
    assert wrong == []


def test_only_two_modules_know_guardian() -> None:
    askers = {
        str(path.relative_to(ROOT))
        for app in APPS
        for path in modules(app)
        if any(target.split(".")[0] == "guardian" for target in imports(path))
    }
    assert askers == {"projects/access.py", "projects/services.py"}


def test_only_one_module_talks_to_a_model() -> None:
    callers = {
        str(path.relative_to(ROOT))
        for app in APPS
        for path in modules(app)
        if any(target.split(".")[0] == "openai" for target in imports(path))
    }
    assert callers <= {"insights/llm/client.py"}


def test_modules_are_named_for_their_subject() -> None:
    vague = {"utils.py", "helpers.py", "common.py", "core.py", "misc.py"}
    assert [path for app in (*APPS, "config") for path in modules(app) if path.name in vague] == []


def locked(name: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(r"^([a-z0-9][a-z0-9._-]*)==", text, re.MULTILINE)


def test_nothing_that_is_shipped_is_under_the_gpl() -> None:
    wrong = []
    for package in locked("requirements.lock"):
        try:
            about: Any = metadata(package)
        except PackageNotFoundError:
            continue
        licence = f"{about.get('License-Expression', '')} {about.get('License', '')[:80]}"
        licence += " ".join(value for key, value in about.items() if key == "Classifier" and "License" in value)
        if re.search(r"\bA?GPL", licence) and "LGPL" not in licence:
            wrong.append(package)
    assert wrong == []


def test_no_address_of_an_index_stands_in_the_repository() -> None:
    found = subprocess.run(
        ["git", "grep", "-nIE", r'"resolved": *"(http|file)|^--(extra-)?index-url|@ *file://', "--", "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in found.stdout.splitlines() if not line.startswith("tests/test_architecture.py")]
    assert lines == []
