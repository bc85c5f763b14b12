"""What model calls cost: one row a call, prices from the settings, a budget of tokens a project and day."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F, Sum
from django.utils import timezone

from insights.llm.failures import LlmFailure, Reason
from insights.models import LlmCall
from projects.models import Project

# Callers' own traffic is neither limited by the budget of the analysis nor counted in it.
FORWARDED = "forward/"
_MILLION = Decimal(1_000_000)
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Budget:
    """What a project may spend today, in tokens; `resets_at` is the next midnight of the project."""

    limit: int
    spent: int
    resets_at: datetime

    @property
    def left(self) -> int:
        """Tokens that may still be used today."""
        return max(self.limit - self.spent, 0)


def record(
    project: Project,
    *,
    purpose: str,
    model: str,
    prompt_version: str,
    usage: Usage,
    seconds: float,
    outcome: Reason | None,
    payload: dict[str, Any] | None,
) -> LlmCall:
    """Store what a call was and cost; without an outcome it succeeded. `payload` must be redacted."""
    return LlmCall.objects.create(
        project=project,
        purpose=purpose,
        model=model.replace("\0", "")[:120],
        prompt_version=prompt_version,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=cost(model, usage),
        latency_ms=round(seconds * 1000),
        outcome=LlmCall.Outcome(outcome) if outcome else LlmCall.Outcome.OK,
        payload=payload,
    )


def cost(model: str, usage: Usage) -> Decimal:
    """Return the price of a call in US dollars, 0 for a model without a price."""
    incoming, outgoing = price(model) or (Decimal(0), Decimal(0))
    total = incoming * usage.input_tokens + outgoing * usage.output_tokens
    return (total / _MILLION).quantize(Decimal("0.000001"))


def budget(project: Project) -> Budget:
    """Return what the project may spend today and has spent."""
    zone = ZoneInfo(project.time_zone)
    midnight = timezone.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    calls = LlmCall.objects.filter(project=project, created_at__gte=midnight)
    spent = calls.exclude(purpose__startswith=FORWARDED).aggregate(tokens=Sum(F("input_tokens") + F("output_tokens")))[
        "tokens"
    ]
    limit = project.daily_token_budget
    return Budget(
        limit=settings.DAILY_TOKEN_BUDGET if limit is None else limit,
        spent=spent or 0,
        resets_at=midnight + timedelta(days=1),
    )


def over_budget(project: Project, tokens: int) -> LlmFailure | None:
    """Return the failure of a call of so many tokens that the budget does not allow."""
    today = budget(project)
    if tokens <= today.left:
        return None
    return LlmFailure(Reason.OVER_BUDGET, retry_after=(today.resets_at - timezone.now()).total_seconds())


def price(model: str) -> tuple[Decimal, Decimal] | None:
    """Return the US dollars for a million tokens in and out, None where no price is set.

    A dated snapshot costs what its model costs.
    """
    model = _SNAPSHOT.sub("", model)
    for entry in settings.MODEL_PRICES:
        name, _, prices = entry.rpartition("=")
        if name == model:
            incoming, _, outgoing = prices.partition("/")
            return Decimal(incoming), Decimal(outgoing)
    return None
