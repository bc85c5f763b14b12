"""JSON web tokens for people, by e-mail and password."""

from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.mfa.utils import is_mfa_enabled
from django.core.exceptions import ValidationError
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.response import Response
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from config.errors import detail_exception_handler
from projects.models import User

# Seconds until an address that has failed too often may try again.
PAUSE = 60


class PasswordSerializer(TokenObtainPairSerializer):
    """Trades an e-mail and a password for a pair of tokens."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        """Return both tokens. Raises AuthenticationFailed; also for who signs in with a second factor."""
        person = self._person(attrs["email"], attrs["password"])
        if person is None or not person.is_active:
            raise AuthenticationFailed(self.error_messages["no_active_account"], "no_active_account")
        if is_mfa_enabled(person):
            raise AuthenticationFailed("This account has a second factor: use a personal token instead.")
        token = RefreshToken.for_user(person)
        return {"refresh": str(token), "access": str(token.access_token)}

    def _person(self, email: str, password: str) -> User | None:
        """Return whose password it is, counted with the failures of the form. Raises Throttled after too many."""
        request = self.context["request"]
        try:
            found: User | None = get_adapter(request).authenticate(request, email=email, password=password)
        except ValidationError as error:
            raise Throttled(PAUSE) from error
        return found


class Obtain(TokenObtainPairView):
    """`POST /api/token/`."""

    serializer_class = PasswordSerializer

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Answer errors as clients of such tokens know them."""
        return detail_exception_handler


class Refresh(TokenRefreshView):
    """`POST /api/token/refresh/`."""

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Answer errors as clients of such tokens know them."""
        return detail_exception_handler
