"""Dates as people and programs write them, and which of day and month a column puts first."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Literal

DateOrder = Literal["day_first", "month_first"]

LONGEST_DATE = 80
EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
# A clock that runs ahead, or a date without a zone, is not a date in the future.
CLOCK_TOLERANCE = timedelta(days=1)
EXCEL_EPOCH = datetime(1899, 12, 30)
EXCEL_SERIALS = (20_000, 80_000)
EPOCH_UNITS = {9: 1, 10: 1, 13: 1_000, 16: 1_000_000, 19: 1_000_000_000}
# Two-digit years above this one are of the last century.
CENTURY_PIVOT = 68

ZONE_HOURS = {
    "z": 0, "utc": 0, "gmt": 0, "ut": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6,
    "pst": -8, "pdt": -7, "cet": 1, "cest": 2, "eet": 2, "eest": 3, "jst": 9,
}  # fmt: skip
MONTH_NAMES = (
    "january jan januar jänner janvier janv enero ene janeiro gennaio gen januari styczeń stycznia sty января янв",
    "february feb februar februarie février févr fevrier febrero fevereiro fev febbraio februari luty lutego "
    "lut февраля фев",
    "march mar märz mrz maerz mars marzo março marco maart mrt marzec marca марта мар",
    "april apr avril avr abril abr aprile kwiecień kwietnia kwi апреля апр",
    "may mai mayo maio mag maggio mei maj maja мая май",
    "june jun juni juin junio junho giu giugno czerwiec czerwca cze июня июн",
    "july jul juli juillet juil julio julho lug luglio lipiec lipca lip июля июл",
    "august aug août aout agosto ago agosto augustus augusti sierpień sierpnia sie августа авг",
    "september sep sept septembre septiembre setembro set settembre wrzesień września wrz сентября сен сент",
    "october oct oktober okt octobre octubre outubro out ottobre ott październik października paź октября окт",
    "november nov novembre noviembre novembro listopad listopada lis ноября ноя нояб",
    "december dec dezember dez décembre déc decembre diciembre dic dezembro dicembre grudzień grudnia gru декабря дек",
)
MONTHS = {name: month for month, names in enumerate(MONTH_NAMES, start=1) for name in names.split()}

# Each pattern names year, month and day, or first and second where their order is the question.
DAY_PATTERNS = (
    re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)"),
    re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?=$|[Tt ])"),
    re.compile(r"(?P<year>\d{4})\s?[年년]\s?(?P<month>\d{1,2})\s?[月월]\s?(?P<day>\d{1,2})\s?[日일]"),
    re.compile(
        r"(?P<first>\d{1,2})(?P<separator>[/.-])\s?(?P<second>\d{1,2})(?P=separator)\s?(?P<year>\d{4}|\d{2})(?!\d)"
    ),
    re.compile(
        r"(?P<day>\d{1,2})(?:st|nd|rd|th|º|er|\.)?[\s-](?:de\s)?\s?(?P<name>[^\W\d_]{3,12})\.?,?[\s-](?:de\s)?\s?"
        r"(?P<year>\d{4}|\d{2})(?!\d)"
    ),
    re.compile(r"(?P<name>[^\W\d_]{3,12})\.?\s(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s(?P<year>\d{4})(?!\d)"),
)
WEEKDAY = re.compile(r"[^\W\d_]{2,12}(?:-feira)?\.?,?\s")
TIME = re.compile(
    r"(?:[Tt]|,?\s(?:at\s|um\s|à\s)?)?(?P<hour>\d{1,2})[:h](?P<minute>\d{2})"
    r"(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?(?:\sUhr)?"
)
BASIC_TIME = re.compile(r"[Tt](?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?(?:[.,](?P<fraction>\d{1,9}))?")
ZONE = re.compile(
    r"\s?(?:UTC|GMT)?(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?(?:\s?\([^()]{1,40}\))?",
    re.IGNORECASE,
)
ZONE_NAME = re.compile(r"\s?\(?(?P<name>[A-Za-z]{1,4})\)?")
NUMBER = re.compile(r"\d{5,19}(?:[.,]\d{1,9})?")


class DateUnreadable(ValueError):
    """The text is not a date that can be used; the message ends a sentence that begins with the text."""


@dataclass(frozen=True, slots=True)
class DateColumn:
    """What a whole column says about its dates.

    `settled` when some dates allow one order only; `ambiguous` when there are dates that leave it open and none
    that settles it.
    """

    order: DateOrder
    settled: bool
    ambiguous: bool
    dates: int


def parse_date(text: str, *, order: DateOrder, zone: tzinfo, now: datetime) -> datetime:
    """Read one date as an aware datetime; a date that names no zone is in `zone`.

    `order` decides only what the text leaves open: 15/03/2026 is in March in either order.
    Raises DateUnreadable for anything that is not a date, is before 1970 or lies more than a day after `now`.
    """
    text = text.strip()
    if not text or len(text) > LONGEST_DATE:
        raise DateUnreadable("is not a date")
    moment = _from_number(text, zone) if NUMBER.fullmatch(text) else None
    moment = moment or _from_words(text, order, zone)
    if moment is None:
        raise DateUnreadable("is not a date")
    if moment < EARLIEST:
        raise DateUnreadable("is a date before 1970")
    if moment > now + CLOCK_TOLERANCE:
        raise DateUnreadable("is a date in the future")
    return moment


class DateEvidence:
    """Collects, value by value, which order of day and month the dates of a column allow."""

    def __init__(self, *, now: datetime) -> None:
        self._today = (now + CLOCK_TOLERANCE).date().isoformat()
        self._votes = {"day_first": 0, "month_first": 0}
        self._hints = {"day_first": 0, "month_first": 0}
        self._open = 0
        self._dates = 0

    def add(self, text: str) -> None:
        """Take one cell of the column into account."""
        text = text.strip()[:LONGEST_DATE]
        match = _match_day(text)
        if match is None:
            return
        self._dates += 1
        if "first" in match.groupdict():
            self._weigh(match, text)

    def _weigh(self, match: re.Match[str], text: str) -> None:
        first, second = int(match["first"]), int(match["second"])
        if first == second:
            return
        if first > 12 or second > 12:
            self._votes["day_first" if first > 12 else "month_first"] += 1
            return
        self._open += 1
        year = _full_year(match["year"])
        future = {
            "day_first": f"{year}-{second:02}-{first:02}" > self._today,
            "month_first": f"{year}-{first:02}-{second:02}" > self._today,
        }
        if future["day_first"] != future["month_first"]:
            self._votes["month_first" if future["day_first"] else "day_first"] += 1
        elif match["separator"] == ".":
            self._votes["day_first"] += 1
        elif text[-2:].lower() in ("am", "pm"):
            self._hints["month_first"] += 1

    def column(self) -> DateColumn:
        """Decide: the majority wins; without any evidence the day comes first unless clocks say am/pm."""
        day, month = self._votes["day_first"], self._votes["month_first"]
        if day == month:
            hinted = not day and self._hints["month_first"] > 0
            return DateColumn("month_first" if hinted else "day_first", False, self._open > 0, self._dates)
        return DateColumn("day_first" if day > month else "month_first", True, False, self._dates)


def infer_order(values: Iterable[str], *, now: datetime) -> DateColumn:
    """Decide the order of day and month from all values of a column."""
    evidence = DateEvidence(now=now)
    for value in values:
        evidence.add(value)
    return evidence.column()


def _match_day(text: str) -> re.Match[str] | None:
    weekday = WEEKDAY.match(text)
    starts = [0, weekday.end()] if weekday else [0]
    for start in starts:
        for pattern in DAY_PATTERNS:
            match = pattern.match(text, start)
            if match and _month_is_known(match):
                return match
    return None


def _month_is_known(match: re.Match[str]) -> bool:
    name = match.groupdict().get("name")
    return name is None or name.lower() in MONTHS


def _from_words(text: str, order: DateOrder, zone: tzinfo) -> datetime | None:
    match = _match_day(text)
    if match is None:
        return None
    year, month, day = _calendar(match, order)
    rest = text[match.end() :]
    clock = TIME.match(rest) or BASIC_TIME.match(rest)
    hour, minute, second, microsecond = _clock(clock) if clock else (0, 0, 0, 0)
    rest = rest[clock.end() :] if clock else rest
    own_zone = _zone(rest) if rest.strip() else zone
    if own_zone is None:
        return None
    try:
        return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=own_zone)
    except ValueError:
        raise DateUnreadable("is not a day of the calendar") from None


def _calendar(match: re.Match[str], order: DateOrder) -> tuple[int, int, int]:
    parts = match.groupdict()
    year = _full_year(parts["year"])
    if "name" in parts:
        return year, MONTHS[parts["name"].lower()], int(parts["day"])
    if "month" in parts:
        return year, int(parts["month"]), int(parts["day"])
    first, second = int(parts["first"]), int(parts["second"])
    day_leads = first > 12 or (order == "day_first" and second <= 12)
    return (year, second, first) if day_leads else (year, first, second)


def _full_year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (1900 if year > CENTURY_PIVOT else 2000)


def _clock(match: re.Match[str]) -> tuple[int, int, int, int]:
    parts = match.groupdict()
    hour = int(parts["hour"])
    if half := parts.get("half"):
        hour = hour % 12 + (12 if half in "pP" else 0)
    microsecond = int((parts["fraction"] or "0").ljust(6, "0")[:6])
    # A leap second is stored as the last moment that a clock without them has.
    return hour, int(parts["minute"]), min(int(parts["second"] or 0), 59), microsecond


def _zone(text: str) -> tzinfo | None:
    if offset := ZONE.fullmatch(text):
        minutes = int(offset["hours"]) * 60 + int(offset["minutes"] or 0)
        if minutes >= 24 * 60:
            return None
        return timezone(timedelta(minutes=-minutes if offset["sign"] == "-" else minutes))
    name = ZONE_NAME.fullmatch(text)
    hours = ZONE_HOURS.get(name["name"].lower()) if name else None
    return None if hours is None else timezone(timedelta(hours=hours))


def _from_number(text: str, zone: tzinfo) -> datetime | None:
    """Read Unix time in any unit, by its number of digits, or the day number of a spreadsheet."""
    whole, _, fraction = text.replace(",", ".").partition(".")
    value = float(f"{int(whole)}.{fraction or 0}")
    if unit := EPOCH_UNITS.get(len(whole)):
        return datetime.fromtimestamp(value / unit, UTC)
    if EXCEL_SERIALS[0] <= value < EXCEL_SERIALS[1]:
        moment = EXCEL_EPOCH + timedelta(seconds=round(value * 86_400))
        return moment.replace(tzinfo=zone)
    return None
