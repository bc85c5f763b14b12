"""What privacy keeps, in the back office."""

from django.contrib import admin

from privacy.models import Suppression
from projects.back_office import ReadOnlyAdmin


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    list_display = ("id", "project", "subject", "until", "created_at")
    list_filter = ("subject",)
    list_select_related = ("project",)
    exclude = ("keyed_hash",)
