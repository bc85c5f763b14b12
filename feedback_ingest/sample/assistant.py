"""The other half of the sample project: Vanfold's AI assistant, verdicts on it, and what it may look up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from feedback_ingest.sample.files import dated, read_lines

Environment = Literal["production", "development"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantConversation:
    """A question put to the assistant, its answer, and the verdict of the person who asked (or none)."""

    unique_id: str
    agent: str
    agent_version: int
    environment: Environment
    customer_id: str
    customer_name: str
    email: str
    language: str
    question: str
    answer: str
    verdict: Literal["positive", "neutral", "negative", "none"]
    created_at: datetime
    reason: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeDocument:
    """An article (with `updated_at`) or an incident (with a severity and times; open when not resolved)."""

    slug: str
    kind: Literal["article", "incident"]
    title: str
    text: str
    updated_at: datetime | None = None
    severity: str | None = None
    started_at: datetime | None = None
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenExample:
    """The answer that should have been given, with words it must and must not contain."""

    unique_id: str
    query: str
    original_response: str
    golden_response: str
    source_type: Literal["positive", "negative"]
    split: Literal["train", "eval"]
    contains: list[str]
    not_contains: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentVersion:
    """One version of an agent's instructions and the environments it is deployed to."""

    number: int
    instructions: str
    temperature: float
    environments: list[Environment]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnableAgent:
    """A prompt that can be run: `id` is its slug, the schemas are JSON Schema."""

    id: str
    name: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    versions: list[AgentVersion]


def assistant_conversations(now: datetime) -> list[AssistantConversation]:
    """Return the tracked conversations of the assistant, oldest first."""
    return msgspec.convert(dated(read_lines("ai_assistant"), now), type=list[AssistantConversation])


def knowledge_documents(now: datetime) -> list[KnowledgeDocument]:
    """Return the articles and incidents that a better answer may be looked up in."""
    return msgspec.convert(dated(read_lines("knowledge"), now), type=list[KnowledgeDocument])


def golden_examples() -> list[GoldenExample]:
    """Return the golden examples that the team has already made."""
    return msgspec.convert(read_lines("golden"), type=list[GoldenExample])


def runnable_agents(now: datetime) -> list[RunnableAgent]:
    """Return the agents that can be run, each with its versions from the first to the last."""
    return msgspec.convert(dated(read_lines("agents"), now), type=list[RunnableAgent])
