"""What holds for the time of one request: the grants read once, the time zone dates are shown in."""

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from projects.access import reading_grants_once


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
