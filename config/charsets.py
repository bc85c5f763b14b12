"""Requests whose header names a character set, which Django would look up and fail on where it is none of text."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

NAMED = re.compile(r";\s*charset\s*=[^;]*", re.IGNORECASE)


def read_as_utf8(application: "WSGIApplication") -> "WSGIApplication":
    """Return the application with every request read as UTF-8, which browsers send and JSON is."""

    def unnamed(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if "CONTENT_TYPE" in environ:
            environ["CONTENT_TYPE"] = NAMED.sub("", environ["CONTENT_TYPE"])
        return application(environ, start_response)

    return unnamed
