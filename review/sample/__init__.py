"""The sample project's AI half: what its assistant was asked, how it did, and what reviewers made of it."""

from datetime import datetime

from feedback_ingest.sample import assistant_conversations, golden_examples, knowledge_documents, runnable_agents
from projects.models import Membership, Project
from projects.roles import Role
from review.models import Agent
from review.sample.agents import load_agent
from review.sample.conversations import load_conversations
from review.sample.decisions import decide
from review.sample.knowledge import load_document
from review.sample.runs import load_runs
from review.services import words

__all__ = ["load_assistant"]


def load_assistant(project: Project, now: datetime) -> None:
    """Load it into a project, as if the last of it had just happened at `now`; a second time changes nothing."""
    if Agent.objects.filter(project=project).exists():
        return
    owner = Membership.objects.select_related("user").get(project=project, role=Role.OWNER).user
    for document in knowledge_documents(now):
        load_document(project, document, owner, now)
    agents = [load_agent(project, agent, owner) for agent in runnable_agents(now)]
    said = assistant_conversations(now)
    verdicts = load_conversations(project, said)
    load_runs(agents[0], said, owner, now)
    decide(project, verdicts, golden_examples(), owner)
    words.take_in_words(project)
