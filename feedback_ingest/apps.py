"""The feedback_ingest app."""

from django.apps import AppConfig


class FeedbackIngestConfig(AppConfig):
    name = "feedback_ingest"
    verbose_name = "Feedback"

    def ready(self) -> None:
        """Read what is uploaded, keep what connections read, and take part in the life of sources."""
        from feedback_ingest import connector_feed, source_effects, tasks
        from projects import audit
        from projects.schedules import Job, register
        from sources import arrivals, effects, importers, keepers

        effects.register(source_effects.EFFECT)
        arrivals.register(source_effects.newest)
        importers.register(tasks.ask_for_import)
        keepers.register(connector_feed.KEEPER)
        audit.register_verbs(
            {
                "items.moved_in_inbox": "sorted feedback",
                "items.set_aside": "set feedback aside",
                "items.restored": "restored feedback",
                "items.retried": "had feedback analysed again",
                "speaker.overruled": "said who an author is",
                "conversation.changed": "changed a tracked conversation",
                "conversation.deleted": "deleted a tracked conversation",
            }
        )
        register(
            Job("Import sweep", "feedback_ingest.tasks.sweep_imports", minutes=1),
            Job("Idempotency keys", "feedback_ingest.tasks.forget_old_keys", cron="40 3 * * *"),
            Job("Retention of feedback", "feedback_ingest.tasks.forget_expired", cron="10 4 * * *"),
            Job("Abandoned uploads", "feedback_ingest.tasks.forget_uploads", cron="50 3 * * *"),
            Job("Attachments of nothing", "feedback_ingest.tasks.forget_attachments", cron="55 3 * * *"),
        )
