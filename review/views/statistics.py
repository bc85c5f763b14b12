"""How content users are, how the reviewers get on, and whether approval without them can be trusted."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_GET

from insights.ranges import Range
from projects.charts import TrendPoint
from projects.pages import ProjectRequest, project_page
from review import satisfaction
from review.satisfaction import Tally, Week
from review.services import counts
from review.services.settings import settings_of
from review.views.query import frame

PERIODS = {"30": "30 days", "90": "90 days", "365": "1 year"}
DEFAULT_DAYS = "90"


@require_GET
@project_page()
def review_statistics(request: ProjectRequest) -> HttpResponse:
    """Show the numbers of the last days."""
    project = request.project
    days = request.GET.get("days", DEFAULT_DAYS)
    days = days if days in PERIODS else DEFAULT_DAYS
    within = Range.days(project, int(days))
    weeks = satisfaction.by_week(project, within.first_day, within.end_day)
    settings = settings_of(project)
    context = frame(request, "statistics", "Review statistics") | {
        "periods": [(f"?days={each}", words, each == days) for each, words in PERIODS.items()],
        "in_all": _sum(weeks),
        "points": [_point(week) for week in weeks],
        "agents": satisfaction.by_agent(project, within.first_day, within.end_day),
        "versions": satisfaction.by_version(project, within.start, within.end),
        "reviewers": satisfaction.reviewers(project, within.start),
        "standing": counts.statistics(project),
        "oldest": satisfaction.oldest_waiting(project),
        "settings": settings,
        "streams": satisfaction.streams(project),
    }
    return render(request, "review/statistics.html", context)


def _sum(weeks: list[Week]) -> Tally:
    tallies = [week.tally for week in weeks]
    return Tally(
        "",
        sum(tally.positive for tally in tallies),
        sum(tally.negative for tally in tallies),
        sum(tally.neutral for tally in tallies),
    )


def _point(week: Week) -> TrendPoint:
    share = week.tally.score
    marks: Any = () if share is not None else ("no verdicts",)
    is_open = (timezone.now().date() - week.monday).days < 7
    return TrendPoint(date_format(week.monday, "j M"), round(100 * (share or 0)), open=is_open, marks=marks)
