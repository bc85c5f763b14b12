"""Figures for Prometheus, for who holds the token of the settings."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_GET
from django_prometheus.exports import ExportToDjangoView


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer the figures; without a token in the settings there is no such page. Raises Http404."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse("Not authenticated\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    answer: HttpResponse = ExportToDjangoView(request)
    return answer
