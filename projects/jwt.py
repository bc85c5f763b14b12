"""JSON web tokens for people, by e-mail and password."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.response import Response
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from config.errors import detail_exception_handler


class PasswordSerializer(TokenObtainPairSerializer):
    """Trades an e-mail and a password for a pair of tokens."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        """Return both tokens. Raises AuthenticationFailed; also for who signs in with a second factor."""
        tokens = super().validate(attrs)
        if is_mfa_enabled(self.user):
            raise AuthenticationFailed("This account has a second factor: use a personal token instead.")
        return tokens


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
