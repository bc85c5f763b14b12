"""A dump of the embedded database, restored into another one, is the same database."""

from pathlib import Path

import pytest

from tests.config.processes import command
from tests.product import install

pytestmark = pytest.mark.slow

ROWS = "SELECT string_agg(app || name, ',' ORDER BY id) FROM django_migrations"


def test_a_dump_restores_into_an_empty_installation(tmp_path: Path) -> None:
    dump = str(tmp_path / "earshot.dump")
    install(tmp_path / "old")
    run(tmp_path / "old", "postgres", "pg_dump", "--format=custom", f"--file={dump}")
    run(tmp_path / "new", "postgres", "pg_restore", "--no-owner", "--dbname=earshot", dump)

    before = run(tmp_path / "old", "postgres", "psql", "-At", "-c", ROWS)
    assert "feedback0001_initial" in before
    assert run(tmp_path / "new", "postgres", "psql", "-At", "-c", ROWS) == before


def test_an_unknown_program_is_refused(tmp_path: Path) -> None:
    with command("postgres", "../../../bin/sh", EARSHOT_DATA_DIR=str(tmp_path)) as process:
        output, _ = process.communicate(timeout=300)
    assert "there are" in output
    assert process.returncode == 1


def run(data_dir: Path, *arguments: str) -> str:
    with command(*arguments, EARSHOT_DATA_DIR=str(data_dir)) as process:
        output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output
