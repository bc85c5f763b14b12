"""The sources app."""

from django.apps import AppConfig


class SourcesConfig(AppConfig):
    name = "sources"
    verbose_name = "Sources"

    def ready(self) -> None:
        """Give each project a webhook source; remove deleted ones for good in time."""
        from projects.creation import register_addition
        from projects.models import Project
        from projects.schedules import Job, register
        from sources.models import Source
        from sources.services import make_source

        def first_source(project: Project) -> dict[str, str]:
            return {"source_id": str(make_source(project, Source.Kind.WEBHOOK, "Webhook").pk)}

        register_addition(first_source)
        register(Job("Deleted sources", "sources.tasks.purge_deleted_sources", cron="10 3 * * *"))
