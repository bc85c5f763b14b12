"""The ways to prove who asks: what goes into the headers, and how a credential is replaced when it is refused."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import jmespath
import jwt
import requests

from sources.connectors.errors import ConnectorError
from sources.connectors.filling import fill
from sources.connectors.spec import AuthSpec
from sources.connectors.transport import Call, Clock, Reply, is_loopback, send

REFUSED = "The credential was refused. Enter a valid one or connect again."
EARLY = 60


@dataclass(slots=True)
class Account:
    """What a person gave to connect: settings and secrets, and how changed secrets are kept.

    `save` stores secrets that the vendor replaced; `reload` reads them again, since another worker may have
    replaced them meanwhile.
    """

    settings: Mapping[str, Any]
    secrets: dict[str, str]
    save: Callable[[Mapping[str, str]], None] = lambda secrets: None
    reload: Callable[[], Mapping[str, str]] = dict

    def values(self, **more: Any) -> dict[str, Any]:
        """Return what templates outside credentials may name."""
        return {"settings": self.settings, **more}


class Auth(Protocol):
    """A credential in use."""

    base_url: str

    def headers(self) -> Mapping[str, str]:
        """Return the headers that carry it, fetching a token first where one is needed."""

    def renew(self) -> bool:
        """Replace a refused credential; False where only a person can."""


@dataclass(slots=True)
class StaticAuth:
    """A credential that a person typed in and only a person can replace."""

    values: Mapping[str, str]
    base_url: str = ""

    def headers(self) -> Mapping[str, str]:
        """Return the headers that carry it."""
        return self.values

    def renew(self) -> bool:
        """Return False: only a person can."""
        return False


@dataclass(slots=True)
class SignedAuth:
    """A short-lived JWT that is itself the bearer token."""

    spec: AuthSpec
    account: Account
    clock: Clock
    base_url: str = ""
    token: str = ""
    expires: float = 0

    def headers(self) -> Mapping[str, str]:
        """Return the header with a token that is valid for another minute at least."""
        if self.clock.now() > self.expires - EARLY:
            self.token = sign(self.spec, self.account, self.clock)
            self.expires = self.clock.now() + self.spec.lifetime
        return {"Authorization": f"Bearer {self.token}"}

    def renew(self) -> bool:
        """Sign once more: the clock of this machine may have been set meanwhile."""
        self.expires = 0
        return True


@dataclass(slots=True)
class TokenAuth:
    """An access token from the vendor's token endpoint."""

    spec: AuthSpec
    account: Account
    clock: Clock
    session: requests.Session
    base_url: str = ""
    token: str = ""
    expires: float | None = None
    tried: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.base_url = self.account.secrets.get("base_url", "") if self.spec.base_url_at else ""
        if self.spec.kind == "oauth_refresh":
            self.token = self.account.secrets.get("access_token", "")

    def headers(self) -> Mapping[str, str]:
        """Return the header with a token, fetched first where there is none or it is about to end."""
        if not self.token or (self.expires is not None and self.clock.now() > self.expires - EARLY):
            self.renew()
        return self.spec.headers_with(self.token)

    def renew(self) -> bool:
        """Fetch another token; one that another worker has fetched meanwhile is taken instead."""
        if self._taken_from_another_worker():
            return True
        answer = self._ask()
        token = jmespath.search(self.spec.answer_at, answer)
        if not isinstance(token, str) or not token:
            raise ConnectorError("The application gave no access token. Connect again.", permanent=True)
        self.token = token
        lifetime = answer.get("expires_in")
        self.expires = self.clock.now() + float(lifetime) if isinstance(lifetime, int | float | str) else None
        if self.spec.base_url_at:
            self.base_url = jmespath.search(self.spec.base_url_at, answer) or self.base_url
        self._keep(answer)
        return True

    def _taken_from_another_worker(self) -> bool:
        if self.spec.kind != "oauth_refresh":
            return False
        stored = self.account.reload()
        token = stored.get("access_token", "")
        if not token or token in (self.token, *self.tried):
            return False
        self.account.secrets.update(stored)
        self.tried.add(self.token)
        self.token = token
        return True

    def _keep(self, answer: Mapping[str, Any]) -> None:
        if self.spec.kind != "oauth_refresh":
            return
        replaced = {"access_token": self.token}
        if isinstance(answer.get("refresh_token"), str):
            replaced["refresh_token"] = answer["refresh_token"]
        if self.base_url:
            replaced["base_url"] = self.base_url
        self.account.secrets.update(replaced)
        self.account.save(replaced)

    def _ask(self) -> dict[str, Any]:
        values = self.account.values(secrets=self.account.secrets)
        url = str(fill(self.spec.token_url, values))
        form = {key: str(value) for key, value in fill(self.spec.token_body, values).items()}
        headers: dict[str, str] = dict(fill(self.spec.headers, values))
        client: tuple[str, str] | None = None
        if self.spec.kind == "jwt_bearer":
            assertion = sign(self.spec, self.account, self.clock)
            if self.spec.exchange == "bearer":
                headers["Authorization"] = f"Bearer {assertion}"
            else:
                form |= {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        elif self.spec.client_auth == "basic":
            client = (self.account.secrets["client_id"], self.account.secrets["client_secret"])
        return _token_answer(self._post(url, form, headers, client))

    def _post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str], client: tuple[str, str] | None
    ) -> Reply | None:
        url = at_loopback(url, self.account.settings)
        if urlsplit(url).scheme != "https" and not is_loopback(url):
            raise ConnectorError("The token address must begin with https://.", permanent=True)
        for pause in (1, 4, 0):
            reply = send(self.session, Call("POST", url, {}), headers, form=form, auth=client)
            if reply is not None and reply.status < 500:
                break
            self.clock.sleep(pause)
        return reply


