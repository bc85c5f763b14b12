"""The command line starts the embedded database for commands that need one, and for no other."""

from pathlib import Path

import pytest

from manage import local_secret_key, needs_database
from tests.config.processes import command


@pytest.mark.parametrize(
    ("line", "wanted"),
    [("migrate", True), ("up --port 1", True), ("", False), ("help", False), ("migrate --help", False)],
)
def test_only_commands_that_use_it_start_the_database(line: str, *, wanted: bool) -> None:
    assert needs_database(line.split()) is wanted


def test_a_command_without_database_leaves_no_server_behind(tmp_path: Path) -> None:
    with command("version", EARSHOT_DATA_DIR=str(tmp_path)) as version:
        assert version.wait(timeout=120) == 0
    assert not (tmp_path / "postgres").exists()


def test_an_installation_keeps_the_key_it_made(tmp_path: Path) -> None:
    key = local_secret_key(tmp_path)
    assert len(key) > 60
    assert local_secret_key(tmp_path) == key
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


@pytest.mark.parametrize(
    ("line", "variables", "said"),
    [
        ("version", {"EARSHOT_MODLE": "x"}, "A setting cannot be used. Unknown settings: EARSHOT_MODLE."),
        ("version", {"EARSHOT_OAUTH_CLIENTS": "secret"}, "A setting cannot be used. EARSHOT_OAUTH_CLIENTS: expected"),
        ("version", {"EARSHOT_DATA_DIR": "/proc/nowhere"}, "Nothing can be kept in /proc/nowhere"),
        ("up --port 70000 --help", {}, "70000 is not a port: choose one from 1 to 65535"),
        ("up --port 0 --help", {}, "0 is not a port: choose one from 1 to 65535"),
    ],
)
def test_what_cannot_be_used_is_named_in_a_line(
    tmp_path: Path, line: str, variables: dict[str, str], said: str
) -> None:
    with command(*line.split(), **{"EARSHOT_DATA_DIR": str(tmp_path)} | variables) as refused:
        output, _ = refused.communicate(timeout=120)
    assert said in output
    assert "Traceback" not in output
    assert "secret" not in output
    assert refused.returncode != 0
