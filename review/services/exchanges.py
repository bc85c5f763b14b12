"""What was asked and what was answered, as a reviewer reads it."""

from dataclasses import dataclass

from django.db.models import Q

from feedback_ingest.models import Message
from review.models import Run
from review.rendering import render


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and the answer to it."""

    query: str
    response: str


def exchange_of_message(message: Message) -> Exchange | None:
    """Return the answer that a message is, or led to, with its question; None where nobody answered."""
    thread = Message.objects.filter(conversation=message.conversation_id)
    same_moment = Q(sent_at=message.sent_at)
    if message.sender == Message.Sender.END_USER:
        later = Q(sent_at__gt=message.sent_at) | (same_moment & Q(pk__gt=message.pk))
        answers = thread.filter(later, sender=Message.Sender.AGENT, action_name=None)
        answer = answers.order_by("sent_at", "pk").first()
        return Exchange(message.content, answer.content) if answer else None
    earlier = Q(sent_at__lt=message.sent_at) | (same_moment & Q(pk__lt=message.pk))
    asked = thread.filter(earlier, sender=Message.Sender.END_USER).order_by("-sent_at", "-pk")
    question = asked.values_list("content", flat=True).first()
    return Exchange(question or "", message.content)


def exchange_of_run(run: Run) -> Exchange | None:
    """Return a run's input and output as text; None for a run that gave no answer."""
    if run.output is None and not run.answer:
        return None
    return Exchange(render(run.input), run.answer or render(run.output))
