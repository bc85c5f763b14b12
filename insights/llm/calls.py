"""What goes to a model, what comes back, and what is kept of it."""

import re
import time
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from django.conf import settings

from insights.llm import ledger
from insights.llm.failures import Reason
from insights.llm.ledger import FORWARDED, Usage
from privacy.redact import RedactedText
from projects.models import Project

SECONDS = 60.0
CHAT = "/chat/completions"
# Not every endpoint knows these. One that refuses them is asked without, by this process from then on.
OPTIONAL = ("store", "response_format", "stream_options", "max_completion_tokens", "temperature")

_UNKNOWN_FIELD = re.compile(
    r"un(?:recogni[sz]ed|known|supported|expected)|not (?:\w+ )?(?:supported|permitted|allowed)", re.I
)
# What is kept of a request, to show what left: the words, not the form that the answer must have.
KEPT = ("messages", "input", "tools")

T = TypeVar("T")

_unknown: set[tuple[str | None, str]] = set()


@dataclass(frozen=True, slots=True)
class Message:
    """Something said in a conversation, fit to leave the building."""

    role: Literal["system", "user", "assistant"]
    text: RedactedText


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a model answered, and what that took."""

    value: T
    usage: Usage


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a model: what for, what is sent, and how many seconds it may take with its repetitions.

    `forwarded` is the traffic of a caller; `verbatim` is a request that the caller wrote, not only its words.
    """

    project: Project
    purpose: str
    prompt_version: str
    body: dict[str, Any]
    seconds: float = SECONDS
    forwarded: bool = False
    verbatim: bool = False
    path: str = CHAT
    started: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds that remain."""
        return self.seconds - (time.monotonic() - self.started)

    @property
    def estimated_tokens(self) -> int:
        """About how many tokens are sent: a token is some four characters."""
        return len(str(self.body.get("messages") or self.body.get("input") or "")) // 4

    def known_body(self) -> dict[str, Any]:
        """Return the body without what the endpoint is known not to know."""
        return {
            name: value
            for name, value in self.body.items()
            if (settings.OPENAI_BASE_URL, name) not in _unknown or not self._may_drop(name)
        }

    def drop(self, complaint: str) -> bool:
        """Leave out, from now on, an optional field that `complaint` does not know; tell whether there was one."""
        if not _UNKNOWN_FIELD.search(complaint):
            return False
        sent = self.known_body()
        for name in OPTIONAL:
            if name in sent and self._may_drop(name) and re.search(rf"\b{name}\b", complaint):
                _unknown.add((settings.OPENAI_BASE_URL, name))
                return True
        return False

    def record(self, usage: Usage, seconds: float, outcome: Reason | None) -> None:
        """Store a row for one try; a caller's own traffic is stored without its words."""
        ledger.record(
            self.project,
            purpose=FORWARDED + self.purpose if self.forwarded else self.purpose,
            model=str(self.body["model"]),
            prompt_version=self.prompt_version,
            usage=usage,
            seconds=seconds,
            outcome=outcome,
            payload=None if self.forwarded else {name: self.body[name] for name in KEPT if name in self.body},
        )

    def _may_drop(self, name: str) -> bool:
        """A caller's own request keeps all that the caller wrote."""
        return name in ("store", "stream_options") or not self.verbatim
