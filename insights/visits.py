"""When a person last looked at a project's insights, so that they can see what is new since."""

from datetime import datetime, timedelta

from django.utils import timezone

from insights.models import InsightVisit
from projects.pages import ProjectRequest

VISIT_ENDS_AFTER = timedelta(minutes=30)
NOTED_EVERY = timedelta(minutes=1)


def last_look(request: ProjectRequest) -> datetime | None:
    """Note that the person looks now; return when the visit before this one ended, None for the first.

    Looks less than half an hour apart are one visit, so that opening an insight and coming back changes nothing.
    """
    key, now = f"insights_seen_before_{request.project.pk}", timezone.now()
    visit, is_first = InsightVisit.objects.get_or_create(
        project=request.project, user=request.user, defaults={"seen_at": now}
    )
    if is_first:
        return None
    if now - visit.seen_at > VISIT_ENDS_AFTER:
        request.session[key] = visit.seen_at.isoformat()
    if now - visit.seen_at > NOTED_EVERY:
        InsightVisit.objects.filter(pk=visit.pk).update(seen_at=now)
    seen_before = request.session.get(key)
    return datetime.fromisoformat(seen_before) if seen_before else None
