"""The insights app."""

from django.apps import AppConfig


class InsightsConfig(AppConfig):
    name = "insights"
    verbose_name = "Insights"

    def ready(self) -> None:
        """Listen for stored feedback, light its evidence, and take part in the deletion of sources."""
        from feedback_ingest import events, highlights
        from insights.days import move_days
        from insights.highlights import READER
        from insights.llm import ledger
        from insights.residency import model_places
        from insights.source_effects import EFFECT, forget_items, forget_parts, matched
        from insights.wake import wake
        from projects import audit, changes, residency, token_use
        from projects.schedules import Job, register
        from sources import effects, health

        events.on_stored(wake)
        events.on_set_aside(forget_items)
        events.on_parts_removed(forget_parts)
        effects.register(EFFECT)
        health.register_matched(matched)
        token_use.register(ledger.budget)
        residency.register(model_places)
        changes.on_time_zone_changed(move_days)
        audit.register_verbs(
            {
                "insight.delete_mention": "took a mention out of an insight",
                "insight.delete_insight": "deleted an insight",
                "insight.merge": "merged insights",
                "insight.split": "split an insight",
                "insight.move_mention": "moved a mention",
                "insight.confirm": "confirmed a doubtful mention",
                "insight.rename": "renamed an insight",
                "insight.rekind": "changed the kind of an insight",
                "insight.set_status": "changed the status of an insight",
                "insight.assign": "gave an insight to a member",
                "insight.lock": "locked or unlocked an insight",
                "insight.different": "called two insights different",
                "insight.undone": "took a correction back",
            }
        )
        highlights.register(READER)
        register(
            Job("Analysis sweep", "insights.tasks.sweep", minutes=1),
            Job("Grouping of insights", "insights.tasks.rebuild_all", cron="20 2 * * *"),
            Job("Counts of ranges", "insights.tasks.forget_kept_counts", cron="30 4 * * *"),
            Job("Retention of model requests", "insights.tasks.forget_payloads", cron="20 4 * * *"),
        )
