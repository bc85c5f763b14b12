"""Secrets of programs and links: how they are made, stored and compared."""

import hashlib
import re
import secrets
from dataclasses import dataclass

from django.utils.crypto import constant_time_compare

AGENT_KEY = re.compile(r"ags_([0-9a-f]{32})_([0-9a-f]{6})", re.IGNORECASE)
PERSONAL_TOKEN = re.compile(r"esp_([0-9a-f]{16})_([0-9a-f]{48})")
NO_SECRET = hashlib.sha256(b"no such key").hexdigest()


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential at its birth: `shown` is given out once, `public` and `hashed` are stored."""

    shown: str
    public: str
    hashed: str


def digest(secret: str) -> str:
    """Hash a random secret; it has enough entropy that a fast hash is safe."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, stored: str | None) -> bool:
    """Compare in constant time, doing the same work where nothing is stored."""
    return constant_time_compare(digest(secret), stored or NO_SECRET) and stored is not None


def checksum(body: str) -> str:
    """Return the six digits that end an agent key, by which a typing mistake is told from a wrong key."""
    return hashlib.sha256(body.lower().encode()).hexdigest()[:6]


def make_project_key() -> Secret:
    """Make an API key (public) with its secret key."""
    secret = secrets.token_hex(16)
    return Secret(shown=secret, public=secrets.token_hex(16), hashed=digest(secret))


def make_agent_key() -> Secret:
    """Make an agent key, `ags_<32 hex>_<6 hex checksum>`."""
    body = secrets.token_hex(16)
    shown = f"ags_{body}_{checksum(body)}"
    return Secret(shown=shown, public=f"ags_{body[:8]}", hashed=digest(shown))


def make_personal_token() -> Secret:
    """Make a bearer token of a person."""
    public, secret = secrets.token_hex(8), secrets.token_hex(24)
    shown = f"esp_{public}_{secret}"
    return Secret(shown=shown, public=f"esp_{public}", hashed=digest(shown))


def make_link_token() -> Secret:
    """Make the token of an invitation or a sign-in link."""
    shown = secrets.token_urlsafe(32)
    return Secret(shown=shown, public="", hashed=digest(shown))
