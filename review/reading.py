"""What a reviewer reads around an answer: the words users pointed at, what was said before, and why it is here."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from django.db.models import Q

from feedback_ingest.models import Message
from projects.models import User
from review.models import Feedback, FeedbackSpan, GoldenExample, Run
from review.queue import needs_decision
from review.rendering import render

MOST_TURNS = 20
MOST_USERS = 50
# From so many users on a place is not lit any brighter.
HOTTEST = 3


class Segment(NamedTuple):
    """A stretch of the answer and how many users pointed at it."""

    text: str
    users: int

    @property
    def heat(self) -> int:
        """How brightly it is lit, from 1 to `HOTTEST`."""
        return min(self.users, HOTTEST)


class Pointed(NamedTuple):
    """Words that a user pointed at, and what they said of them."""

    words: str
    reason: str


@dataclass(frozen=True, slots=True)
class LitAnswer:
    """An answer with the words lit that users selected; those that do not stand in it are left out."""

    segments: tuple[Segment, ...]
    pointed: tuple[Pointed, ...]

    @property
    def users(self) -> int:
        """How many users pointed at the same words, at most."""
        return max((segment.users for segment in self.segments), default=0)


class Turn(NamedTuple):
    """Something said before the answer: by the "customer", the "bot", or by neither ("system")."""

    role: str
    text: str
    when: datetime | None


class Why(NamedTuple):
    """Why a verdict is in the queue."""

    icon: str
    word: str
    detail: str = ""


def lit_answer(feedback: Feedback) -> LitAnswer:
    """Light the words that anybody who judged the same answer selected in it."""
    answer = feedback.original_response or ""
    same = Q(feedback=feedback)
    if feedback.run_id:
        same |= Q(feedback__run=feedback.run_id, feedback__superseded_at=None)
    elif feedback.message_id:
        same |= Q(feedback__message=feedback.message_id)
    rows = FeedbackSpan.objects.filter(same, project=feedback.project_id).order_by("start", "end")
    spans = [span for span in rows[: MOST_USERS * 20] if _stands(span, answer)]
    own = [span for span in spans if span.feedback_id == feedback.pk]
    pointed = tuple(Pointed(answer[span.start : span.end], span.reason) for span in own)
    return LitAnswer(tuple(_segments(answer, spans)), pointed)


def _stands(span: FeedbackSpan, answer: str) -> bool:
    words = answer[span.start : span.end]
    return span.end <= len(answer) and hashlib.sha256(words.encode()).digest() == bytes(span.text_hash)


def _segments(answer: str, spans: Sequence[FeedbackSpan]) -> Iterable[Segment]:
    bounds = sorted({0, len(answer), *(span.start for span in spans), *(span.end for span in spans)})
    for start, end in pairwise(bounds):
        users = {span.feedback_id for span in spans if span.start <= start and end <= span.end}
        yield Segment(answer[start:end], len(users))


def turns_before(feedback: Feedback) -> list[Turn]:
    """Return what was said before the question that was judged, the oldest first."""
    if feedback.run:
        return _turns_of_run(feedback.run)
    if feedback.message is None:
        return []
    message = feedback.message
    earlier = Q(sent_at__lt=message.sent_at) | Q(sent_at=message.sent_at, pk__lt=message.pk)
    rows = Message.objects.filter(earlier, conversation=message.conversation_id).order_by("-sent_at", "-pk")
    found = list(rows.only("sender", "content", "action_name", "sent_at")[: MOST_TURNS + 1])
    # The question itself stands above the answer.
    if found and found[0].content == feedback.original_query:
        found = found[1:]
    return [_turn(row) for row in reversed(found[:MOST_TURNS])]


def _turn(message: Message) -> Turn:
    if message.action_name:
        return Turn("system", f"{message.action_name} {message.content}".strip(), message.sent_at)
    return Turn("customer" if message.sender == Message.Sender.END_USER else "bot", message.content, message.sent_at)


def _turns_of_run(run: Run) -> list[Turn]:
    roles = {"user": "customer", "assistant": "bot"}
    messages = [message for message in run.messages if isinstance(message, dict)]
    return [
        Turn(roles.get(str(message.get("role")), "system"), render(message.get("content") or ""), None)
        for message in messages[-MOST_TURNS:]
    ]


def tools_used(feedback: Feedback) -> list[str]:
    """Return the names of what was looked up for the answer, as far as its client said."""
    metadata = feedback.message.metadata if feedback.message else {}
    calls = feedback.run.tool_calls if feedback.run else metadata.get("tool_calls") or metadata.get("tools") or []
    names = [_tool_name(call) for call in calls] if isinstance(calls, list) else []
    return list(dict.fromkeys(name for name in names if name))


def _tool_name(call: Any) -> str:
    if isinstance(call, str):
        return call[:80]
    if not isinstance(call, dict):
        return ""
    function = call.get("function")
    name = call.get("name") or (function.get("name") if isinstance(function, dict) else "")
    return str(name or "")[:80]


def why_here(feedback: Feedback, user: User) -> list[Why]:
    """Say why a verdict waits for a reviewer; nothing for one that does not."""
    if not needs_decision(feedback):
        return []
    example: GoldenExample | None = getattr(feedback, "golden_example", None)
    reasons = []
    if feedback.assignee_id:
        reasons.append(Why("user-check", "Given to you" if feedback.assignee_id == user.pk else "Second opinion"))
    if feedback.status == Feedback.Status.AUTO_APPROVED:
        reasons.append(Why("shield-check", "Sampled check", "approved without a reviewer"))
    elif example is not None:
        reasons.append(Why("rotate-ccw", "Reopened"))
    if example is not None and example.attention == GoldenExample.Attention.CONFLICT:
        reasons.append(Why("git-compare-arrows", "Conflict", "another example answers this differently"))
    positive = feedback.sentiment == Feedback.Sentiment.POSITIVE
    return [*reasons, Why("thumbs-up", "Thumbs-up") if positive else Why("thumbs-down", "Thumbs-down")]
