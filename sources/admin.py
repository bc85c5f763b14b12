"""Sources in the back office."""

from django.contrib import admin

from projects.back_office import ReadOnlyAdmin
from sources.models import FileImport, Source, SourceRequest, SyncRun


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    list_display = ("name", "type", "project", "status", "status_reason", "created_at")
    list_filter = ("kind", "status")
    list_select_related = ("project",)
    search_fields = ("name", "id")


@admin.register(FileImport)
class FileImportAdmin(ReadOnlyAdmin):
    list_display = ("id", "source", "status", "size", "created", "rejected", "created_at")
    list_filter = ("status",)
    list_select_related = ("source",)
    fields = ("id", "source", "status", "size", "created", "updated", "unchanged", "rejected", "created_at")


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    ordering = ("-pk",)


@admin.register(SourceRequest)
class SourceRequestAdmin(ReadOnlyAdmin):
    list_display = ("application", "project", "note", "created_at")
    list_select_related = ("project",)
