"""The sources app."""

from django.apps import AppConfig


class SourcesConfig(AppConfig):
    name = "sources"
    verbose_name = "Sources"

    def ready(self) -> None:
        """Give each project a webhook source; read connections by the clock, and remove deleted sources in time."""
        from projects import audit, residency
        from projects.creation import register_addition
        from projects.models import Project
        from projects.schedules import Job, register
        from sources.models import Source
        from sources.residency import connected_places
        from sources.services import make_source

        def first_source(project: Project) -> dict[str, str]:
            return {"source_id": str(make_source(project, Source.Kind.WEBHOOK, "Webhook").pk)}

        residency.register(connected_places)
        register_addition(first_source)
        audit.register_verbs(
            {
                "source.added": "added a source",
                "source.changed": "changed a source",
                "source.connected": "connected an application",
                "source.connection_changed": "changed a connection",
                "source.read_now": "had an application read",
                "source.read_again": "had an application read again from a date",
                "source.webhook_opened": "made a webhook address",
                "source.webhook_closed": "closed a webhook address",
                "source.paused": "paused a source",
                "source.resumed": "resumed a source",
                "source.deleted": "deleted a source",
                "source.restored": "restored a source",
                "source.requested": "asked for a source",
                "import.added": "added a file",
                "import.begun": "began an import",
                "import.discarded": "discarded an import",
                "import.retried": "retried an import",
            }
        )
        register(
            Job("Deleted sources", "sources.tasks.purge_deleted_sources", cron="10 3 * * *"),
            Job("Reading of connections", "sources.tasks.begin_round", minutes=1),
            Job("Freshness of connections", "sources.tasks.check_freshness", minutes=5),
            Job("Old deliveries", "sources.tasks.forget_deliveries", cron="20 3 * * *"),
        )
