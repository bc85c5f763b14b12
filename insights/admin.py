"""Insights and model calls in the back office."""

from django.contrib import admin

from insights.models import Correction, Insight, LlmCall
from projects.back_office import ReadOnlyAdmin


@admin.register(Insight)
class InsightAdmin(ReadOnlyAdmin):
    list_display = ("title", "kind", "area", "status", "project", "last_seen", "deleted_at")
    list_filter = ("kind", "status")
    list_select_related = ("project",)
    search_fields = ("title", "id")
    exclude = ("centroid", "search")
    ordering = ("-created_at",)


@admin.register(LlmCall)
class LlmCallAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at",
        "project",
        "purpose",
        "model",
        "input_tokens",
        "output_tokens",
        "cost_usd",
        "latency_ms",
        "outcome",
    )
    list_filter = ("outcome", "purpose")
    list_select_related = ("project",)
    exclude = ("payload",)
    ordering = ("-created_at",)


@admin.register(Correction)
class CorrectionAdmin(ReadOnlyAdmin):
    ordering = ("-pk",)