def _token_answer(reply: Reply | None) -> dict[str, Any]:
    if reply is None or reply.status >= 500 or reply.status == 429:
        raise ConnectorError("The application did not hand out an access token.", permanent=False, retry_after=60)
    answer = reply.json()
    if reply.status >= 400 or not isinstance(answer, dict):
        raise ConnectorError(REFUSED, permanent=True)
    return answer


def at_loopback(url: str, settings: Mapping[str, Any]) -> str:
    """Return the address moved to the connection's loopback server, where tests set one."""
    server = str(settings.get("loopback") or "")
    if not server or not is_loopback(server):
        return url
    parts = urlsplit(url)
    return server.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")


def sign(spec: AuthSpec, account: Account, clock: Clock) -> str:
    """Return a signed JWT. Raises ConnectorError where the private key cannot be read."""
    values = account.values(secrets=account.secrets)
    now = int(clock.now())
    claims = fill(spec.claims, values) | {"iat": now - 5, "exp": now + spec.lifetime}
    key = str(fill(spec.private_key, values)).replace("\\n", "\n")
    headers = {"kid": str(fill(spec.key_id, values))} if spec.key_id else None
    try:
        return jwt.encode(claims, key, algorithm=spec.algorithm, headers=headers)
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise ConnectorError(
            "The private key cannot be read. Paste the whole file, with its first and last line.", permanent=True
        ) from error


def choose(options: list[AuthSpec], account: Account, *, clock: Clock, session: requests.Session) -> Auth:
    """Return the first way to prove who asks for which everything is given.

    Raises ConnectorError where none is complete.
    """
    for spec in options:
        if all(account.secrets.get(name) for name in spec.needs):
            return _build(spec, account, clock, session)
    raise ConnectorError("A key, token or sign-in is missing. Open the source and complete it.", permanent=True)


def _build(spec: AuthSpec, account: Account, clock: Clock, session: requests.Session) -> Auth:
    values = account.values(secrets=account.secrets)
    if spec.kind == "none":
        return StaticAuth({})
    if spec.kind == "header":
        return StaticAuth({key: str(value) for key, value in fill(spec.headers, values).items()})
    if spec.kind == "bearer":
        return StaticAuth(spec.headers_with(str(fill(spec.token, values))))
    if spec.kind == "basic":
        pair = f"{fill(spec.username, values)}:{fill(spec.password, values)}"
        return StaticAuth({"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()})
    if spec.kind == "jwt":
        return SignedAuth(spec, account, clock)
    return TokenAuth(spec, account, clock, session)
