"""Feedback in the back office: how it fared, without who said what."""

from django.contrib import admin

from feedback_ingest.models import FeedbackItem
from projects.back_office import ReadOnlyAdmin


@admin.register(FeedbackItem)
class FeedbackItemAdmin(ReadOnlyAdmin):
    list_display = ("id", "unique_id", "project", "source", "state", "set_aside_reason", "attempts", "received_at")
    list_filter = ("state", "set_aside_reason")
    list_select_related = ("project", "source")
    search_fields = ("=unique_id",)
    ordering = ("-id",)
    fields = (
        "id",
        "unique_id",
        "project",
        "source",
        "state",
        "set_aside_reason",
        "attempts",
        "lease_until",
        "last_error",
        "language",
        "created_at",
        "received_at",
        "analysed_at",
    )
