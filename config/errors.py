"""The one error type of the product, and how it is shown in each surface."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework import exceptions, status
from rest_framework.response import Response


class DomainError(Exception):
    """A rule of the product refused what was asked; `message` is shown to the person who asked."""

    def __init__(self, message: str, *, code: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status


class BodyTooLarge(exceptions.APIException):
    """A body of more bytes than any request may have."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = "The request is too large."


def api_exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn every error of `/api/v1/` into `{"error": {"code", "message", "fields"?}}`."""
    if isinstance(error, DomainError):
        return Response({"error": {"code": error.code, "message": error.message}}, status=error.status)
    response = _standard_answer(error, context)
    if response is None:
        return None
    response.data = {"error": _describe(error, response.data)}
    return response


def detail_exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn every error of the compatible surfaces that speak `{"detail": …}` or DRF field maps."""
    if isinstance(error, DomainError):
        return Response({"detail": error.message}, status=error.status)
    return _standard_answer(error, context)


def _standard_answer(error: Exception, context: dict[str, Any]) -> Response | None:
    # Imported late: rest_framework.views loads our authentication classes, which import this module.
    from rest_framework.views import exception_handler

    return exception_handler(BodyTooLarge() if isinstance(error, RequestDataTooBig) else error, context)


def _describe(error: Exception, data: Any) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        fields = data if isinstance(data, dict) else {"non_field_errors": data}
        return {"code": "invalid", "message": "Some values are not valid.", "fields": fields}
    detail = data.get("detail", "") if isinstance(data, dict) else ""
    return {"code": str(getattr(detail, "code", None) or "error"), "message": str(detail)}


class DomainErrorMiddleware:
    """Show a DomainError that a page raised: a fragment for htmx, a page otherwise."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = self.get_response(request)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the error as a page, or None for any other exception."""
        if not isinstance(error, DomainError):
            return None
        partial = request.headers.get("HX-Request") and not request.headers.get("HX-Boosted")
        template = "errors/_message.html" if partial else "errors/message.html"
        context = {"message": error.message, "code": error.code}
        return render(request, template, context, status=error.status or status.HTTP_400_BAD_REQUEST)
