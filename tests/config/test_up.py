"""`manage.py up`: the whole product in one command, in an empty folder."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
import requests

from tests.config.processes import command, eventually, family, free_port, is_keeper, lives, read_until
from tests.product import install

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one installation; the first test that uses it pays for the migrations."""
    return tmp_path_factory.mktemp("installation")


def server(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "postgres/data/postmaster.pid").read_text().split()[0]))


def test_starts_answers_and_stops_with_control_c(data_dir: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with command("up", "--no-sample", "--port", str(port), EARSHOT_DATA_DIR=str(data_dir)) as product:
        output = read_until(product, "Ctrl-C stops it")
        assert f"Earshot is running at {address}" in output
        assert requests.get(f"{address}/healthz", timeout=60).text == "ok\n"
        assert requests.get(f"{address}/readyz", timeout=60).text == "ready\n"
        everything = [*family(product.pid), server(data_dir)]

        product.send_signal(signal.SIGINT)

        assert product.wait(timeout=60) == 0
        assert eventually(lambda: not any(lives(process) for process in everything), seconds=20)


def test_what_it_keeps_is_private(data_dir: Path) -> None:
    key = data_dir / "secret-key"
    assert len(key.read_text()) > 60
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_other_commands_share_its_database(data_dir: Path) -> None:
    port = str(free_port())
    with command("up", "--no-sample", "--port", port, EARSHOT_DATA_DIR=str(data_dir)) as product:
        read_until(product, "Ctrl-C stops it")
        pid = server(data_dir).pid
        with command("migrate", "--check", EARSHOT_DATA_DIR=str(data_dir)) as check:
            assert check.wait(timeout=120) == 0
        assert server(data_dir).pid == pid


def test_figures_are_those_of_all_processes_whichever_answers(data_dir: Path) -> None:
    port = free_port()
    figures = re.compile(r'by_status_view_method_total\{method="GET",status="200",view="robots"\} (\S+)')
    started = {"EARSHOT_DATA_DIR": str(data_dir), "EARSHOT_METRICS_TOKEN": "figures"}
    with command("up", "--no-sample", "--port", str(port), **started) as product:
        read_until(product, "Ctrl-C stops it")

        def ask(path: str) -> str:
            bearer = {"Authorization": "Bearer figures", "Connection": "close"}
            return requests.get(f"http://127.0.0.1:{port}{path}", headers=bearer, timeout=60).text

        for _ in range(10):
            ask("/robots.txt")
        assert {tuple(figures.findall(ask("/metrics"))) for _ in range(10)} == {("10.0",)}


def test_killed_parts_come_back(data_dir: Path) -> None:
    port = free_port()
    with command("up", "--no-sample", "--port", str(port), EARSHOT_DATA_DIR=str(data_dir)) as product:
        read_until(product, "Ctrl-C stops it")
        for process in [*family(product.pid)[1:], server(data_dir)]:
            if lives(process) and not is_keeper(process):
                process.kill()

        def answers() -> bool:
            try:
                return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
            except requests.RequestException:
                return False

        assert eventually(answers)


def test_nothing_outlives_a_killed_command(data_dir: Path) -> None:
    port = str(free_port())
    with command("up", "--no-sample", "--port", port, EARSHOT_DATA_DIR=str(data_dir)) as product:
        read_until(product, "Ctrl-C stops it")
        everything = [*family(product.pid), server(data_dir)]

        os.kill(product.pid, signal.SIGKILL)

        assert eventually(lambda: not any(lives(process) for process in everything))


def test_a_taken_port_is_named_before_anything_starts(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with command("up", "--port", str(port), EARSHOT_DATA_DIR=str(data_dir)) as product:
            output = read_until(product, "Cannot listen")
            assert f"make run PORT={port + 1}" in output
            assert product.wait(timeout=60) == 1


def test_the_first_start_brings_a_sample_and_a_way_in_that_works_once(tmp_path: Path) -> None:
    port = free_port()
    with command("up", "--port", str(port), EARSHOT_DATA_DIR=str(install(tmp_path / "data"))) as product:
        output = read_until(product, "Ctrl-C stops it")
        link = output.partition("Or open")[2].split()[0]
        assert "Sign in as" in output
        assert link.startswith(f"http://127.0.0.1:{port}/")

        assert press_button(link).status_code == 302
        assert press_button(link).status_code == 404


def press_button(link: str) -> requests.Response:
    """Open the link in a fresh browser, and press the button on the page."""
    browser = requests.Session()
    browser.get(link, timeout=60)
    token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    return browser.post(link, data=token, timeout=60, allow_redirects=False)
