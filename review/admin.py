"""Verdicts, golden examples, agents and runs in the back office, without what people wrote."""

from django.contrib import admin

from projects.back_office import ReadOnlyAdmin
from review.models import Agent, Feedback, GoldenExample, KnowledgeDocument, Run


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    list_display = ("id", "project", "kind", "sentiment", "origin", "channel", "status", "created_at")
    list_filter = ("sentiment", "origin", "channel", "status")
    list_select_related = ("project",)
    fields = list_display


@admin.register(GoldenExample)
class GoldenExampleAdmin(ReadOnlyAdmin):
    list_display = ("id", "project", "split", "created_at")
    list_filter = ("split",)
    list_select_related = ("project",)
    fields = list_display


@admin.register(KnowledgeDocument)
class KnowledgeDocumentAdmin(ReadOnlyAdmin):
    list_display = ("id", "title", "project", "created_at")
    list_select_related = ("project",)
    fields = list_display


@admin.register(Agent)
class AgentAdmin(ReadOnlyAdmin):
    list_display = ("id", "__str__", "project")
    list_select_related = ("project",)


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ("id", "project", "created_at")
    list_select_related = ("project",)
    fields = list_display
