"""The model's suggestion of a better answer, as it is written; it becomes a draft and nothing more."""

import json
from collections.abc import Iterator
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from insights.llm.conversation import ToolUsed, Words
from projects.console import toast
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from projects.streams import TooManyStreams, bounded
from review.services.suggestions import Suggestion, SuggestionFailed, stream_suggestion, suggest_response
from review.views.query import find_feedback

WAIT_SECONDS = 5


@require_POST
@project_page(Permission.MANAGE)
def review_suggest(request: ProjectRequest, uuid: UUID) -> HttpResponse:
    """Let the model write, and go back to the verdict when it is done."""
    feedback = find_feedback(request, uuid)
    try:
        suggest_response(feedback, actor=request.user)
    except SuggestionFailed as failure:
        toast(request, f"No suggestion. {failure}", level=messages.ERROR)
    carried = request.POST.get("query", "")
    item_url = reverse("review_item", args=[request.project.slug, uuid])
    return HttpResponseRedirect(item_url + (carried if carried.startswith("?") else ""))


@require_POST
@project_page(Permission.MANAGE)
def review_suggest_stream(request: ProjectRequest, uuid: UUID) -> HttpResponseBase:
    """Let the model write, a line of JSON for each step: a tool, words, and at last the end or why there is none."""
    feedback = find_feedback(request, uuid)
    try:
        lines = bounded(_lines(stream_suggestion(feedback, actor=request.user)))
    except TooManyStreams:
        return HttpResponse("Too many at once.", status=503, headers={"Retry-After": str(WAIT_SECONDS)})
    answer = StreamingHttpResponse(lines, content_type="application/x-ndjson")
    answer.headers["Cache-Control"] = "no-store"
    # Proxies that collect an answer before they pass it on are asked not to.
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def _lines(steps: Iterator[Words | ToolUsed | Suggestion]) -> Iterator[bytes]:
    try:
        for step in steps:
            yield json.dumps(_described(step)).encode() + b"\n"
    except SuggestionFailed as failure:
        yield json.dumps({"failed": str(failure)}).encode() + b"\n"


def _described(step: Words | ToolUsed | Suggestion) -> dict[str, str | int]:
    match step:
        case Words():
            return {"words": step.text}
        case ToolUsed():
            return {"tool": step.name.replace("_", " ")}
        case Suggestion():
            return {"done": step.text, "tools": step.tool_calls, "milliseconds": step.milliseconds}
