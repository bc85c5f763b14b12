"""What the address of a review page says: the part of the queue, the filters, the order and the page."""

from dataclasses import dataclass
from datetime import datetime, time
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404, QueryDict
from django.urls import reverse
from django.utils import timezone

from projects.models import Project
from projects.pages import ProjectRequest
from projects.pagination import decode, encode
from projects.roles import Permission
from review.forms import FILTER_LABELS, FilterForm, filter_words
from review.models import Feedback
from review.queue import Filters, Place, Queue, Show

CARRIED = (*FILTER_LABELS, "show", "sort", "stay")


@dataclass
class QueueQuery:
    """The state of the queue or of the table, all of it in the address."""

    request: ProjectRequest
    data: QueryDict

    @property
    def project(self) -> Project:
        """The project of the page."""
        return self.request.project

    @cached_property
    def form(self) -> FilterForm:
        """The filters as a form."""
        return FilterForm(self.data)

    @cached_property
    def filters(self) -> Filters:
        """The filters."""
        return self.form.filters(self.project)

    @cached_property
    def queue(self) -> Queue:
        """The queue as the reviewer narrowed it."""
        return Queue(self.project, self.request.user, self.filters, oldest_first=self.is_oldest_first)

    @property
    def show(self) -> Show:
        """The part of the queue in view; who asks for what is decided is shown what is done."""
        asked = self._given("show")
        if asked in list(Show):
            return Show(asked)
        decided = (Feedback.Status.REVIEWED, Feedback.Status.DISMISSED)
        return Show.DONE if self.filters.status in decided else Show.MINE

    @property
    def is_oldest_first(self) -> bool:
        """Whether what has waited longest comes first."""
        return self.data.get("sort") == "oldest"

    @property
    def stays(self) -> bool:
        """Whether a decision leaves the reviewer where they are, rather than at the next verdict."""
        return self.data.get("stay") == "yes"

    @property
    def after(self) -> Place | None:
        """The place that the page follows. Raises DomainError for a cursor that is not ours."""
        cursor = self.data.get("after")
        if not cursor:
            return None
        given, moment, row_id = decode(cursor, (bool, datetime, int))
        return Place(given, moment.isoformat(), row_id)

    @property
    def carried(self) -> str:
        """The state without its page, as `?…` or nothing."""
        kept = QueryDict(mutable=True)
        for name in CARRIED:
            if value := self._given(name):
                kept[name] = value
        return f"?{kept.urlencode()}" if kept else ""

    def url(self, **changes: str | None) -> str:
        """Return the address of this page with some parameters changed (None drops one), on its first page."""
        data = QueryDict(self.carried.removeprefix("?"), mutable=True)
        for name, value in changes.items():
            data.pop(name, None)
            if value:
                data[name] = value
        return f"?{data.urlencode()}"

    def page_url(self, place: Place | None) -> str | None:
        """Return the address of the page that begins after a place."""
        return self.url(after=encode(place)) if place else None

    def item_url(self, uuid: UUID) -> str:
        """Return the address of a verdict in this queue."""
        return reverse("review_item", args=[self.project.slug, uuid]) + self.carried

    def queue_url(self) -> str:
        """Return the address of this queue, at what comes first."""
        return reverse("review_queue", args=[self.project.slug]) + self.carried

    @property
    def chips(self) -> list[dict[str, str]]:
        """The filters that are set, each with the address without it."""
        return [
            {
                "name": FILTER_LABELS[name],
                "value": filter_words(self.project, name, value),
                "remove_url": self.url(**{name: None}),
            }
            for name, value in self.form.chosen
        ]

    @property
    def clear_url(self) -> str:
        """The address without any filter."""
        return self.url(**dict.fromkeys(FILTER_LABELS))

    @property
    def search_hidden(self) -> list[tuple[str, str]]:
        """What the search field carries on."""
        return self.hidden("q")

    def hidden(self, *replaced: str) -> list[tuple[str, str]]:
        """Return what a form must carry on beside the parameters that it sets itself."""
        return [(name, value) for name in CARRIED if name not in replaced and (value := self._given(name))]

    def _given(self, name: str) -> str:
        return str(self.data.get(name) or "")


def find_feedback(request: ProjectRequest, uuid: UUID) -> Feedback:
    """Return a reviewable verdict of the project with all that it is shown with. Raises Http404."""
    rows = Feedback.objects.visible_to(request.user).reviewable().filter(project=request.project, uuid=uuid)
    related = (
        "message", "run", "conversation", "reviewed_by", "assignee", "held_by", "agent", "version", "tracked_agent",
        "golden_example",
    )  # fmt: skip
    heavy = ("search", "golden_example__search", "golden_example__vector", "run__output")
    feedback: Feedback | None = rows.select_related(*related).defer(*heavy).first()
    if feedback is None:
        raise Http404("No such feedback.")
    feedback.project = request.project
    return feedback


def today_in(project: Project) -> datetime:
    """Return when the present day began in a project's time zone."""
    zone = ZoneInfo(project.time_zone)
    return datetime.combine(timezone.now().astimezone(zone).date(), time(), zone)


def frame(request: ProjectRequest, tab: str, title: str) -> dict[str, Any]:
    """Return what every page of the section shows."""
    return {
        "page_title": title,
        "tab": tab,
        "sees_people": request.sees_people,
        "may_decide": Permission.MANAGE in request.permissions,
    }
