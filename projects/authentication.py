"""Who calls: the credentials of programs and people, and the project that a request is about."""

import base64
import binascii
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication

from config.errors import DomainError
from projects import credentials
from projects.access import permissions
from projects.models import ApiKey, Project
from projects.roles import Permission

USE_IS_NOTED_EVERY = timedelta(minutes=1)
# What is read with a key. Who sends feedback by a project's key needs nothing of the project but its number.
OWNERS: dict[ApiKey.Kind, tuple[str, ...]] = {
    ApiKey.Kind.PROJECT: (),
    ApiKey.Kind.AGENT: ("project", "agent"),
    ApiKey.Kind.PERSONAL: ("project", "user"),
}


def key_by_basic(header: str) -> ApiKey | None:
    """Return the project key of a Basic `Authorization` header, or None where key or secret are wrong."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        public, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return _key(ApiKey.Kind.PROJECT, public, secret)


def key_by_agent_key(shown: str) -> ApiKey | None:
    """Return the agent key that was given out as `shown`."""
    if not credentials.AGENT_KEY.fullmatch(shown):
        return None
    shown = shown.lower()
    return _key(ApiKey.Kind.AGENT, shown[:12], shown)


def key_by_token(shown: str) -> ApiKey | None:
    """Return the personal token that was given out as `shown`."""
    if not credentials.PERSONAL_TOKEN.fullmatch(shown):
        return None
    return _key(ApiKey.Kind.PERSONAL, shown[:20], shown)


def _key(kind: ApiKey.Kind, public: str, secret: str) -> ApiKey | None:
    key = _live(kind, public)
    if not credentials.matches(secret, key.secret_hash if key else None) or key is None:
        return None
    _note_use(key)
    return key


def _live(kind: ApiKey.Kind, public: str) -> ApiKey | None:
    if "\x00" in public:
        return None
    owners = OWNERS[kind]
    keys = ApiKey.objects.select_related(*owners) if owners else ApiKey.objects.all()
    try:
        return keys.get(kind=kind, public=public, revoked_at=None)
    except ApiKey.DoesNotExist:
        return None


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_IS_NOTED_EVERY)
    if key.last_used_at is None or key.last_used_at < now - USE_IS_NOTED_EVERY:
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


class BearerAuthentication(BaseAuthentication):
    """A person's bearer: a personal token, or a JWT from `/api/token/`."""

    www_authenticate = "Bearer"

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the person and the token, None without a bearer. Raises AuthenticationFailed for a bad one."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise AuthenticationFailed("Not authenticated")
        token = words[1].decode("latin-1")
        if token.startswith("esp_"):
            key = key_by_token(token)
            if key is None or key.user is None or not key.user.is_active:
                raise AuthenticationFailed("Not authenticated")
            return key.user, key
        return JWTAuthentication().authenticate(request)

    def authenticate_header(self, request: Request) -> str:
        """Return the scheme that a 401 asks for."""
        return self.www_authenticate


def project_of(request: Request, permission: Permission = Permission.VIEW, *, name: str | None = None) -> Project:
    """Return the project a request is about: the token's, else the one named, else the person's only one.

    `name`, a number or a slug, is for addresses that name the project themselves.

    Raises DomainError: 400 where several are possible and none is named, 404 for one that is not visible,
    403 where it is visible but `permission` is missing.
    """
    named = name or request.query_params.get("project") or request.headers.get("X-Project")
    own = request.auth.project if isinstance(request.auth, ApiKey) else None
    if own is not None and named and named not in (str(own.pk), own.slug):
        raise DomainError("This token belongs to another project.", code="not_found", status=404)
    project = own or (_named(named) if named else _only_project(request))
    held = permissions(request.user, project) if project else frozenset()
    if project is None or Permission.VIEW not in held:
        raise DomainError("No such project.", code="not_found", status=404)
    if permission not in held:
        raise DomainError(
            f"Insufficient permissions. Required: feedback.{permission}", code="permission_denied", status=403
        )
    return project


def _named(name: str) -> Project | None:
    by_number = name.isdecimal() and len(name) < 19
    return Project.objects.filter(pk=name).first() if by_number else Project.objects.filter(slug=name).first()


def _only_project(request: Request) -> Project | None:
    found = list(Project.objects.visible_to(request.user)[:2])
    if len(found) > 1:
        raise DomainError("Several projects are possible: name one by ?project=ID.", code="project_needed")
    return found[0] if found else None


def basic_key_of(request: HttpRequest) -> ApiKey | None:
    """Return the project key that a plain Django request carries."""
    return key_by_basic(request.headers.get("Authorization", ""))
