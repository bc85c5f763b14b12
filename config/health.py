"""Answers for probes: `/healthz` says that the process serves, `/readyz` that it can reach the database."""

from collections.abc import Callable

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]


class HealthMiddleware:
    """Answers before the checks of host name and TLS, which a probe from inside the network cannot pass."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return plain("ok")
        if request.path == "/readyz":
            return plain("ready") if database_answers() else plain("no database", status=503)
        return self.get_response(request)


def plain(text: str, *, status: int = 200) -> HttpResponse:
    """Return a line of text that nobody caches."""
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain", headers={"Cache-Control": "no-store"})


def database_answers() -> bool:
    """Say whether a query gets through."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        connection.close()
        return False
    return True
