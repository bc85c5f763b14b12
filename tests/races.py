"""Calls that are made at one moment, to see who wins."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection, transaction

from config.errors import DomainError


def race(*calls: Callable[[], Any]) -> list[Any]:
    """Start all calls at one moment, each on a connection of its own; return results and refusals."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            start.wait(10)
            return call()
        except DomainError as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def while_uncommitted(act: Callable[[], Any], call: Callable[[], Any]) -> Any:
    """Return what `call` returns while a transaction is open in which `act` was called; neither may wait for it."""
    acted, called = threading.Event(), threading.Event()

    def linger() -> bool:
        with transaction.atomic():
            act()
            acted.set()
            return called.wait(10)

    def beside() -> Any:
        try:
            return call() if acted.wait(10) else None
        finally:
            called.set()

    was_called, result = race(linger, beside)
    assert was_called
    return result
