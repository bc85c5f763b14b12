"""Answers that take a model's time: as one, or in pieces as server-sent events; so many at once in a process."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.utils.encoders import JSONEncoder

from projects.streams import Held, TooManyStreams, bounded
from review.workflowai.errors import Overloaded

# With the streams that there may be beside them, these leave a thread of the process for everything else.
WAITING_AT_ONCE = 3
RETRY_AFTER_SECONDS = 1

_places = BoundedSemaphore(WAITING_AT_ONCE)
_encoder = JSONEncoder(ensure_ascii=True, separators=(",", ":"))


@contextmanager
def waiting() -> Iterator[None]:
    """Hold a place of this process while a model is waited for. Raises Overloaded where none is free."""
    if not _places.acquire(blocking=False):
        raise Overloaded(RETRY_AFTER_SECONDS)
    try:
        yield
    finally:
        _places.release()


def event_stream(frames: Iterator[bytes]) -> StreamingHttpResponse:
    """Return the response of a stream. Raises Overloaded, and what `frames` raises before its first piece."""
    try:
        held = bounded(frames)
    except TooManyStreams:
        raise Overloaded(RETRY_AFTER_SECONDS) from None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(_Begun(held), content_type="text/event-stream", headers=headers)


def frame(content: dict[str, Any]) -> bytes:
    """Return one event."""
    return f"data: {_encoder.encode(content)}\n\n".encode()


class _Begun(Iterator[bytes]):
    """Frames of which the first has come: what goes wrong before it is an error with a status of its own."""

    def __init__(self, frames: Held[bytes]) -> None:
        self._first: bytes | None = next(frames)
        self._others = frames

    def __next__(self) -> bytes:
        first, self._first = self._first, None
        return next(self._others) if first is None else first

    def close(self) -> None:
        """End the stream; the server calls this when the reader has gone."""
        self._others.close()
