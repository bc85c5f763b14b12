"""What signing in leaves behind goes after a while, and not before."""

from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from projects import services
from projects.models import Invitation, SignInLink
from projects.roles import Role
from projects.tasks import forget_old_traces
from tests.factories import Member

MONTH = timedelta(days=30)


def test_traces_of_signing_in_are_forgotten(client: Client, owner: Member, settings: Any) -> None:
    settings.AXES_ENABLED = True
    tried = {"login": owner.user.email, "password": "wrong"}
    client.post(reverse("account_login"), tried)
    services.make_sign_in_link(owner.user)
    services.invite(owner.project, "grace@example.org", Role.VIEWER, actor=owner.user)
    client.force_login(owner.user)
    forget_old_traces()
    traces = (AccessAttempt, AccessLog, Invitation, Session, SignInLink)
    assert [kind.objects.count() for kind in traces] == [1] * 5

    long_ago = timezone.now() - MONTH - timedelta(minutes=1)
    AccessAttempt.objects.update(attempt_time=long_ago)
    AccessLog.objects.update(attempt_time=long_ago)
    Invitation.objects.update(expires_at=long_ago)
    Session.objects.update(expire_date=long_ago)
    SignInLink.objects.update(expires_at=long_ago)
    forget_old_traces()
    assert [kind.objects.count() for kind in traces] == [0] * 5
