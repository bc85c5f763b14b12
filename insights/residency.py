"""The model endpoint as a place that a project's texts go to."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, F, Sum
from django.utils import timezone

from insights.llm import client
from insights.llm.ledger import FORWARDED
from insights.models import LlmCall
from projects.models import Project
from projects.residency import Figure, Place, Way, host_of

SHOWN = timedelta(days=30)
REDACTED = (
    "Words of feedback and of questions to it. Names, addresses, numbers and the like are replaced before, and the"
    " endpoint is asked to store nothing."
)
UNCHANGED = "What your own programs ask an agent to be run with, passed on unchanged."


def model_places(project: Project) -> Iterator[Place]:
    """Yield the model endpoint with what was asked of it lately, by purpose."""
    if not client.configured():
        return
    host = host_of(settings.OPENAI_BASE_URL or client.DEFAULT_URL)
    yield Place("Model", Way.SENT, REDACTED, host, _calls(project, forwarded=False))
    if forwarded := _calls(project, forwarded=True):
        yield Place("Model, for your own agents", Way.SENT, UNCHANGED, host, forwarded)


def _calls(project: Project, *, forwarded: bool) -> list[Figure]:
    calls = LlmCall.objects.filter(project=project, created_at__gte=timezone.now() - SHOWN)
    chosen = calls.filter(purpose__startswith=FORWARDED) if forwarded else calls.exclude(purpose__startswith=FORWARDED)
    by_purpose = chosen.values("purpose").annotate(
        calls=Count("pk"), tokens=Sum(F("input_tokens") + F("output_tokens"))
    )
    return [
        Figure(
            _words(row["purpose"]),
            row["calls"],
            f"{'call' if row['calls'] == 1 else 'calls'} and {row['tokens']:,} tokens in {SHOWN.days} days",
        )
        for row in by_purpose.order_by("-calls", "purpose")
    ]


def _words(purpose: str) -> str:
    return purpose.removeprefix(FORWARDED).replace("_", " ").replace("/", ", ").capitalize()
