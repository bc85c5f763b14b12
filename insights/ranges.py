"""The time range of a list: days in the project's time zone, or moments."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from django.utils import timezone

from config.errors import DomainError
from projects.models import Project

# Away from the ends of the calendar, so that other time zones and neighbouring weeks can be reckoned with.
FIRST_DAY, LAST_DAY = date(2, 1, 1), date(9998, 1, 1)


@dataclass(frozen=True, slots=True)
class Range:
    """From `start` (inclusive) to `end` (exclusive), with the equally long range before it.

    Whole days can be counted from the daily tables; other ranges are counted over the mentions.
    """

    start: datetime
    end: datetime
    zone: ZoneInfo
    is_open: bool = False  # no start was given: there is nothing before it to compare with

    @classmethod
    def of(cls, project: Project, start: str | None, end: str | None) -> Self:
        """Read ISO dates or times; without an end, to the end of today; without a start, from the beginning.

        Raises DomainError for what is neither, or ends before it starts.
        """
        zone = ZoneInfo(project.time_zone)
        tomorrow = timezone.now().astimezone(zone).date() + timedelta(days=1)
        last = _moment(end, "to", zone) if end else datetime.combine(tomorrow, time(), zone)
        first = _moment(start, "from", zone) if start else datetime.combine(FIRST_DAY, time(), zone)
        if first >= last:
            raise DomainError("The range ends before it begins.", code="bad_range")
        return cls(first, last, zone, is_open=not start)

    @classmethod
    def days(cls, project: Project, number: int) -> Self:
        """Return the last `number` days, today included."""
        zone = ZoneInfo(project.time_zone)
        today = timezone.now().astimezone(zone).date()
        first = datetime.combine(today - timedelta(days=number - 1), time(), zone)
        return cls(first, datetime.combine(today + timedelta(days=1), time(), zone), zone)

    @property
    def is_whole_days(self) -> bool:
        """Whether both ends are midnights of the project's time zone."""
        return self.start.timetz().replace(tzinfo=None) == time() == self.end.timetz().replace(tzinfo=None)

    @property
    def first_day(self) -> date:
        """The first day."""
        return self.start.date()

    @property
    def end_day(self) -> date:
        """The day after the last."""
        return self.end.date()

    @property
    def before(self) -> "Range":
        """The range of equal length that ends where this one begins, shorter where the calendar begins before."""
        if self.is_open:
            return Range(self.start, self.start, self.zone)
        if self.is_whole_days:
            first = self.first_day - min(self.end_day - self.first_day, self.first_day - FIRST_DAY)
            return Range(datetime.combine(first, time(), self.zone), self.start, self.zone)
        beginning = datetime.combine(FIRST_DAY, time(), self.zone)
        return Range(self.start - min(self.end - self.start, self.start - beginning), self.start, self.zone)


def _moment(text: str, name: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
    except (ValueError, OverflowError):
        raise DomainError(f"{name} is not an ISO date or time such as 2026-03-15.", code="bad_date") from None
    return min(max(moment, datetime.combine(FIRST_DAY, time(), zone)), datetime.combine(LAST_DAY, time(), zone))
