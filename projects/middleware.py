"""What holds for the time of one request: no caches, grants read once, dates in a time zone, a log without secrets."""

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_structlog.middlewares import RequestMiddleware

from projects.access import reading_grants_once
from projects.paths_logged import shown_path


class PrivateMiddleware:
    """Keeps answers out of the caches of browsers and proxies unless they say otherwise: nearly all are personal."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class GrantsMiddleware:
    """Ask guardian once a request what a person may do in a project, however many parts of the code want to know."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with reading_grants_once():
            return self.get_response(request)


class TimeZoneMiddleware:
    """Show dates in the signed-in person's time zone; API answers stay in UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/p/") or not request.user.is_authenticated or not request.user.time_zone:
            return self.get_response(request)
        with timezone.override(zoneinfo.ZoneInfo(request.user.time_zone)):
            return self.get_response(request)


class RequestLogMiddleware(RequestMiddleware):
    """Log requests without what gives access: no query, and no long random segment of a path but ids."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Return the method and the path, with keys and tokens left out."""
        return f"{request.method} {shown_path(request.path)}"
