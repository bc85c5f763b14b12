"""Loads the tracked conversations of the sample's assistant with what their users said."""

from collections.abc import Sequence
from datetime import timedelta

from feedback_ingest.models import Conversation, Message
from feedback_ingest.sample import AssistantConversation
from projects.models import Project, TrackedAgent
from review.models import Feedback, GoldenExample
from review.services.feedback import Verdict, submit_on_tracked_message
from review.services.spans import Span

NAME = "Vanfold assistant"
ANSWERED_AFTER = timedelta(seconds=4)
JUDGED_AFTER = timedelta(seconds=90)
# The old rule about refunds, which users pointed at wherever the assistant repeated it.
WRONG_WORDS = ("60 days", "60 Tage")


def load_conversations(project: Project, said: Sequence[AssistantConversation]) -> dict[str, Feedback]:
    """Load them, and return the verdicts by the id of their conversation."""
    agent = TrackedAgent.objects.filter(project=project).order_by("pk").first()
    if agent is None:
        agent = TrackedAgent(project=project)
    agent.name = NAME
    agent.save()
    return {each.unique_id: verdict for each in said if (verdict := _load(agent, each))}


def _load(agent: TrackedAgent, said: AssistantConversation) -> Feedback | None:
    conversation = Conversation.objects.create(
        project=agent.project,
        agent=agent,
        conversation_id=said.unique_id,
        name=said.question[:255],
        customer_id=said.customer_id,
        language=said.language,
        origin="web",
        environment=said.environment,
        started_at=said.created_at,
        ended_at=said.created_at + JUDGED_AFTER,
    )
    common = {"project": agent.project, "conversation": conversation}
    Message.objects.create(**common, sender=Message.Sender.END_USER, content=said.question, sent_at=said.created_at)
    answer = Message.objects.create(
        **common,
        sender=Message.Sender.AGENT,
        content=said.answer,
        sent_at=said.created_at + ANSWERED_AFTER,
        metadata={"version": said.agent_version},
    )
    return None if said.verdict == "none" else _judged(answer, said)


def _judged(answer: Message, said: AssistantConversation) -> Feedback:
    verdict = Verdict(said.verdict, reason=said.reason, comment=said.comment, spans=_pointed(said))
    feedback, _ = submit_on_tracked_message(answer, verdict, origin=Feedback.Origin.CUSTOMER)
    given = said.created_at + JUDGED_AFTER
    Feedback.objects.filter(pk=feedback.pk).update(created_at=given, updated_at=given)
    GoldenExample.objects.filter(feedback=feedback).update(created_at=given, updated_at=given)
    feedback.created_at = given
    return feedback


def _pointed(said: AssistantConversation) -> list[Span]:
    if said.verdict != "negative":
        return []
    places = ((said.answer.find(wrong), wrong) for wrong in WRONG_WORDS)
    return [Span(start, start + len(wrong), wrong) for start, wrong in places if start >= 0]
