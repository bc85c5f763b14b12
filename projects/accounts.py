"""How sign-up is limited: people come in by invitation."""

from collections.abc import Mapping
from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from projects.models import Invitation, User

# What is kept of a name that was tried, in characters.
LONGEST_NAME: Final = 255


def who_signs_in(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str | None:
    """Return whom a sign-in names, by form or by API: guessing locks that account, not everybody's at an address."""
    given = credentials or getattr(request, "data", request.POST)
    named = given.get("email") or given.get("username") or given.get("login")
    return str(named).lower()[:LONGEST_NAME] if named else None


def address_of(request: HttpRequest) -> str | None:
    """Return the address that a request comes from, behind a proxy the one that the proxy saw; None without any."""
    try:
        return str(get_adapter(request).get_client_ip(request))
    except PermissionDenied:
        return None


class InvitationOnlyAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by accepting an invitation, never at an open form."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse the open form."""
        return False


class InvitationOnlySocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Single sign-on lets in who is known or invited."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Let an invited e-mail in that the provider has verified."""
        emails = [address.email.lower() for address in sociallogin.email_addresses if address.verified]
        return Invitation.objects.filter(email__in=emails, accepted_at=None, expires_at__gt=timezone.now()).exists()

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Connect a first single sign-on to the account with the same verified e-mail."""
        if sociallogin.is_existing:
            return
        emails = [address.email for address in sociallogin.email_addresses if address.verified]
        user = User.objects.filter(email__in=[email.lower() for email in emails]).first()
        if user is not None:
            sociallogin.connect(request, user)
