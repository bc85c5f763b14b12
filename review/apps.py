"""The review app."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "review"
    verbose_name = "Review"

    def ready(self) -> None:
        """Say how the audit trail reads."""
        from projects import audit

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
                "feedback_settings.changed": "changed how feedback is taken",
                "feedback_settings.guidelines": "rewrote the review guidelines",
                "golden_example.created": "wrote a golden example",
                "golden_example.changed": "changed a golden example",
                "golden_example.deleted": "deleted a golden example",
                "golden_example.moved": "moved a golden example to the other split",
                "auto_approval.suspended": "suspended automatic approval by itself",
                "auto_approval.suspended_by_hand": "suspended automatic approval",
                "auto_approval.sampled": "drew approved feedback for a check",
                "auto_approval.resumed": "resumed automatic approval",
                "auto_approval.stream_resumed": "resumed automatic approval of a stream",
                "auto_approval.stream_reverted": "took back the automatic approvals of a stream",
            }
        )
