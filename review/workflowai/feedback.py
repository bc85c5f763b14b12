"""`/v1/feedback`: what customers say of an answer, by its feedback token alone, from any page."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from pydantic import BaseModel, Field
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.errors import DomainError
from review.models import Feedback, Run
from review.services.feedback import Verdict, submit_on_run
from review.services.spans import MOST_SPANS, Span
from review.services.tokens import read_token, run_claimed
from review.validation import Storable, Text, read_body, read_query
from review.workflowai import quota
from review.workflowai.errors import TooManyRequests, workflowai_exception_handler

MOST_BYTES = 64 * 1024
# A browser asks before it sends these; `*` would not cover Authorization, which is allowed and ignored.
ALLOWED_HEADERS = "Content-Type, Authorization, X-WorkflowAI-Source, X-WorkflowAI-Language, X-WorkflowAI-Version"
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": ALLOWED_HEADERS,
    "Access-Control-Max-Age": "86400",
}

UserId = Annotated[str, Field(max_length=255), Storable]


class SelectedWords(BaseModel):
    """Words of the answer that the user pointed at: code points `start` to `end`, which read `text`."""

    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=1)]
    text: Text


class Submission(BaseModel):
    """A verdict on the answer that a token is for."""

    feedback_token: Text
    outcome: Literal["positive", "negative"]
    comment: Annotated[str, Field(max_length=5_000), Storable] | None = None
    user_id: UserId | None = None
    spans: Annotated[list[SelectedWords], Field(max_length=MOST_SPANS)] | None = None

    @property
    def verdict(self) -> Verdict:
        """What the user said."""
        spans = [Span(each.start, each.end, each.text) for each in self.spans or ()]
        return Verdict(self.outcome, comment=self.comment, spans=spans)


class Question(BaseModel):
    """Whose verdict is asked for; without a user, that of anonymous users."""

    feedback_token: Text
    user_id: UserId | None = None


class TokenFeedback(APIView):
    """`POST` and `GET /v1/feedback`."""

    authentication_classes = []
    permission_classes = []
    schema = None

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Answer errors as the contract has them."""
        return workflowai_exception_handler

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Let pages of any origin read the answer, also an error."""
        final = super().finalize_response(request, response, *args, **kwargs)
        for name, value in CORS.items():
            final[name] = value
        final["Cache-Control"] = "no-store"
        return final

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        """Tell browsers that they may call."""
        return Response(status=status.HTTP_204_NO_CONTENT, headers=PREFLIGHT)

    def post(self, request: Request) -> Response:
        """Store a verdict; a second one by the same user takes the place of the first."""
        if len(request.body) > MOST_BYTES:
            raise DomainError(f"The body exceeds {MOST_BYTES} bytes.", code="entity_too_large", status=413)
        sent = read_body(request, Submission)
        run = _run(request, sent.feedback_token)
        feedback = submit_on_run(run, sent.verdict, external_user_id=sent.user_id or "")
        return Response(
            {
                "id": feedback.uuid,
                "outcome": feedback.sentiment,
                "comment": feedback.comment,
                "user_id": feedback.external_user_id or None,
            }
        )

    def get(self, request: Request) -> Response:
        """Show the verdict of a user, or null."""
        asked = read_query(request, Question)
        run = _run(request, asked.feedback_token)
        given = Feedback.objects.current().filter(
            project=run.project, run=run, kind=Feedback.Kind.RUN, external_user_id=asked.user_id or ""
        )
        return Response({"outcome": given.values_list("sentiment", flat=True).first()})


def _run(request: Request, token: str) -> Run:
    """Return the run that a token lets one judge. Raises one and the same DomainError for every other token."""
    claim = read_token(token)
    wait = quota.take(request, claim)
    if wait is not None:
        raise TooManyRequests(wait)
    run = run_claimed(claim) if claim else None
    if run is None:
        raise DomainError("Invalid feedback token", code="bad_request")
    return run
