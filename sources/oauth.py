"""Connect by signing in: authorization code with PKCE, begun and ended by one person in one session."""

import secrets
import time
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings as django_settings

from config.errors import DomainError
from privacy import egress
from sources.connectors.auth import at_loopback
from sources.connectors.engine import complete_settings
from sources.connectors.errors import ConnectorError
from sources.connectors.filling import fill
from sources.connectors.spec import Connector, OAuth

LIFETIME = 600
KEPT = "connecting"
MOST_AT_ONCE = 5


class SignInFailed(DomainError):
    """The sign-in was not completed, or by somebody else than who began it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="sign_in_failed")


@dataclass(frozen=True, slots=True)
class Began:
    """A sign-in that is under way in a session: for which application and project, and what it is to complete."""

    kind: str
    project_id: int
    user_id: int
    draft: str


def operator_client(kind: str) -> tuple[str, str] | None:
    """Return the client id and secret that this installation has at an application, where its operator set one."""
    client_id, _, client_secret = django_settings.OAUTH_CLIENTS.get(kind, "").partition(":")
    return (client_id, client_secret) if client_id else None


def under_way(session: Mapping[str, Any], state: str) -> Began | None:
    """Return the sign-in that a state belongs to, or None where it was not begun in this session, or long ago."""
    kept = session.get(KEPT, {}).get(state)
    if kept is None or kept["until"] <= time.time():
        return None
    return Began(kept["kind"], kept["project"], kept["user"], kept["draft"])


def begin(
    session: MutableMapping[str, Any],
    connector: Connector,
    *,
    project_id: int,
    user_id: int,
    settings: Mapping[str, Any],
    client_id: str,
    redirect_uri: str,
    draft: str = "",
) -> str:
    """Return the address to send the person to, and keep in their session what has to come back.

    `draft` names what the sign-in is to complete; `under_way` returns it.
    Raises SignInFailed where the application has no sign-in, or a setting is not written as it should be: the
    addresses are made of them.
    """
    oauth = _oauth(connector)
    settings = _checked(connector, settings)
    state, verifier = secrets.token_urlsafe(32), generate_token(64)
    with _client(oauth, client_id, "", redirect_uri) as client:
        url, _ = client.create_authorization_url(
            _address(oauth.authorize_url, settings), state=state, code_verifier=verifier, **oauth.extra
        )
    kept = {key: value for key, value in session.get(KEPT, {}).items() if value["until"] > time.time()}
    kept = dict(sorted(kept.items(), key=lambda entry: entry[1]["until"])[-(MOST_AT_ONCE - 1) :])
    kept[state] = {
        "kind": connector.kind,
        "project": project_id,
        "user": user_id,
        "verifier": verifier,
        "settings": settings,
        "redirect_uri": redirect_uri,
        "draft": draft,
        "until": time.time() + LIFETIME,
    }
    session[KEPT] = kept
    return str(url)


def complete(
    session: MutableMapping[str, Any],
    connector: Connector,
    *,
    project_id: int,
    user_id: int,
    client_id: str,
    client_secret: str,
    answer: Mapping[str, str],
) -> dict[str, str]:
    """Return the secrets to keep for the connection, given the query that the application sent back.

    A state works once, for the session, project, person and application that began with it. Raises
    SignInFailed otherwise, or where the application gives no token.
    """
    began = _taken(session, answer.get("state", ""))
    if began is None or (began["kind"], began["project"], began["user"]) != (connector.kind, project_id, user_id):
        raise SignInFailed("This sign-in was not begun here, or took too long. Begin again.")
    if answer.get("error") or not answer.get("code"):
        raise SignInFailed("Access was not granted. Begin again to grant it.")
    oauth = _oauth(connector)
    with _client(oauth, client_id, client_secret, began["redirect_uri"]) as client:
        token = _exchange(client, _address(oauth.token_url, began["settings"]), answer["code"], began["verifier"])
    return _secrets(oauth, token) | {"client_id": client_id, "client_secret": client_secret}


def _taken(session: MutableMapping[str, Any], state: str) -> dict[str, Any] | None:
    kept = dict(session.get(KEPT, {}))
    began: dict[str, Any] | None = kept.pop(state, None)
    session[KEPT] = kept
    return began if began is not None and began["until"] > time.time() else None


def _exchange(client: OAuth2Session, url: str, code: str, verifier: str) -> dict[str, Any]:
    try:
        token = client.fetch_token(url, code=code, code_verifier=verifier, timeout=(10, 30), allow_redirects=False)
    except (OAuthError, requests.RequestException, ValueError) as error:
        raise SignInFailed("The application gave no access. Begin again.") from error
    return dict(token)


def _secrets(oauth: OAuth, token: Mapping[str, Any]) -> dict[str, str]:
    if not isinstance(token.get("access_token"), str):
        raise SignInFailed("The application gave no access. Begin again.")
    names = {"access_token": "access_token", "refresh_token": "refresh_token"} | oauth.keep
    return {kept: token[name] for name, kept in names.items() if isinstance(token.get(name), str)}


def _oauth(connector: Connector) -> OAuth:
    if connector.oauth is None:
        raise SignInFailed(f"{connector.title} is connected with a key, not by signing in.")
    return connector.oauth


def _checked(connector: Connector, settings: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return complete_settings(connector.settings, settings, required=False)
    except ConnectorError as error:
        raise SignInFailed(error.message) from error


def _address(template: str, settings: Mapping[str, Any]) -> str:
    return at_loopback(str(fill(template, {"settings": settings})), settings)


def _client(oauth: OAuth, client_id: str, client_secret: str, redirect_uri: str) -> OAuth2Session:
    """Return authlib's client, whose requests leave through the guarded way out."""
    client = OAuth2Session(
        client_id,
        client_secret,
        scope=" ".join(oauth.scopes),
        redirect_uri=redirect_uri,
        token_endpoint_auth_method=oauth.client_auth,
        code_challenge_method="S256",
    )
    guarded = egress.session()
    client.trust_env = False
    for prefix in guarded.adapters:
        client.mount(prefix, guarded.adapters[prefix])
    return client
