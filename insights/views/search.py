"""Looking for what customers said about something."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from feedback_ingest.models import FeedbackItem, Person
from insights.models import Insight
from insights.search import MOST_ASKED, Found, read_question, search_feedback
from projects.pages import ProjectRequest, project_page

SUGGESTED = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """A passage as the page shows it."""

    found: Found
    url: str

    @property
    def person(self) -> Person | None:
        """Who said it."""
        return self.found.passage.text.person


@require_GET
@project_page()
def search(request: ProjectRequest) -> HttpResponse:
    """Show the passages that say most about what was typed, or what could be asked."""
    question = read_question(request.GET.get("q", ""))
    is_too_long = len(question) > MOST_ASKED
    answers = [] if is_too_long else _answers(request, question)
    context = {
        "page_title": "Search",
        "sees_people": request.sees_people,
        "question": question[:MOST_ASKED],
        "is_too_long": is_too_long,
        "most_asked": MOST_ASKED,
        "answers": answers,
        "suggested": [] if answers else _suggested(request),
    }
    return render(request, "insights/search.html", context)


def _answers(request: ProjectRequest, question: str) -> list[Answer]:
    items = FeedbackItem.objects.visible_to(request.user).filter(project=request.project).listed()
    slug = request.project.slug
    return [
        Answer(found, reverse("feedback_item", args=[slug, found.passage.item.pk]))
        for found in search_feedback(request.project, items, question)
    ]


def _suggested(request: ProjectRequest) -> list[str]:
    """Return what much was said of: the titles of the insights with most evidence."""
    insights = Insight.objects.visible_to(request.user).live().filter(project=request.project)
    return list(insights.order_by("-weight", "pk").values_list("title", flat=True)[:SUGGESTED])
