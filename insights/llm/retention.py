"""How long the requests to models are kept: what they cost stays, what they said goes."""

from datetime import timedelta

from django.utils import timezone

from insights.models import LlmCall
from projects.models import Project

KEPT_FOR = timedelta(days=30)


def forget_payloads() -> int:
    """Empty the requests that are older than 30 days, or than their project keeps feedback; return how many."""
    now = timezone.now()
    told = LlmCall.objects.exclude(payload=None)
    emptied = told.filter(created_at__lt=now - KEPT_FOR).update(payload=None)
    for project in Project.objects.filter(retention_days__lt=KEPT_FOR.days):
        since = now - timedelta(days=project.retention_days or 0)
        emptied += told.filter(project=project, created_at__lt=since).update(payload=None)
    return emptied
