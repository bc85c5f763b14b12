"""A request whose length nobody declared is read like any other."""

import io
from typing import Any
from wsgiref.types import StartResponse

import pytest
from django.test import RequestFactory

from config.chunked import measure_chunked
from config.wsgi import application


class Broken(io.BytesIO):
    """A connection that ends in the middle of a chunk."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError("the chunk has no end")


def chunked(body: io.BytesIO) -> dict[str, Any]:
    """Return what gunicorn tells of a chunked request: it ends where the last chunk does."""
    environ: dict[str, Any] = dict(RequestFactory().post("/", content_type="application/json").META)
    del environ["CONTENT_LENGTH"]
    return environ | {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "wsgi.input": body}


@pytest.mark.parametrize(("sent", "declared"), [(10, "10"), (11, "11"), (5_000, "11")])
def test_no_more_is_read_than_shows_that_it_is_too_much(sent: int, declared: str) -> None:
    body = io.BytesIO(b"x" * sent)

    def seen(environ: dict[str, Any], _start_response: StartResponse) -> list[bytes]:
        return [environ["CONTENT_LENGTH"].encode(), environ["wsgi.input"].read()]

    length, read = measure_chunked(seen, most=10)(chunked(body), lambda *_: lambda _: None)
    assert (length.decode(), len(read), body.tell()) == (declared, int(declared), int(declared))


def test_a_request_that_breaks_off_is_400() -> None:
    statuses: list[str] = []

    def start_response(status: str, *_: Any) -> Any:
        statuses.append(status)

    assert list(application(chunked(Broken()), start_response)) == []
    assert statuses == ["400 Bad Request"]
