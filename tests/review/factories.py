"""Plain functions that make conversations, runs and verdicts."""

import hashlib
from itertools import count
from typing import Any

from feedback_ingest.models import Conversation, Message
from projects.models import Project, User
from review.models import Agent, Feedback, Run
from review.rendering import render
from review.services.feedback import Verdict, submit_on_message, submit_on_run

_numbers = count(1)

QUERY = "What is the incident resolution time?"
ANSWER = "The average resolution time is 2 hours."


def make_conversation(project: Project, **overrides: Any) -> Conversation:
    """Make a tracked conversation."""
    fields = {"conversation_id": f"chat-{next(_numbers)}"} | overrides
    agent = fields.pop("agent", None) or project.tracked_agents.get()
    return Conversation.objects.create(project=project, agent=agent, **fields)


def make_answer(
    project: Project,
    *,
    query: str = QUERY,
    answer: str = ANSWER,
    conversation: Conversation | None = None,
    **overrides: Any,
) -> Message:
    """Make a question and its answer in a conversation; return the answer."""
    conversation = conversation or make_conversation(project, **overrides)
    common = {"project": project, "conversation": conversation}
    Message.objects.create(**common, sender=Message.Sender.END_USER, content=query)
    message = Message.objects.create(**common, sender=Message.Sender.AGENT, content=answer)
    message.refresh_from_db()
    return message


def make_run(project: Project, **overrides: Any) -> Run:
    """Make a run that answered."""
    number = next(_numbers)
    agent = Agent.objects.create(project=project, slug=f"agent-{number}", name=f"Agent {number}")
    fields: dict[str, Any] = {"input": {"question": QUERY}, "output": {"answer": ANSWER}} | overrides
    fields.setdefault("answer", render(fields["output"]))
    fields.setdefault("answer_hash", hashlib.sha256(fields["answer"].encode()).digest())
    return Run.objects.create(project=project, agent=agent, status=Run.Status.SUCCESS, **fields)


def make_feedback(
    user: User, project: Project, sentiment: str = "negative", *, reason: str | None = None, **answer: Any
) -> Feedback:
    """Let `user` judge an answer that they were given."""
    message = make_answer(project, customer_id=user.email, **answer)
    return submit_on_message(message, Verdict(sentiment, reason=reason), user=user)


def make_run_feedback(project: Project, sentiment: str = "negative", user_id: str = "", **fields: Any) -> Feedback:
    """Let a customer judge a run."""
    return submit_on_run(make_run(project), Verdict(sentiment, **fields), external_user_id=user_id)
