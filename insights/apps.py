"""The insights app."""

from django.apps import AppConfig


class InsightsConfig(AppConfig):
    name = "insights"
    verbose_name = "Insights"

    def ready(self) -> None:
        """Listen for stored feedback."""
        from feedback_ingest import events
        from insights.wake import wake

        events.on_stored(wake)
