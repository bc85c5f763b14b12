"""Runs of the checks: how many passed over time, and what was answered."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from projects.pages import ProjectRequest, project_page
from review.models import GoldenCheckResult, GoldenCheckRun
from review.services.check_runs import questions_of
from review.views.golden import tabs
from review.views.golden_paging import page_of, without

MOST_RESULTS = 500


@require_GET
@project_page()
def checks_list(request: ProjectRequest) -> HttpResponse:
    """Show the runs, and how one is started."""
    runs = GoldenCheckRun.objects.visible_to(request.user).filter(project=request.project)
    context = {
        "page_title": "Runs of checks",
        "tabs": tabs(request, "checks_list"),
        "page": page_of(runs, request.GET),
        "questions": questions_of(request.project).count(),
        "command": f"python manage.py golden run --project {request.project.slug} --target https://api.example.com/v1",
    }
    return render(request, "golden/checks.html", context)


@require_GET
@project_page()
def checks_run(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Show what was answered in a run, what did not pass first."""
    runs = GoldenCheckRun.objects.visible_to(request.user).filter(project=request.project)
    run: GoldenCheckRun = get_object_or_404(runs, pk=pk)
    outcome = request.GET.get("outcome", "")
    results = run.results.select_related("example").order_by("outcome", "created_at", "pk")
    if outcome in GoldenCheckResult.Outcome.values:
        results = results.filter(outcome=outcome)
    context = {
        "page_title": "Run of checks",
        "run": run,
        "results": list(results[:MOST_RESULTS]),
        "outcomes": [
            (word, without(request.GET, "outcome") + (f"&outcome={name}" if name else ""), outcome == name)
            for name, word in (("", "All"), ("failed", "Failed"), ("error", "No answer"), ("passed", "Passed"))
        ],
    }
    return render(request, "golden/run.html", context)
