"""Submitting feedback, and reviewing it."""

from dataclasses import asdict
from typing import Any

from django.http import HttpResponseBase, JsonResponse
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import DomainError
from projects.models import ApiKey, Project
from projects.roles import Permission
from review.management_api import representation, schemas
from review.management_api.base import FeedbackView, as_uuid, person, project_for, sees_people
from review.models import Feedback
from review.querysets import FeedbackQuerySet
from review.services import counts, transitions
from review.services.feedback import Verdict, may_judge, message_named, submit_on_message
from review.services.settings import change_settings, settings_of
from review.services.suggestions import SuggestionFailed, suggest_response
from review.validation import read_body, read_query


class Submit(FeedbackView):
    """`POST /feedback`."""

    def post(self, request: Request) -> Response:
        """Store the caller's verdict on a message of theirs."""
        sent = read_body(request, schemas.Submission)
        try:
            message = message_named(sent.message_id)
        except ValueError as error:
            raise DomainError(
                "Invalid message ID format. Feedback can only be submitted for saved messages.",
                code="invalid_message_id",
            ) from error
        elsewhere = message and isinstance(request.auth, ApiKey) and request.auth.project_id != message.project_id
        if message is None or elsewhere or not may_judge(person(request), message):
            raise DomainError(f"Message {sent.message_id} not found", code="message_not_found")
        feedback = submit_on_message(message, Verdict(sent.feedback_type, reason=sent.reason), user=person(request))
        return Response(representation.own_feedback(feedback), status=status.HTTP_201_CREATED)


class Own(FeedbackView):
    """`GET /feedback/message/{id}`."""

    def get(self, request: Request, message_id: str) -> HttpResponseBase:
        """Show the caller's own verdict on a message, or null."""
        try:
            message = message_named(message_id)
        except ValueError:
            message = None
        given = Feedback.objects.filter(user=person(request), channel=Feedback.Channel.API)
        feedback = given.filter(message=message).select_related("message").first() if message else None
        if feedback is None:
            return JsonResponse(None, safe=False)
        return Response(representation.own_feedback(feedback))


class List(FeedbackView):
    """`GET /feedback/admin/list`."""

    def get(self, request: Request) -> Response:
        """List verdicts, the newest first."""
        project = project_for(request, Permission.VIEW)
        asked = read_query(request, schemas.FeedbackPage)
        rows = Feedback.objects.reviewable().filter(project=project)
        if asked.status:
            rows = rows.filter(status=asked.status)
        if asked.type:
            rows = rows.filter(sentiment=asked.type)
        found, total = _found(rows, project, asked)
        personal = sees_people(request, project)
        return Response(
            {
                "items": [representation.feedback_with_context(row, personal=personal) for row in found],
                "total": total,
                "limit": asked.limit,
                "offset": asked.offset,
            }
        )


class Statistics(FeedbackView):
    """`GET /feedback/admin/stats`."""

    def get(self, request: Request) -> Response:
        """Count verdicts and examples."""
        return Response(asdict(counts.statistics(project_for(request, Permission.VIEW))))


class Settings(FeedbackView):
    """`GET` and `PUT /feedback/admin/settings`."""

    def get(self, request: Request) -> Response:
        """Show the four switches."""
        project = project_for(request, Permission.MANAGE)
        return Response(representation.settings_response(settings_of(project)))

    def put(self, request: Request) -> Response:
        """Change the switches that are named."""
        project = project_for(request, Permission.MANAGE)
        changes = read_body(request, schemas.SettingsChange).model_dump(exclude_none=True)
        stored = change_settings(project, actor=person(request), **changes)
        return Response(representation.settings_response(stored))


class Detail(FeedbackView):
    """`GET` and `DELETE /feedback/admin/{id}`."""

    def get(self, request: Request, feedback_id: str) -> Response:
        """Show one verdict."""
        project = project_for(request, Permission.VIEW)
        feedback = _one(project, feedback_id)
        return Response(representation.feedback_with_context(feedback, personal=sees_people(request, project)))

    def delete(self, request: Request, feedback_id: str) -> Response:
        """Remove a verdict and its example for good."""
        feedback = _one(project_for(request, Permission.MANAGE), feedback_id)
        transitions.delete_feedback(feedback, actor=person(request))
        return Response({"message": "Feedback deleted successfully", "feedback_id": feedback.uuid})


