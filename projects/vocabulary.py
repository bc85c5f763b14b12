"""The word, icon and tone that the console shows for each kind, status and type of source."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Term:
    """How one stored value is shown: never by colour alone."""

    word: str
    icon: str
    tone: str = "neutral"


KINDS: Final = {
    "feature_request": Term("Feature request", "lightbulb"),
    "complaint": Term("Complaint", "frown"),
    "loved_feature": Term("Loved feature", "heart"),
    "brand": Term("Brand", "tag"),
    "bug": Term("Bug", "bug"),
    "feature_mentioned": Term("Feature mentioned", "message-square-quote"),
    "pain_point": Term("Pain point", "zap"),
    "takeaway": Term("Takeaway", "bookmark"),
}

STATUSES: Final = {
    # insights
    "new": Term("New", "sparkles", "info"),
    "watching": Term("Watching", "eye"),
    "planned": Term("Planned", "calendar", "info"),
    "shipped": Term("Shipped", "rocket", "good"),
    "verified": Term("Verified", "check-check", "good"),
    "archived": Term("Archived", "archive"),
    "needs_look": Term("Needs a look", "circle-help", "warn"),
    # feedback items
    "waiting": Term("Waiting", "clock"),
    "used": Term("Used", "check", "good"),
    "set_aside": Term("Set aside", "circle-dashed"),
    # verdicts in review
    "pending": Term("Pending", "clock", "warn"),
    "auto_approved": Term("Auto-approved", "wand-sparkles", "info"),
    "reviewed": Term("Reviewed", "check", "good"),
    "dismissed": Term("Dismissed", "ban"),
    "positive": Term("Positive", "thumbs-up", "good"),
    "neutral": Term("Neutral", "minus"),
    "negative": Term("Negative", "thumbs-down", "bad"),
    # golden examples
    "conflict": Term("In conflict", "git-compare-arrows", "warn"),
    "stale": Term("Re-check", "refresh-cw", "warn"),
    "expired": Term("Expired", "timer", "warn"),
    "few_shot": Term("In prompts", "message-square-quote"),
    "evaluation": Term("In tests", "test-tube", "info"),
    # sources
    "connected": Term("Connected", "circle-check", "good"),
    "active": Term("Active", "circle-check", "good"),
    "inactive": Term("Off", "circle-dashed"),
    "needs_attention": Term("Needs attention", "triangle-alert", "warn"),
    "not_set_up": Term("Not set up", "circle-dashed"),
    "paused": Term("Paused", "circle-pause"),
    "deleted": Term("Deleted", "trash-2"),
    # jobs
    "mapping": Term("Confirm its columns", "list-checks", "warn"),
    "queued": Term("Queued", "clock"),
    "staged": Term("Staged", "clock"),
    "running": Term("Running", "loader-circle", "info"),
    "done": Term("Done", "circle-check", "good"),
    "succeeded": Term("Succeeded", "circle-check", "good"),
    "failed": Term("Failed", "circle-x", "bad"),
    "error": Term("Error", "circle-x", "bad"),
    "cancelled": Term("Cancelled", "ban"),
    "revoked": Term("Revoked", "ban", "bad"),
    "passed": Term("Passed", "circle-check", "good"),
}

SOURCES: Final = {
    "api": Term("API", "code"),
    "webhook": Term("Webhook", "webhook"),
    "csv": Term("CSV file", "file-spreadsheet"),
    "docx": Term("Word file", "file-text"),
    "file": Term("File", "file-up"),
    "paste": Term("Pasted text", "clipboard-paste"),
    "text": Term("Pasted text", "clipboard-paste"),
    "responses": Term("Verdicts on answers", "thumbs-up"),
    "survey": Term("Survey", "list-checks"),
    "email": Term("E-mail", "mail"),
    "conversations": Term("AI conversations", "bot"),
    "agentsight": Term("AI conversations", "bot"),
    "sample": Term("Sample data", "flask-conical"),
    "tickets": Term("Support tickets", "headset"),
    "reviews": Term("App reviews", "star"),
    "calls": Term("Calls", "phone"),
    "nps": Term("NPS", "gauge"),
    "community": Term("Community", "messages-square"),
    "connector": Term("Connected application", "plug"),
    "zendesk": Term("Zendesk", "headset"),
    "intercom": Term("Intercom", "message-circle"),
    "freshdesk": Term("Freshdesk", "life-buoy"),
    "salesforce": Term("Salesforce", "building-2"),
    "hubspot": Term("HubSpot", "building-2"),
    "gong": Term("Gong", "phone"),
    "g2": Term("G2", "star"),
    "trustpilot": Term("Trustpilot", "star"),
    "app_store": Term("App Store", "smartphone"),
    "google_play": Term("Google Play", "store"),
    "reddit": Term("Reddit", "messages-square"),
    "discord": Term("Discord", "messages-square"),
    "discourse": Term("Discourse", "message-square-text"),
    "slack": Term("Slack", "hash"),
    "x": Term("X", "at-sign"),
    "github": Term("GitHub issues", "git-branch"),
}


def term(vocabulary: dict[str, Term], value: str) -> Term:
    """Return how `value` is shown; a value without an entry is shown as its own words."""
    return vocabulary.get(value) or Term(value.replace("_", " ").strip().capitalize() or "Unknown", "circle-dot")
