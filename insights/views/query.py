"""What the address of a list says: the period, the filters, the tab, the order and the page."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode

from config.errors import DomainError
from insights.forms import FilterForm, Vocabulary
from insights.listing import ORDERINGS, Filters
from insights.ranges import FIRST_DAY, Range
from projects.models import Project
from projects.pagination import decode, encode

DEFAULT_DAYS = "30"
PERIODS = {"7": "7 days", "30": "30 days", "90": "90 days", "all": "All time"}
ORDER_WORDS = {
    "-people": "Most people",
    "-change": "Biggest rise",
    "change": "Biggest fall",
    "-mentions": "Most mentions",
    "-last_seen": "Heard last",
    "-first_seen": "Newest",
}
TABS = {
    "": "All",
    "new": "New",
    "growing": "Growing",
    "fading": "Fading",
    "back": "Back again",
    "look": "Needs a look",
}
PERIOD_PARAMETERS = ("days", "from", "to", "since")
EDIT_PARAMETERS = ("row", "edit")
PAGE_PARAMETERS = ("after", "before", *EDIT_PARAMETERS)
Place = tuple[float, UUID]


@dataclass(frozen=True, slots=True)
class Period:
    """A range as a person chose it: one of PERIODS, "custom", or "visit" for since they last looked."""

    within: Range
    name: str
    words: str
    problem: str = ""

    @property
    def compares(self) -> bool:
        """Whether there is a range before it to compare with."""
        return not self.within.is_open


def read_period(project: Project, query: Mapping[str, str], last_look: datetime | None = None) -> Period:
    """Read the period of an address; one that cannot be read becomes the default, and says why."""
    if query.get("since") == "visit" and last_look:
        now = timezone.now()
        within = Range(last_look, max(now, last_look + timedelta(seconds=1)), Range.days(project, 1).zone)
        return Period(within, "visit", "since you last looked")
    if query.get("from") or query.get("to"):
        try:
            within = Range.of(project, query.get("from"), query.get("to"))
        except DomainError as error:
            return replace(_preset(project, DEFAULT_DAYS), problem=error.message)
        return Period(within, "custom", range_words(within))
    days = query.get("days", DEFAULT_DAYS)
    return _preset(project, days if days in PERIODS else DEFAULT_DAYS)


def _preset(project: Project, days: str) -> Period:
    if days == "all":
        return Period(Range.of(project, None, None), "all", "so far")
    return Period(Range.days(project, int(days)), days, f"in the last {days} days")


def range_words(within: Range) -> str:
    """Say a range of days with its last day in it."""
    last = (within.end - timedelta(microseconds=1)).astimezone(within.zone).date()
    if within.is_open:
        return f"until {date_format(last, 'j M Y')}"
    return f"from {date_format(within.first_day, 'j M Y')} to {date_format(last, 'j M Y')}"


@dataclass
class ListQuery:
    """The state of the insight list, all of it in the address."""

    project: Project
    data: QueryDict
    last_look: datetime | None = None

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What can be filtered by."""
        return Vocabulary.of(self.project)

    @cached_property
    def form(self) -> FilterForm:
        """The filters as a form."""
        return FilterForm(self.data, self.vocabulary)

    @cached_property
    def period(self) -> Period:
        """The range that is counted."""
        return read_period(self.project, self.data, self.last_look)

    @cached_property
    def tab(self) -> str:
        """The tab in view; those that compare need a range before."""
        tab = self.data.get("tab", "")
        return tab if tab in TABS and (self.period.compares or tab in ("", "look")) else ""

    @cached_property
    def filters(self) -> Filters:
        """The filters, narrowed to the tab."""
        return replace(self.form.filters, trend="" if self.tab == "look" else self.tab)

    @property
    def ordering(self) -> str:
        """A key of ORDER_WORDS; what fades begins with what fades most by itself."""
        ordering = self.data.get("ordering", "")
        usual = "change" if self.tab == "fading" else "-people"
        return ordering if ordering in ORDERINGS else usual

    @property
    def is_dense(self) -> bool:
        """Whether rows are one line each."""
        return self.data.get("density") == "compact"

    @property
    def after(self) -> Place | None:
        """The place that the page follows."""
        return read_place(self.data.get("after"))

    @property
    def before(self) -> Place | None:
        """The place that the page ends before."""
        return read_place(self.data.get("before"))

    def url(self, **changes: str | None) -> str:
        """Return the address of this list with some parameters changed, on its first page."""
        return address(self.data, **changes)

    def editing_url(self) -> str:
        """Return the start of an address of this very page to which the row to edit is added."""
        data = self.data.copy()
        for name in EDIT_PARAMETERS:
            data.pop(name, None)
        return f"?{data.urlencode()}&" if data else "?"

    def url_without(self, parameter: str, raw: str) -> str:
        """Return the address of this list without one filter."""
        data = _first_page(self.data)
        data.setlist(parameter, [value for value in data.getlist(parameter) if value != raw])
        return f"?{data.urlencode()}"

    def hidden(self, *replaced: str) -> list[tuple[str, str]]:
        """Return what a form must carry on beside the parameters that it sets itself."""
        data = _first_page(self.data)
        return [(name, value) for name, values in data.lists() if name not in replaced for value in values]

    @property
    def period_query(self) -> str:
        """The parameters of the period alone."""
        return urlencode({name: str(self.data[name]) for name in PERIOD_PARAMETERS if name in self.data})

    @property
    def carried(self) -> str:
        """The whole state, for links to an insight: its numbers and its neighbours depend on it."""
        kept = _first_page(self.data)
        return f"?{kept.urlencode()}" if kept else ""


def address(data: QueryDict, **changes: str | None) -> str:
    """Return `?…` with some parameters changed (None drops one), on the first page."""
    changed = _first_page(data)
    if set(changes) & set(PERIOD_PARAMETERS):
        for name in PERIOD_PARAMETERS:
            changed.pop(name, None)
    for name, value in changes.items():
        if value is None:
            changed.pop(name, None)
        else:
            changed[name] = value
    return f"?{changed.urlencode()}"


def _first_page(data: QueryDict) -> QueryDict:
    copied = data.copy()
    for name in PAGE_PARAMETERS:
        copied.pop(name, None)
    return copied


def read_place(cursor: str | None) -> Place | None:
    """Read the place of a page. Raises DomainError for a cursor that is not ours."""
    if not cursor:
        return None
    value, row_id = decode(cursor, (float, UUID))
    return value, row_id


def write_place(place: Place | None) -> str | None:
    """Write the place of a page for an address."""
    return encode([place[0], str(place[1])]) if place else None


def steps(period: Period) -> dict[str, dict[str, Any]]:
    """Return the parameters of the periods of equal length before and after."""
    within = period.within
    if within.is_open or not within.is_whole_days:
        return {}
    found = {}
    if within.first_day > FIRST_DAY:
        found["back"] = {"from": str(within.before.first_day), "to": str(within.first_day)}
    if within.end <= timezone.now():
        length = within.end_day - within.first_day
        found["forward"] = {"from": str(within.end_day), "to": str(within.end_day + length)}
    return found
