"""URLs of what is sent in."""

from django.urls import path

from feedback_ingest import hook_api, ingest_api

urlpatterns = [
    path("api/1/ai-feedback/ingest", ingest_api.ingest, name="ingest"),
    path("hooks/<uuid:source_id>/", hook_api.receive, name="hook"),
    path("hooks/<uuid:source_id>/<str:key>/", hook_api.receive, name="hook_keyed"),
]
