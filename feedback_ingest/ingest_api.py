"""`POST /api/1/ai-feedback/ingest`: feedback in, by key and secret."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from config.errors import DomainError
from feedback_ingest import quota, wire
from feedback_ingest.idempotency import answer_once
from feedback_ingest.services import IngestResult, ingest_items
from projects.authentication import basic_key_of
from sources import received
from sources.models import Source

SWITCH = {"true": True, "1": True, "false": False, "0": False}
NO_SUCH_SOURCE = "This project has no webhook source with that source_id."


class Refused(Exception):
    """The request ends here, with this status and message."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


@dataclass(slots=True)
class _Arrival:
    """What is known of a request so far, for the list of the newest ones."""

    source: Source | None = None
    body: bytes = b""
    reason: str = ""
    taken: int = 0
    failed: int = 0

    def note(self, status: int) -> None:
        """Keep it, where its source is known."""
        if self.source is not None:
            received.note(
                self.source.pk, status, body=self.body, items=self.taken, refused=self.failed, reason=self.reason
            )


@csrf_exempt
def ingest(request: HttpRequest) -> HttpResponse:
    """Take 1 to 100 items; answer `{"ingested", "failed", "errors"}`, or `{"code", "error"}` where none is taken.

    `?outcomes=true` adds what became of each item, `?dry_run=true` stores nothing.
    """
    arrival = _Arrival()
    answer = _respond(request, arrival)
    arrival.note(answer.status_code)
    return answer


def _respond(request: HttpRequest, arrival: _Arrival) -> HttpResponse:
    try:
        answer = _take(request, arrival)
        arrival.taken, arrival.failed = answer["ingested"], answer["failed"]
        return JsonResponse(answer)
    except Refused as refused:
        return _refuse(refused.status, refused.message, arrival, refused.headers)
    except wire.BadRequest as error:
        return _refuse(400, str(error), arrival)
    except DomainError as error:
        return _refuse(error.status, error.message, arrival)


def _refuse(status: int, message: str, arrival: _Arrival, headers: dict[str, str] | None = None) -> HttpResponse:
    arrival.reason = message
    return JsonResponse({"code": status, "error": message}, status=status, headers=headers)


def _take(request: HttpRequest, arrival: _Arrival) -> dict[str, Any]:
    if request.method != "POST":
        raise Refused(405, "Use POST.", {"Allow": "POST"})
    key = basic_key_of(request)
    if key is None:
        raise Refused(
            401,
            "Missing or wrong credentials: Basic authentication with the API key and its secret key.",
            {"WWW-Authenticate": 'Basic realm="Earshot"'},
        )
    if request.content_type != "application/json" or request.headers.get("Content-Encoding"):
        raise Refused(415, "Send JSON with Content-Type: application/json and without Content-Encoding.")
    arrival.body = body = _read(request)
    envelope = wire.read_envelope(body)
    arrival.source = source = _source(key.project_id, envelope.source_id)
    if not quota.take(key.project_id, len(envelope.items)):
        raise Refused(429, "Too many requests or items a second. Send this again.", {"Retry-After": "1"})
    items, rejections = wire.read_items(envelope)
    dry_run, outcomes = _switch(request, "dry_run"), _switch(request, "outcomes")

    def answer() -> dict[str, Any]:
        result = ingest_items(source, items, rejections=rejections, dry_run=dry_run)
        return _answer(result, outcomes=outcomes)

    idempotency_key = request.headers.get("Idempotency-Key")
    if idempotency_key is None or dry_run:
        return answer()
    return answer_once(key.project_id, idempotency_key, f"{outcomes}".encode() + body, answer)


def _read(request: HttpRequest) -> bytes:
    too_large = Refused(413, f"The body exceeds {wire.MAX_BYTES} bytes. Send fewer items a request.")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > wire.MAX_BYTES:
        raise too_large
    try:
        body = request.read(wire.MAX_BYTES + 1)
    except OSError:
        raise Refused(400, "The body ended early.") from None
    if len(body) > wire.MAX_BYTES:
        raise too_large
    return body


def _source(project_id: int, source_id: str) -> Source:
    try:
        source: Source = Source.objects.get(pk=uuid.UUID(source_id), project=project_id, kind=Source.Kind.WEBHOOK)
    except (ValueError, Source.DoesNotExist):
        raise Refused(404, NO_SUCH_SOURCE) from None
    if source.status == Source.Status.DELETED:
        raise Refused(404, NO_SUCH_SOURCE)
    return source


def _switch(request: HttpRequest, name: str) -> bool:
    value = request.GET.get(name, "false").lower()
    if value not in SWITCH:
        raise Refused(400, f"{name} must be true or false.")
    return SWITCH[value]


def _answer(result: IngestResult, *, outcomes: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "ingested": result.ingested,
        "failed": result.failed,
        "errors": [
            {"unique_id": item.unique_id, "error": item.error} for item in result.outcomes if item.error is not None
        ],
    }
    if outcomes:
        answer["outcomes"] = [{"unique_id": item.unique_id, "outcome": item.outcome} for item in result.outcomes]
    return answer
