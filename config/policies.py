"""Content security policies of the pages that other packages draw."""

from collections.abc import Callable
from typing import Final

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponse

# The back office runs Alpine, which evaluates its attributes; the API pages start their viewer inline.
EXCEPTIONS: Final = {
    "/admin/": {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]},
    "/api/docs/": {"script-src": [SELF, UNSAFE_INLINE], "style-src": [SELF, UNSAFE_INLINE]},
}


class PolicyMiddleware:
    """Widens the policy for those pages alone; stands inside of django-csp's middleware, which writes it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for prefix, directives in EXCEPTIONS.items():
            if request.path.startswith(prefix):
                response._csp_replace = directives  # type: ignore[attr-defined]  # read by django-csp
        return response
