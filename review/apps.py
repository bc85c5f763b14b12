"""The review app."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "review"
    verbose_name = "Review"

    def ready(self) -> None:
        """Add the review half to what the apps below offer: the sample, jobs, imports, and words of the audit trail."""
        from feedback_ingest.sample.loading import register_sample_part
        from insights.panels import register_panel
        from projects import audit, schedules
        from review.sample import load_assistant
        from review.services.received_examples import RECEIVER
        from review.views.insight_panel import insight_panel
        from sources import importers

        importers.register_receiver(RECEIVER)
        register_sample_part(load_assistant)
        register_panel(insight_panel)
        schedules.register(
            schedules.Job("Conflicts of golden examples", "review.tasks.look_at_golden_examples", cron="30 3 * * *"),
            schedules.Job("Abandoned runs", "review.tasks.end_abandoned_runs", minutes=10),
            schedules.Job("Words on answers", "review.tasks.sweep_words", minutes=1),
            schedules.Job("Words without a verdict", "review.tasks.remove_orphaned_words", cron="10 4 * * *"),
        )
        audit.register_verbs(
            {
                "feedback.resolved": "resolved feedback",
                "feedback.dismissed": "dismissed feedback",
                "feedback.restored": "restored feedback",
                "feedback.confirmed": "confirmed an automatic approval",
                "feedback.reverted": "took back an automatic approval",
                "feedback.reopened": "reopened feedback",
                "feedback.deleted": "deleted feedback",
                "feedback.assigned": "asked a reviewer",
                "feedback.annotated": "noted something on feedback",
                "agent.created": "made an agent",
                "agent.deployed": "deployed a version of an agent",
                "feedback_settings.changed": "changed how feedback is taken",
                "feedback_settings.guidelines": "rewrote the review guidelines",
                "golden_example.created": "wrote a golden example",
                "golden_example.changed": "changed a golden example",
                "golden_example.deleted": "deleted a golden example",
                "golden_example.moved": "moved a golden example to the other split",
                "golden_example.tended": "said who looks after a golden example and until when",
                "golden_example.cited": "said what a golden example rests on",
                "golden_example.conflict_settled": "settled a conflict of golden examples",
                "golden_example.imported": "imported golden examples",
                "golden_example.exported": "exported golden examples",
                "knowledge.added": "added a document",
                "knowledge.changed": "changed a document",
                "knowledge.deleted": "deleted a document",
                "auto_approval.suspended": "suspended automatic approval by itself",
                "auto_approval.suspended_by_hand": "suspended automatic approval",
                "auto_approval.sampled": "drew approved feedback for a check",
                "auto_approval.resumed": "resumed automatic approval",
                "auto_approval.stream_resumed": "resumed automatic approval of a stream",
                "auto_approval.stream_reverted": "took back the automatic approvals of a stream",
            }
        )
