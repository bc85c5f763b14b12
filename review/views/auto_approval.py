"""The switches of approval without a reviewer: stop and go, of all of it or of one stream, and taking it back."""

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from projects.console import toast
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from review.models import ApprovalStream
from review.services import auto_approval
from review.services.sampling import sample_more
from review.views.deciding import back

DRAWN_AT_ONCE = 10


@require_POST
@project_page(Permission.MANAGE)
def approval_suspend(request: ProjectRequest) -> HttpResponse:
    """Stop all approval without a reviewer."""
    auto_approval.suspend(request.project, actor=request.user)
    undo = reverse("approval_resume", args=[request.project.slug])
    toast(request, "Suspended: every verdict waits for a reviewer now.", undo_url=undo)
    return _back(request)


@require_POST
@project_page(Permission.MANAGE)
def approval_resume(request: ProjectRequest) -> HttpResponse:
    """Allow approval without a reviewer again."""
    auto_approval.resume(request.project, actor=request.user)
    toast(request, "Resumed.", undo_url=reverse("approval_suspend", args=[request.project.slug]))
    return _back(request)


@require_POST
@project_page(Permission.MANAGE)
def approval_stream_resume(request: ProjectRequest, pk: int) -> HttpResponse:
    """Trust a suspended stream again."""
    auto_approval.resume_stream(_stream(request, pk), actor=request.user)
    toast(request, "Resumed. Its checks are counted from zero.")
    return _back(request)


@require_POST
@project_page(Permission.MANAGE)
def approval_stream_revert(request: ProjectRequest, pk: int) -> HttpResponse:
    """Send what a stream approved back to the queue."""
    reverted = auto_approval.revert_stream(_stream(request, pk), actor=request.user)
    toast(request, f"{reverted:,} taken back: they wait for a reviewer, and their examples are switched off.")
    return _back(request)


@require_POST
@project_page(Permission.MANAGE)
def approval_sample(request: ProjectRequest) -> HttpResponse:
    """Draw approved verdicts at random, to be checked."""
    drawn = sample_more(request.project, DRAWN_AT_ONCE, actor=request.user)
    toast(request, f"{drawn} drawn at random." if drawn else "Nothing was approved that could be checked.")
    return back(request, reverse("review_queue", args=[request.project.slug]))


def _stream(request: ProjectRequest, pk: int) -> ApprovalStream:
    streams = ApprovalStream.objects.visible_to(request.user).filter(project=request.project, pk=pk)
    stream: ApprovalStream | None = streams.select_related("project").first()
    if stream is None:
        raise Http404("No such stream.")
    return stream


def _back(request: ProjectRequest) -> HttpResponse:
    return back(request, reverse("review_statistics", args=[request.project.slug]))
