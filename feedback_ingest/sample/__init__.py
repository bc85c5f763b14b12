"""The sample project: feedback on Vanfold, an invented app for small field-service firms."""

from feedback_ingest.sample.assistant import (
    AgentVersion,
    AssistantConversation,
    GoldenExample,
    KnowledgeDocument,
    RunnableAgent,
    assistant_conversations,
    golden_examples,
    knowledge_documents,
    runnable_agents,
)
from feedback_ingest.sample.feedback import (
    INTERNAL_DOMAINS,
    PROJECT_NAME,
    SampleSource,
    sample_items,
    sample_sources,
)

__all__ = [
    "INTERNAL_DOMAINS",
    "PROJECT_NAME",
    "AgentVersion",
    "AssistantConversation",
    "GoldenExample",
    "KnowledgeDocument",
    "RunnableAgent",
    "SampleSource",
    "assistant_conversations",
    "golden_examples",
    "knowledge_documents",
    "runnable_agents",
    "sample_items",
    "sample_sources",
]
