"""How this surface words its errors: `{"error": {…}}`, but `{"detail": […]}` where a request does not fit."""

from typing import Any

from rest_framework import exceptions, status
from rest_framework.response import Response

from config.errors import DomainError
from review.services.runs import RunFailed
from review.validation import RequestInvalid, fastapi_exception_handler

CODES = {
    status.HTTP_401_UNAUTHORIZED: "authentication_failed",
    status.HTTP_404_NOT_FOUND: "object_not_found",
    status.HTTP_413_REQUEST_ENTITY_TOO_LARGE: "entity_too_large",
    status.HTTP_429_TOO_MANY_REQUESTS: "rate_limit",
}


class TooManyRequests(DomainError):
    """Somebody has to wait; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("Too many requests. Try again later.", code="rate_limit", status=429)
        self.retry_after = retry_after


class Overloaded(DomainError):
    """This process is busy with others; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("Too many runs at once. Try again later.", code="server_overloaded", status=503)
        self.retry_after = retry_after


def workflowai_exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn every error into the shape that WorkflowAI's clients read."""
    if isinstance(error, DomainError):
        wait = getattr(error, "retry_after", None)
        headers = {"Retry-After": str(wait)} if wait is not None else None
        return Response(described(error), status=error.status, headers=headers)
    answer = fastapi_exception_handler(error, context)
    if answer is None or isinstance(error, RequestInvalid | exceptions.ParseError | RecursionError):
        return answer
    answer.data = error_body(str(answer.data["detail"]), answer.status_code)
    return answer


def described(error: DomainError) -> dict[str, Any]:
    """Return an error as it is written; one of a run names it, with what the model gave."""
    body = error_body(error.message, error.status, None if error.code == "not_found" else error.code)
    if isinstance(error, RunFailed):
        body["id"] = error.run.pk
        if error.output is not None:
            body["task_output"] = error.output
    return body


def error_body(message: str, status_code: int, code: str | None = None) -> dict[str, Any]:
    """Return an error as it is written; without a code of its own it gets that of its status."""
    named = code or CODES.get(status_code, "bad_request")
    return {"error": {"message": message, "status_code": status_code, "code": named}}
