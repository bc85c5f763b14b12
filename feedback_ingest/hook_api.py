"""`POST /hooks/<source>/`: what applications push, checked, taken once, and answered only after it is stored."""

import time
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from config.errors import DomainError
from feedback_ingest import quota
from feedback_ingest.services import IngestResult, ingest_items
from feedback_ingest.services.removal import remove_items, remove_parts
from feedback_ingest.wire import Rejection
from sources import endpoints, received
from sources.connecting import read_soon
from sources.models import Source, WebhookDelivery, WebhookEndpoint
from sources.webhooks import Delivery, News, fingerprint, is_genuine, read_delivery

MAX_BYTES = 2 * 1024 * 1024
NOT_GENUINE = "The signature is missing, wrong or too old."
TOO_MANY = "Too many requests a second. Send this again."
REPEATED = "It came before; nothing was taken twice."
PAUSED_FOR = 3600  # seconds after which an application may ask again whether a source takes feedback


@csrf_exempt
def receive(request: HttpRequest, source_id: UUID, key: str = "") -> HttpResponse:
    """Take one delivery; `key` is the secret where an application signs nothing.

    Answers 200 once what it says is committed, and for a repeat; 401 where it is not genuine, 404 where the
    source has no such address, 413, 429 and 503 (paused, or its secret cannot be read) where it should not or
    not now be sent.
    """
    if request.method != "POST":
        return _refuse(405, "Use POST.", Allow="POST")
    body = _body(request)
    if body is None:
        return _refuse(413, f"The body exceeds {MAX_BYTES} bytes.")
    endpoint = _endpoint(source_id)
    if endpoint is None:
        return _refuse(404, "There is no such address.")
    kind = endpoints.kind_of(endpoint.source)
    delivery = _delivery(request, body)
    try:
        secret = endpoints.secret_of(endpoint)
    except DomainError as error:
        return _refuse(503, error.message, Retry_After=str(PAUSED_FOR))
    if not is_genuine(kind, delivery, secret, time.time()):
        _note_refusal(endpoint)
        received.note(endpoint.source_id, 401, reason=NOT_GENUINE)
        return _refuse(401, NOT_GENUINE)
    if not quota.take(endpoint.source.project_id, 1):
        received.note(endpoint.source_id, 429, body=body, reason=TOO_MANY)
        return _refuse(429, TOO_MANY, Retry_After="1")
    return _take(endpoint, kind, delivery)


def _take(endpoint: WebhookEndpoint, kind: str, delivery: Delivery) -> HttpResponse:
    source = endpoint.source
    news = read_delivery(kind, delivery, _settings(source))
    if news.challenge:
        return HttpResponse(news.challenge, content_type="text/plain")
    try:
        result = _store(source, fingerprint(kind, delivery), news)
    except DomainError as error:
        # The only rule that can refuse here: the source is paused.
        received.note(source.pk, 503, body=delivery.body, reason=error.message)
        return _refuse(503, error.message, Retry_After=str(PAUSED_FOR))
    if result is None:
        received.note(source.pk, 200, body=delivery.body, reason=REPEATED)
        return JsonResponse({"ok": True, "repeated": True})
    reason = news.errors[0].reason if news.errors else ""
    received.note(source.pk, 200, body=delivery.body, items=result.ingested, refused=result.failed, reason=reason)
    errors = [{"row": error.number, "error": error.reason} for error in news.errors]
    errors += [
        {"unique_id": item.unique_id, "error": item.error} for item in result.outcomes if item.error and item.unique_id
    ]
    return JsonResponse({"ok": True, "ingested": result.ingested, "failed": result.failed, "errors": errors})


@transaction.atomic
def _store(source: Source, digest: bytes, news: News) -> IngestResult | None:
    """Store what a delivery says, with the note that it was; return what became of its items, None for a repeat.

    The same delivery, arriving twice at once, waits here for the first one's commit.
    """
    _, is_first = WebhookDelivery.objects.get_or_create(
        source=source,
        digest=digest,
        defaults={
            "items": len(news.items),
            "deleted": len(news.deleted) + len(news.deleted_parts),
            "refused": len(news.errors),
        },
    )
    if not is_first:
        return None
    result = IngestResult()
    if news.items or news.errors or not source.takes_feedback:
        rejections = [Rejection(None, error.reason) for error in news.errors]
        result = ingest_items(source, news.items, rejections=rejections)
    remove_items(source, news.deleted)
    remove_parts(source, news.deleted_parts)
    if news.read_soon:
        read_soon(source)
    WebhookEndpoint.objects.filter(source=source).update(received=F("received") + 1, last_received_at=timezone.now())
    return result


def _body(request: HttpRequest) -> bytes | None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > MAX_BYTES:
        return None
    body = request.read(MAX_BYTES + 1)
    return None if len(body) > MAX_BYTES else body


def _endpoint(source_id: UUID) -> WebhookEndpoint | None:
    endpoints_here = WebhookEndpoint.objects.select_related("source__project", "source__connection")
    return endpoints_here.filter(source=source_id, source__deleted_at=None).first()


def _delivery(request: HttpRequest, body: bytes) -> Delivery:
    # Signed is the address that the application was given, whatever stands in between.
    url = settings.SITE_URL + request.get_full_path()
    return Delivery(url, {name.lower(): value for name, value in request.headers.items()}, body)


def _settings(source: Source) -> dict[str, object]:
    connection = getattr(source, "connection", None)
    return dict(connection.settings if connection else source.settings)


def _note_refusal(endpoint: WebhookEndpoint) -> None:
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(refused=F("refused") + 1, last_refused_at=timezone.now())


def _refuse(status: int, message: str, **headers: str) -> HttpResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JsonResponse({"code": status, "error": message}, status=status, headers=named)
