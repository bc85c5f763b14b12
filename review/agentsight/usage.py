"""Token usage of tracked assistants, and what it costs by the prices of the settings."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import TruncDate

from feedback_ingest.models import Conversation, TokenUsage
from insights.llm.ledger import Usage, cost, price

# A part of other categories, which is never added to a total.
BREAKDOWN = "reasoning_tokens"
GROUPS = {
    "model": F("model"),
    "conversation": F("conversation__conversation_id"),
    "day": TruncDate("started_at"),
}


def priced_models(rows: QuerySet[TokenUsage]) -> list[str]:
    """Return the models among these rows that have a price."""
    return [model for model in rows.order_by().values_list("model", flat=True).distinct() if price(model)]


def usage_row(usage: TokenUsage) -> dict[str, Any]:
    """Return the usage of a model in a turn as clients read it; its cost as exact text."""
    tokens = {name: getattr(usage, name) for name in TokenUsage.TOKENS}
    return {
        "id": usage.pk,
        "conversation": usage.conversation_id,
        "conversation_id": usage.conversation.conversation_id,
        "environment": usage.conversation.environment,
        "turn_id": usage.turn_id,
        "model": usage.model,
        "calls": usage.calls,
        "unreported_calls": usage.unreported_calls,
        **tokens,
        "total_tokens": _total(tokens),
        "cost_usd": f"{_cost(usage.model, tokens):.8f}",
        "cost_usd_reported": None,
        "cost_source": _source(usage.model),
        "incomplete": bool(usage.incomplete_reason),
        "incomplete_reason": usage.incomplete_reason or None,
        "started_at": usage.started_at,
    }


def usage_summary(rows: QuerySet[TokenUsage], group_by: str) -> list[dict[str, Any]]:
    """Return token counts and cost by `GROUPS`, the most expensive first."""
    groups: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for part in _sums(rows, GROUPS[group_by]):
        groups[part["group"]].append(part)
    results = [{"group": group, **_added(parts)} for group, parts in groups.items()]
    return sorted(results, key=lambda result: (-result["cost_usd"], -result["total_tokens"], str(result["group"])))


def conversation_usage(conversation: Conversation) -> dict[str, Any] | None:
    """Return what a conversation used, in all and by model; None where nothing was noted."""
    parts = list(_sums(TokenUsage.objects.filter(conversation=conversation), F("model")))
    if not parts:
        return None
    whole = _added(parts)
    models = [{"model": part["group"], **_added([part])} for part in parts]
    return whole | {
        "cost_usd": f"{Decimal(str(whole['cost_usd'])):.8f}",
        "cost_sources": sorted({_source(part["group"]) for part in parts}),
        "models": models,
    }


def _sums(rows: QuerySet[TokenUsage], group: Any) -> Iterable[Any]:
    sums = {name: Sum(name) for name in (*TokenUsage.TOKENS, "calls", "unreported_calls")}
    grouped = rows.order_by().annotate(group=group).values("group", "model")
    return grouped.annotate(rows=Count("pk"), **sums).order_by("group", "model")


def _added(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    parts = list(parts)
    counted = {
        name: sum(part[name] for part in parts) for name in ("calls", "unreported_calls", "rows", *TokenUsage.TOKENS)
    }
    dollars = sum((_cost(part["model"], part) for part in parts), Decimal(0))
    return counted | {"total_tokens": _total(counted), "cost_usd": float(dollars)}


def _total(tokens: dict[str, int]) -> int:
    return sum(tokens[name] for name in TokenUsage.TOKENS if name != BREAKDOWN)


def _cost(model: str, tokens: dict[str, Any]) -> Decimal:
    # Prices are set for tokens in and out: what a cache took or gave is billed as input.
    incoming = tokens["prompt_tokens"] + tokens["cache_read_tokens"] + tokens["cache_write_tokens"]
    return cost(model, Usage(incoming + tokens["embedding_tokens"], tokens["completion_tokens"]))


def _source(model: str) -> str:
    return "backend" if price(model) else "unpriced"
