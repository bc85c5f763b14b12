"""How a call of a model can fail, in words for people: what a provider wrote is never shown."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why there is no answer; the first six are outcomes of a call, the others prevent one."""

    INVALID = "invalid"
    REFUSED = "refused"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    UNAUTHORIZED = "unauthorized"
    OVER_BUDGET = "over_budget"
    NOT_CONFIGURED = "not_configured"
    CANCELLED = "cancelled"


_WORDS = {
    Reason.INVALID: "The model's answer could not be used.",
    Reason.REFUSED: "The model refused this request.",
    Reason.RATE_LIMITED: "The model is busy: its provider asks to wait.",
    Reason.UNAVAILABLE: "The model cannot be reached.",
    Reason.TIMEOUT: "The model did not answer in time.",
    Reason.UNAUTHORIZED: "The model's provider does not accept the configured key.",
    Reason.OVER_BUDGET: "This project's token budget for today is used up.",
    Reason.NOT_CONFIGURED: "No model is configured.",
    Reason.CANCELLED: "The request was cancelled.",
}
# The request itself may be at fault: sent again unchanged it would likely fail again.
_OWN_FAULT = frozenset({Reason.INVALID, Reason.REFUSED, Reason.TIMEOUT, Reason.CANCELLED})


@dataclass(frozen=True, slots=True)
class LlmFailure:
    """Why a model gave no answer; `retry_after` is in seconds, where it is known when to ask again."""

    reason: Reason
    retry_after: float | None = None

    @property
    def message(self) -> str:
        """What a person is told."""
        return _WORDS[self.reason]

    @property
    def blameless(self) -> bool:
        """Whether the same request may well succeed later, so that it is put off and not counted against."""
        return self.reason not in _OWN_FAULT


class Unusable(Exception):
    """An answer arrived that cannot be used."""

    def __init__(self, reason: Reason = Reason.INVALID) -> None:
        super().__init__(reason)
        self.reason = reason
