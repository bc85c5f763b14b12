"""What the review half stores: agents and runs, verdicts, golden examples, knowledge, and settings."""

from review.models.agents import Agent, AgentDeployment, AgentSchema, AgentVersion, Run
from review.models.checks import GoldenCheckResult, GoldenCheckRun
from review.models.feedback import (
    Feedback,
    FeedbackAnnotation,
    FeedbackCount,
    FeedbackSpan,
    ReviewDraft,
)
from review.models.golden import (
    GoldenCitation,
    GoldenCount,
    GoldenExample,
    GoldenImport,
    GoldenVariants,
    GoldenVersion,
)
from review.models.knowledge import KnowledgeDocument, KnowledgePassage
from review.models.settings import ApprovalStream, FeedbackSettings

__all__ = [
    "Agent",
    "AgentDeployment",
    "AgentSchema",
    "AgentVersion",
    "ApprovalStream",
    "Feedback",
    "FeedbackAnnotation",
    "FeedbackCount",
    "FeedbackSettings",
    "FeedbackSpan",
    "GoldenCheckResult",
    "GoldenCheckRun",
    "GoldenCitation",
    "GoldenCount",
    "GoldenExample",
    "GoldenImport",
    "GoldenVariants",
    "GoldenVersion",
    "KnowledgeDocument",
    "KnowledgePassage",
    "ReviewDraft",
    "Run",
]
