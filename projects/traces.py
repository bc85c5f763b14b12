"""What signing in leaves behind: sessions, used links, and who tried it from which address."""

from datetime import timedelta
from typing import Final

from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.models import Session
from django.utils import timezone

from projects.models import Invitation, SignInLink

KEPT_FOR: Final = timedelta(days=30)


def forget_old_traces() -> int:
    """Delete what has ended, and attempts older than 30 days; return how many rows went."""
    now = timezone.now()
    ended = [
        Session.objects.filter(expire_date__lt=now),
        SignInLink.objects.filter(expires_at__lt=now),
        Invitation.objects.filter(expires_at__lt=now - KEPT_FOR),
        AccessAttempt.objects.filter(attempt_time__lt=now - KEPT_FOR),
        AccessLog.objects.filter(attempt_time__lt=now - KEPT_FOR),
    ]
    return sum(rows.delete()[0] for rows in ended)
