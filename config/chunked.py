"""Requests that come in chunks, measured for Django and DRF: both read no further than a declared length."""

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def measure_chunked(application: "WSGIApplication", *, most: int) -> "WSGIApplication":
    """Return the application with the body of a chunked request read for it, up to `most` bytes and one.

    That one more lets it see that the body is too large. A body that breaks off is answered with 400.
    """

    def measured(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        # Only a server that takes the chunks apart itself says so; the length of any other body would be unknown.
        if environ.get("HTTP_TRANSFER_ENCODING") and environ.get("wsgi.input_terminated"):
            try:
                body = environ["wsgi.input"].read(most + 1)
            except OSError:
                start_response("400 Bad Request", [("Content-Length", "0")])
                return []
            environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
        return application(environ, start_response)

    return measured