class Resolve(FeedbackView):
    """`POST /feedback/admin/{id}/resolve`."""

    def post(self, request: Request, feedback_id: str) -> Response:
        """Make a golden example of a verdict."""
        project = project_for(request, Permission.MANAGE)
        sent = read_body(request, schemas.Resolution)
        feedback = _one(project, feedback_id)
        example = transitions.resolve_feedback(feedback, actor=person(request), golden_response=sent.golden_response)
        return Response(
            {
                "message": "Feedback resolved successfully",
                "feedback_id": feedback.uuid,
                "golden_example_id": example.pk,
                "status": feedback.status,
            }
        )


class Dismiss(FeedbackView):
    """`POST /feedback/admin/{id}/dismiss`."""

    def post(self, request: Request, feedback_id: str) -> Response:
        """Set a verdict aside."""
        project = project_for(request, Permission.MANAGE)
        sent = read_body(request, schemas.Dismissal)
        feedback = _one(project, feedback_id)
        transitions.dismiss_feedback(feedback, actor=person(request), reason=sent.reason)
        return _moved("Feedback dismissed", feedback)


class Restore(FeedbackView):
    """`POST /feedback/admin/{id}/restore`."""

    def post(self, request: Request, feedback_id: str) -> Response:
        """Make a dismissed verdict pending again."""
        feedback = _one(project_for(request, Permission.MANAGE), feedback_id)
        transitions.restore_feedback(feedback, actor=person(request))
        return _moved("Feedback restored to pending", feedback)


class GenerateResponse(FeedbackView):
    """`POST /feedback/admin/{id}/generate-response`."""

    def post(self, request: Request, feedback_id: str) -> Response:
        """Let the model suggest a better answer; the verdict does not change."""
        feedback = _one(project_for(request, Permission.MANAGE), feedback_id)
        try:
            suggestion = suggest_response(feedback, actor=person(request))
        except SuggestionFailed as error:
            raise DomainError(f"Failed to generate response: {error}", code="generation_failed", status=500) from error
        return Response(
            {
                "generated_response": suggestion.text,
                "tool_calls_made": suggestion.tool_calls,
                "generation_time_ms": suggestion.milliseconds,
                "success": True,
                "error": None,
            }
        )


def _one(project: Project, feedback_id: str) -> Feedback:
    return _get(Feedback.objects.defer("search"), project, feedback_id)


def _get(rows: FeedbackQuerySet, project: Project, feedback_id: str) -> Feedback:
    uuid = as_uuid(feedback_id, transitions.not_found())
    feedback: Feedback | None = rows.reviewable().filter(project=project, uuid=uuid).first()
    if feedback is None:
        raise transitions.not_found()
    feedback.project = project
    return feedback


def _found(rows: FeedbackQuerySet, project: Project, asked: schemas.FeedbackPage) -> tuple[list[Feedback], int]:
    """Return a page and how many rows there are; up to a limit where free text is searched."""
    rows = rows.newest_first()
    if asked.search and asked.search.strip():
        rows = rows.matching(asked.search)
        return _page(rows, asked.offset, asked.limit), counts.capped(rows)
    count = counts.list_count(project, status=asked.status, sentiment=asked.type)
    if asked.offset >= count.total:
        return [], count.total
    place = count.place(asked.offset)
    return _page(rows.filter(created_at__lt=place.before), place.skipped, asked.limit), count.total


def _page(rows: FeedbackQuerySet, skipped: int, limit: int) -> list[Feedback]:
    # Found by their keys first, so that rows that are only skipped are not joined with anything.
    keys = rows.values("pk")[skipped : skipped + limit]
    return list(Feedback.objects.filter(pk__in=keys).with_context().newest_first())


def _moved(message: str, feedback: Feedback) -> Response:
    body: dict[str, Any] = {"message": message, "feedback_id": feedback.uuid, "status": feedback.status}
    return Response(body)
