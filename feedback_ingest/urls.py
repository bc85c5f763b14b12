"""URLs of what is sent in."""

from django.urls import path

from feedback_ingest import ingest_api

urlpatterns = [
    path("api/1/ai-feedback/ingest", ingest_api.ingest, name="ingest"),
]
