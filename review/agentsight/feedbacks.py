"""Verdicts on conversations, messages and assistants."""

from typing import Any

from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from feedback_ingest.models import Conversation
from review.agentsight import representation, serializers
from review.agentsight.caller import Caller, TrackingView, missing
from review.agentsight.filters import TICKET_STATUSES, FeedbackFilters
from review.agentsight.lookup import feedback_by_key, named_conversation, named_message
from review.agentsight.pages import narrowed, page
from review.agentsight.tracking import checked, stored
from review.models import Feedback
from review.services.feedback import (
    edit_verdict,
    remove_verdict,
    submit_on_agent,
    submit_on_conversation,
    submit_on_tracked_message,
)


class ConversationFeedbacks(TrackingView):
    """`POST /api/conversation-feedbacks/`, by which older clients judge a conversation."""

    def post(self, request: Request) -> Response:
        """Store a verdict; each call adds one."""
        sent = checked(serializers.ConversationVerdict(data=request.data))
        return _added(self.caller, _on_conversation(self.caller, sent), is_first=True)


class Feedbacks(TrackingView):
    """`GET` and `POST /api/feedbacks/`."""

    def get(self, request: Request) -> Response:
        """List verdicts, the newest first."""
        rows = self.caller.feedback.select_related("conversation").newest_first()
        found = narrowed(FeedbackFilters, rows.defer("search", "original_query", "original_response"), request)
        personal = self.caller.sees_people
        answer = page(
            found,
            request,
            self,
            lambda verdicts: [representation.verdict_row(verdict, personal=personal) for verdict in verdicts],
        )
        answer.data["counts"] = _counts(answer.data["count"], request)
        return answer

    def post(self, request: Request) -> Response:
        """Store a verdict; a message has one vote, which a repetition changes."""
        sent = checked(serializers.VerdictSent(data=request.data))
        if sent["kind"] == Feedback.Kind.MESSAGE:
            message = named_message(self.caller, sent["message"])
            if message.conversation.deleted_at:
                raise missing("message")
            verdict, is_first = submit_on_tracked_message(
                message, serializers.verdict(sent), origin=self.caller.origin, user=self.caller.user
            )
            return _added(self.caller, verdict, is_first=is_first)
        if sent["kind"] == Feedback.Kind.CONVERSATION:
            return _added(self.caller, _on_conversation(self.caller, sent), is_first=True)
        if sent["kind"] == Feedback.Kind.AGENT:
            return _added(self.caller, _on_agent(self.caller, sent), is_first=True)
        raise PermissionDenied("Feedback on the product is for its staff.")


class OneFeedback(TrackingView):
    """`GET`, `PATCH` and `DELETE /api/feedbacks/{id}/`."""

    def get(self, request: Request, pk: str) -> Response:
        """Show a verdict."""
        return self._show(feedback_by_key(self.caller, pk), ticket=None)

    def patch(self, request: Request, pk: str) -> Response:
        """Change what is named of a verdict."""
        sent = checked(serializers.VerdictChange(data=request.data))
        verdict = self._own(pk)
        if verdict.kind != Feedback.Kind.MESSAGE:
            serializers.refuse_slugs(sent)
        changed = edit_verdict(verdict, **sent) if sent else verdict
        return self._show(changed)

    def delete(self, request: Request, pk: str) -> Response:
        """Remove a verdict for good."""
        remove_verdict(self._own(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _own(self, pk: str) -> Feedback:
        verdict = feedback_by_key(self.caller, pk)
        if verdict.channel != Feedback.Channel.AGENTSIGHT or verdict.origin != self.caller.origin:
            raise PermissionDenied("This feedback was given by somebody else.")
        return verdict

    def _show(self, verdict: Feedback, **more: Any) -> Response:
        return Response(representation.verdict_row(verdict, personal=self.caller.sees_people) | more)


def _on_conversation(caller: Caller, sent: dict[str, Any]) -> Feedback:
    conversation = named_conversation(caller, sent)
    return submit_on_conversation(conversation, serializers.verdict(sent), origin=caller.origin, user=caller.user)


def _on_agent(caller: Caller, sent: dict[str, Any]) -> Feedback:
    return submit_on_agent(
        caller.agent_named(sent.get("agent")),
        serializers.verdict(sent),
        origin=caller.origin,
        environment=sent.get("environment") or Conversation.Environment.PRODUCTION,
        user=caller.user,
    )


def _added(caller: Caller, verdict: Feedback, *, is_first: bool) -> Response:
    return stored(representation.verdict_row(verdict, personal=caller.sees_people), is_first=is_first)


def _counts(found: int, request: Request) -> dict[str, int]:
    """Count what matches; of tickets there are none."""
    counts = {"all": found}
    if request.query_params.get("include_tickets", "").lower() in ("true", "1"):
        counts |= dict.fromkeys(("tickets", "open_tickets", *TICKET_STATUSES), 0)
    return counts
