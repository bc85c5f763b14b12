"""Keeps answers that stream from taking all the threads of a process."""

from collections.abc import Iterator
from threading import BoundedSemaphore
from typing import TypeVar

T = TypeVar("T")

# Half of the threads that a process has: each stream holds one, and every other request needs one too.
AT_ONCE = 4
_places = BoundedSemaphore(AT_ONCE)


class TooManyStreams(Exception):
    """All places are taken; a place is free again as soon as a stream ends."""


def bounded(pieces: Iterator[T]) -> "Held[T]":
    """Return `pieces` as they come, holding one of the process's places until they end or are closed.

    Raises TooManyStreams at once when no place is free.
    """
    if not _places.acquire(blocking=False):
        raise TooManyStreams
    return Held(pieces)


class Held(Iterator[T]):
    """An iterator that gives its place back exactly once, also when nothing was ever read from it."""

    def __init__(self, pieces: Iterator[T]) -> None:
        self._pieces = pieces
        self._open = True

    def __next__(self) -> T:
        try:
            return next(self._pieces)
        except BaseException:
            self._free()
            raise

    def close(self) -> None:
        """End the stream; the server calls this when the reader has gone."""
        closing = getattr(self._pieces, "close", None)
        try:
            if closing:
                closing()
        finally:
            self._free()

    def __del__(self) -> None:
        # An answer that is dropped unread is closed by nobody.
        self._free()

    def _free(self) -> None:
        if self._open:
            self._open = False
            _places.release()
