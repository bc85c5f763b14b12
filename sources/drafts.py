"""A connection that a person is making, step by step: kept in their session, its secrets encrypted."""

import base64
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from config.errors import DomainError
from sources import credentials

PLACE: Final = "connection_drafts"
MOST_AT_ONCE: Final = 10
STEPS: Final = ("connect", "choose", "map", "backfill")
Step = Literal["connect", "choose", "map", "backfill"]


class Draft(msgspec.Struct, kw_only=True):
    """What was filled in so far for a connection of a kind in a project; with `source`, of one that exists.

    `open` is the step to fill in; the steps before it are done. `sealed` holds the secrets. `answered` says in
    words what the application answered, `total` how many rows it has, `estimate` how many seconds they take.
    """

    kind: str
    project: int
    source: UUID | None = None
    name: str = ""
    purpose: str = ""
    every: int = 60
    settings: dict[str, Any] = {}
    sealed: str = ""
    open: Step = "connect"
    answered: str = ""
    total: int | None = None
    estimate: float | None = None

    @property
    def key(self) -> str:
        """By what a session knows it."""
        return str(self.source) if self.source else f"{self.project}:{self.kind}"

    @property
    def secrets(self) -> dict[str, str]:
        """The secrets typed in or signed in for; nothing where they were sealed with a key that is gone."""
        try:
            return credentials.unseal(base64.b64decode(self.sealed))
        except DomainError:
            return {}

    def keep_secrets(self, secrets: Mapping[str, str]) -> None:
        """Lay secrets over those that are there; blank ones change nothing."""
        merged = self.secrets | {name: value for name, value in secrets.items() if value}
        self.sealed = base64.b64encode(credentials.seal(merged)).decode() if merged else ""


def find(session: Mapping[str, Any], key: str) -> Draft | None:
    """Return a draft of this session."""
    kept = session.get(PLACE, {}).get(key)
    try:
        return msgspec.convert(kept, Draft) if kept is not None else None
    except msgspec.ValidationError:
        return None


def keep(session: MutableMapping[str, Any], draft: Draft) -> None:
    """Keep a draft, and of the others the latest few."""
    kept = {key: value for key, value in session.get(PLACE, {}).items() if key != draft.key}
    kept = dict(list(kept.items())[-(MOST_AT_ONCE - 1) :])
    session[PLACE] = kept | {draft.key: msgspec.to_builtins(draft)}


def forget(session: MutableMapping[str, Any], key: str) -> None:
    """Drop a draft with its secrets."""
    session[PLACE] = {each: value for each, value in session.get(PLACE, {}).items() if each != key}
