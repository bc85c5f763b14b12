"""The embedded server: one for everybody, there while it is needed, and no longer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import psycopg
import pytest

from config.embedded_postgres import running
from tests.config.processes import ROOT, eventually

HOLD = """
import sys
from pathlib import Path
from config.embedded_postgres import running
with running(Path(sys.argv[1]), disposable=True) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def user(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the server until its input ends."""
    command = [sys.executable, "-c", HOLD, str(data_dir)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    url: str = process.stdout.readline().strip()
    return url


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres/data/postmaster.pid").read_text().split()[0])


def servers(data_dir: Path) -> list[int]:
    """Process ids of the servers and keepers that live on this folder."""
    ours = str(data_dir / "postgres/data"), str(data_dir)
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any("postgres" in word for word in (process.info["cmdline"] or [])[:3])
        and any(word in ours for word in process.info["cmdline"])
    ]


def tell(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
        assert row is not None
        return row[0]


def test_serves_postgresql_with_vectors_and_stops_with_its_last_user(tmp_path: Path) -> None:
    with running(tmp_path, disposable=True) as url:
        tell(url, "CREATE EXTENSION vector")
        assert ask(url, "SELECT '[1,2]'::vector <-> '[1,3]'::vector") == 1.0
        assert ask(url, "SELECT datlocale FROM pg_database WHERE datname = current_database()") == "C.UTF-8"
        pid = postmaster(tmp_path)

    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert eventually(lambda: servers(tmp_path) == [])


def test_an_inner_user_does_not_stop_the_server_of_an_outer_one(tmp_path: Path) -> None:
    with running(tmp_path, disposable=True) as outer:
        with running(tmp_path, disposable=True) as inner:
            assert inner == outer
        assert ask(outer, "SELECT 1") == 1


def test_three_cold_starts_at_once_make_one_server(tmp_path: Path) -> None:
    with ExitStack() as stack:
        users = [stack.enter_context(user(tmp_path)) for _ in range(3)]
        urls = {url_of(process) for process in users}
        starts = {ask(url, "SELECT pg_postmaster_start_time()") for url in urls}

        assert len(urls) == len(starts) == 1


def test_a_server_whose_users_were_all_killed_stops(tmp_path: Path) -> None:
    with user(tmp_path) as process:
        url = url_of(process)
        assert ask(url, "SELECT 1") == 1
        process.kill()

    assert eventually(lambda: servers(tmp_path) == [])


def test_a_server_killed_in_use_comes_back_with_its_data_at_the_same_address(tmp_path: Path) -> None:
    with running(tmp_path, disposable=True) as url:
        tell(url, "CREATE TABLE note AS SELECT 'kept' AS text")
        os.kill(postmaster(tmp_path), signal.SIGKILL)

        assert eventually(lambda: answers(url))
        assert ask(url, "SELECT text FROM note") == "kept"


def answers(url: str) -> bool:
    try:
        return ask(url, "SELECT 1") == 1
    except psycopg.OperationalError:
        return False


def test_the_next_user_recovers_what_a_power_cut_left(tmp_path: Path) -> None:
    with user(tmp_path) as process:
        url = url_of(process)
        tell(url, "CREATE TABLE note AS SELECT 'kept' AS text")
        for pid in servers(tmp_path):
            os.kill(pid, signal.SIGKILL)
        process.kill()

    with running(tmp_path, disposable=True) as url:

        def is_kept() -> bool:
            try:
                return bool(ask(url, "SELECT text FROM note") == "kept")
            except psycopg.OperationalError:
                return False  # the keeper may be starting it once more

        assert eventually(is_kept, seconds=30)


def test_a_folder_with_a_long_name_gets_a_socket_elsewhere(tmp_path: Path) -> None:
    data_dir = tmp_path / ("long" * 30)
    with running(data_dir, disposable=True) as url:
        assert str(data_dir) not in url
        folder = Path(str(ask(url, "SHOW unix_socket_directories")))
        assert folder.stat().st_mode & 0o777 == 0o700

    assert not folder.exists()


def test_only_who_knows_the_password_gets_in(tmp_path: Path) -> None:
    with running(tmp_path, disposable=True) as url:
        password = (tmp_path / "postgres/password").read_text()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            ask(url.replace(password, "guess"), "SELECT 1")
        assert ask(url, "SHOW listen_addresses") == ""

    assert (tmp_path / "postgres/password").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "postgres").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "postgres/data").stat().st_mode & 0o777 == 0o700


def test_what_a_statement_held_stays_out_of_the_log(tmp_path: Path) -> None:
    with running(tmp_path, disposable=True) as url, pytest.raises(psycopg.errors.UniqueViolation):
        tell(url, "CREATE TABLE t (word text UNIQUE); INSERT INTO t VALUES ('canary'), ('canary')")

    log = (tmp_path / "postgres/server.log").read_text()
    assert "duplicate key" in log
    assert "canary" not in log
