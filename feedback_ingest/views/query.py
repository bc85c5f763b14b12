"""What the address of the feedback list says: the tab, the filters and the page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.http import QueryDict

from feedback_ingest.filters import ItemFilter
from feedback_ingest.forms import FilterForm, Vocabulary
from feedback_ingest.models import FeedbackItem
from feedback_ingest.querysets import ItemQuerySet, Place
from projects.models import User
from projects.pages import ProjectRequest
from projects.pagination import decode, encode
from projects.roles import Permission

State = FeedbackItem.State
Inbox = FeedbackItem.Inbox
Narrow = Callable[[ItemQuerySet], ItemQuerySet]


@dataclass(frozen=True, slots=True)
class Act:
    """Something that can be done with items: what it takes, and how its button reads."""

    name: str
    permission: Permission
    label: str
    icon: str
    key: str


ACTS = {
    act.name: act
    for act in (
        Act("read", Permission.EDIT_INSIGHTS, "Mark read", "eye", "r"),
        Act("unread", Permission.EDIT_INSIGHTS, "Mark unread", "eye-off", "u"),
        Act("archived", Permission.EDIT_INSIGHTS, "Archive", "archive", "e"),
        Act("set_aside", Permission.EDIT_INSIGHTS, "Set aside", "circle-dashed", "s"),
        Act("restore", Permission.EDIT_INSIGHTS, "Restore", "rotate-ccw", "b"),
        Act("retry", Permission.MANAGE_SOURCES, "Retry", "refresh-cw", "t"),
    )
}


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of the feedback; `kept_count` names the counter that holds its exact size, where one does."""

    label: str
    narrow: Narrow
    acts: tuple[str, ...]
    kept_count: str = ""


def _in_inbox(inbox: Inbox) -> Narrow:
    return lambda items: items.filter(inbox=inbox).exclude(state=State.SET_ASIDE)


# Unread, read, archived and set aside sum to all.
TABS = {
    "": Tab("All", lambda items: items, ("read", "unread", "archived", "set_aside"), "received"),
    "unread": Tab("Unread", _in_inbox(Inbox.UNREAD), ("read", "archived", "set_aside")),
    "read": Tab("Read", _in_inbox(Inbox.READ), ("archived", "unread", "set_aside")),
    "archived": Tab("Archived", _in_inbox(Inbox.ARCHIVED), ("unread", "read", "set_aside")),
    "set_aside": Tab("Set aside", lambda items: items.filter(state=State.SET_ASIDE), ("restore",), "set_aside"),
    "dead": Tab("Dead letters", lambda items: items.dead_lettered(), ("retry",)),
    "waiting": Tab("Waiting", lambda items: items.filter(state=State.WAITING), ("read", "set_aside"), "waiting"),
}  # fmt: skip
PAGE_PARAMETERS = ("after", "before")
FILTER_PARAMETERS = ("q", "source", "sentiment", "language", "reason", "state", "person", "from", "to")


@dataclass
class ListQuery:
    """The state of the feedback list, all of it in the address."""

    request: ProjectRequest

    @cached_property
    def data(self) -> QueryDict:
        """The parameters; a state that has a tab of its own, as other pages link to it, is that tab."""
        data = self.request.GET.copy()
        if data.get("state") in TABS:
            data["tab"] = data.pop("state")[0]
        return data

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What can be filtered by."""
        return Vocabulary.of(self.request.project)

    @cached_property
    def form(self) -> FilterForm:
        """The filters as a form."""
        return FilterForm(self.data, self.request.project, self.vocabulary)

    @cached_property
    def name(self) -> str:
        """The name of the tab in view."""
        name = self.data.get("tab", "")
        return name if name in TABS else ""

    @property
    def tab(self) -> Tab:
        """The tab in view."""
        return TABS[self.name]

    @property
    def is_counted(self) -> bool:
        """Whether the filters leave what counters know: all, or one source."""
        return set(self.form.parameters) <= {"source"}

    @cached_property
    def filtered(self) -> ItemQuerySet:
        """What the filters leave, in all tabs."""
        user: User = self.request.user
        items = FeedbackItem.objects.visible_to(user).filter(project=self.request.project)
        narrowed: ItemQuerySet = ItemFilter(self.form.parameters, items.listed()).qs
        return narrowed

    @property
    def items(self) -> ItemQuerySet:
        """What the filters leave in this tab."""
        return self.tab.narrow(self.filtered)

    @property
    def acts(self) -> list[str]:
        """What this person may do with the items of this tab."""
        return [act for act in self.tab.acts if ACTS[act].permission in self.request.permissions]

    @property
    def after(self) -> Place | None:
        """The place that the page follows."""
        return read_place(self.data.get("after"))

    @property
    def before(self) -> Place | None:
        """The place that the page ends before."""
        return read_place(self.data.get("before"))

    def url(self, **changes: str | None) -> str:
        """Return the address of this list with some parameters changed (None drops one), on its first page."""
        changed = self._first_page()
        for name, value in changes.items():
            if value is None:
                changed.pop(name, None)
            else:
                changed[name] = value
        return f"?{changed.urlencode()}"

    @property
    def clear_url(self) -> str:
        """The address of this tab without filters."""
        return self.url(**dict.fromkeys(FILTER_PARAMETERS))

    def hidden(self, *replaced: str) -> list[tuple[str, str]]:
        """Return what a form must carry on beside the parameters that it sets itself."""
        data = self._first_page()
        return [(name, value) for name, values in data.lists() if name not in replaced for value in values]

    @property
    def carried(self) -> str:
        """The whole state, for links to an item: its neighbours depend on it."""
        kept = self._first_page()
        return f"?{kept.urlencode()}" if kept else ""

    def _first_page(self) -> QueryDict:
        copied = self.data.copy()
        for name in PAGE_PARAMETERS:
            copied.pop(name, None)
        return copied


def place_of(item: Any) -> Place:
    """Return where an item stands in the list."""
    return item.created_at, item.pk


def read_place(cursor: str | None) -> Place | None:
    """Read the place of a page. Raises DomainError for a cursor that is not ours."""
    if not cursor:
        return None
    moment, pk = decode(cursor, (datetime, int))
    return moment, pk


def write_place(place: Place) -> str:
    """Write the place of a page for an address."""
    return encode(place)
