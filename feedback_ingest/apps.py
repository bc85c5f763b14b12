"""The feedback_ingest app."""

from django.apps import AppConfig


class FeedbackIngestConfig(AppConfig):
    name = "feedback_ingest"
    verbose_name = "Feedback"
