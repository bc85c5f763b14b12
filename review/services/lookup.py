"""What a model may look up while it suggests an answer: read only, one project, redacted."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated

from django.contrib.postgres.search import SearchRank
from django.db.models import F
from django.utils import timezone
from pydantic import BaseModel, Field

from insights.llm.conversation import Tool
from privacy.redact import Placeholders, RedactedText, redact
from review.models import Feedback, GoldenExample, KnowledgeDocument
from review.querysets import any_word_query
from review.services.retrieval import examples_for

MOST_INCIDENTS = 10
MOST_DOCUMENTS = 4
MOST_EXAMPLES = 3
MOST_FEEDBACK = 5
# Two questions this similar are about the same thing, though not the same.
RELATED = 0.6
EXAMPLE_TOKENS = 8_000
DOCUMENT_CHARACTERS = 3_000
ANSWER_CHARACTERS = 1_500

Words = Annotated[str, Field(min_length=1, max_length=500)]


class IncidentId(BaseModel):
    """Which incident."""

    id: Words = Field(description="The incident's id, such as INC-1042.")


class Application(BaseModel):
    """Which application."""

    application: Words = Field(description="The application's name.")


class RecentDays(BaseModel):
    """How far back."""

    days: int = Field(ge=1, le=365, description="How many days back.")


class Search(BaseModel):
    """What is looked for."""

    query: Words = Field(description="A few words, or a question.")


def lookup_tools(feedback: Feedback, placeholders: Placeholders) -> list[Tool]:
    """Return the tools, bound to the project of the verdict that an answer is suggested for."""
    project = feedback.project
    documents = KnowledgeDocument.objects.filter(project=project)
    incidents = documents.filter(kind=KnowledgeDocument.Kind.INCIDENT).order_by(
        F("started_at").desc(nulls_last=True), "-created_at"
    )

    def told(texts: Iterable[str]) -> RedactedText:
        return redact("\n\n".join(texts) or "Nothing was found.", placeholders=placeholders).text

    def incident(wanted: IncidentId) -> RedactedText:
        return told(map(_incident, incidents.filter(reference__iexact=wanted.id)[:1]))

    def incidents_of_application(wanted: Application) -> RedactedText:
        found = incidents.filter(application__iexact=wanted.application)[:MOST_INCIDENTS]
        return told(map(_incident_line, found))

    def recent_incidents(wanted: RecentDays) -> RedactedText:
        since = timezone.now() - timedelta(days=wanted.days)
        return told(map(_incident_line, incidents.filter(started_at__gte=since)[:MOST_INCIDENTS]))

    def search_knowledge(wanted: Search) -> RedactedText:
        query = any_word_query(wanted.query)
        if query is None:
            return told([])
        ranked = documents.filter(search=query).order_by(SearchRank("search", query).desc(), "-created_at")
        return told(map(_document, ranked[:MOST_DOCUMENTS]))

    def golden_examples(wanted: Search) -> RedactedText:
        return told(map(_golden, related_examples(feedback, wanted.query)))

    def similar_feedback(wanted: Search) -> RedactedText:
        query = any_word_query(wanted.query)
        if query is None:
            return told([])
        others = Feedback.objects.reviewable().filter(project=project, search=query).exclude(pk=feedback.pk)
        ranked = others.order_by(SearchRank("search", query).desc(), "-created_at")
        return told(map(_verdict, ranked[:MOST_FEEDBACK]))

    return [
        Tool("find_incident", "Look up one incident by its id.", IncidentId, incident),
        Tool(
            "incidents_of_application", "List the latest incidents of an application.", Application,
            incidents_of_application,
        ),
        Tool("recent_incidents", "List the incidents that began in the last days.", RecentDays, recent_incidents),
        Tool("search_knowledge", "Search articles and incidents by words.", Search, search_knowledge),
        Tool("similar_golden_examples", "Find approved answers to similar questions.", Search, golden_examples),
        Tool("similar_feedback", "Find what users said of similar answers.", Search, similar_feedback),
    ]  # fmt: skip


def related_examples(feedback: Feedback, query: str) -> list[GoldenExample]:
    """Return the approved answers whose questions are nearest to `query`, without the verdict's own."""
    return examples_for(
        feedback.project, query, k=MOST_EXAMPLES, floor=RELATED, token_budget=EXAMPLE_TOKENS, apart_from=feedback
    )


def _incident_line(incident: KnowledgeDocument) -> str:
    facts = {
        "id": incident.reference,
        "application": incident.application,
        "severity": incident.severity,
        "began": incident.started_at and incident.started_at.isoformat(),
        "resolved": incident.resolved_at and incident.resolved_at.isoformat(),
    }
    stated = "; ".join(f"{name}: {value}" for name, value in facts.items() if value)
    return f"{incident.title} ({stated})"


def _incident(incident: KnowledgeDocument) -> str:
    return f"{_incident_line(incident)}\n{incident.text[:DOCUMENT_CHARACTERS]}"


def _document(document: KnowledgeDocument) -> str:
    if document.kind == KnowledgeDocument.Kind.INCIDENT:
        return _incident(document)
    return f"{document.title}\n{document.text[:DOCUMENT_CHARACTERS]}"


def _golden(example: GoldenExample) -> str:
    return (
        f"Question: {example.original_query[:ANSWER_CHARACTERS]}\n"
        f"Approved answer: {example.golden_response[:ANSWER_CHARACTERS]}"
    )


def _verdict(feedback: Feedback) -> str:
    return (
        f"Question: {(feedback.original_query or '')[:ANSWER_CHARACTERS]}\n"
        f"Answer: {(feedback.original_response or '')[:ANSWER_CHARACTERS]}\n"
        f"Verdict: {feedback.sentiment}. {(feedback.words or '')[:ANSWER_CHARACTERS]}"
    )
