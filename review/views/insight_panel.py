"""What an insight's page shows of the answers that users called bad for it."""

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from insights.models import Insight
from projects.pages import ProjectRequest
from review.models import Feedback, GoldenExample
from review.services.counts import capped

SHOWN = 3


def insight_panel(request: ProjectRequest, insight: Insight) -> SafeString | None:
    """Return the thumbs-down on answers that speak of an insight, and the way to review them; None without any."""
    verdicts = Feedback.objects.visible_to(request.user).of_insight(insight)
    total = capped(verdicts)
    if not total:
        return None
    examples = GoldenExample.objects.usable().filter(project=insight.project_id, feedback__in=verdicts.values("pk"))
    newest = verdicts.newest_first().defer("search", "original_response")[:SHOWN]
    context = {
        "project": request.project,
        "insight": insight,
        "total": total,
        "waiting": capped(verdicts.to_review()),
        "examples": capped(examples),
        "newest": newest,
    }
    return render_to_string("review/_insight_panel.html", context, request=request)
