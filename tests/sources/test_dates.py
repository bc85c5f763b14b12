"""Dates in uploads are read as whoever wrote them meant them."""

import contextlib
import time
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.files.dates import DateOrder, DateUnreadable, infer_order, parse_date

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def read(text: str, order: DateOrder = "day_first", zone: tzinfo = UTC) -> datetime:
    return parse_date(text, order=order, zone=zone, now=NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-15", "2026-03-15T00:00:00+00:00"),
        ("2026-03-15T10:30:00Z", "2026-03-15T10:30:00+00:00"),
        ("2026-03-15t10:30:00.123456789z", "2026-03-15T10:30:00.123456+00:00"),
        ("2026-03-15T10:30:00+05:30", "2026-03-15T10:30:00+05:30"),
        ("2026-03-15 10:30", "2026-03-15T10:30:00+00:00"),
        ("2026-03-15 10:30:05 UTC", "2026-03-15T10:30:05+00:00"),
        ("2026-03-15 10:30:05 -0700", "2026-03-15T10:30:05-07:00"),
        ("20260315T103005Z", "2026-03-15T10:30:05+00:00"),
        ("2026/3/5", "2026-03-05T00:00:00+00:00"),
        ("03/15/2026", "2026-03-15T00:00:00+00:00"),
        ("15.03.2026 10:30", "2026-03-15T10:30:00+00:00"),
        ("15.3.26", "2026-03-15T00:00:00+00:00"),
        ("15-03-2026, 10:30 Uhr", "2026-03-15T10:30:00+00:00"),
        ("03/15/2026 10:30 PM", "2026-03-15T22:30:00+00:00"),
        ("03/15/2026 12:05 am", "2026-03-15T00:05:00+00:00"),
        ("15 Mar 2026", "2026-03-15T00:00:00+00:00"),
        ("15-Mar-26 10:30", "2026-03-15T10:30:00+00:00"),
        ("Mar 15, 2026 10:30 AM", "2026-03-15T10:30:00+00:00"),
        ("March 15th, 2026", "2026-03-15T00:00:00+00:00"),
        ("Sun, 15 Mar 2026 10:30:00 +0100", "2026-03-15T10:30:00+01:00"),
        ("Sun Mar 15 2026 10:30:00 GMT+0100 (CET)", "2026-03-15T10:30:00+01:00"),
        ("Sonntag, 15. März 2026", "2026-03-15T00:00:00+00:00"),
        ("15 mars 2026 à 10:30", "2026-03-15T10:30:00+00:00"),
        ("15 de marzo de 2026", "2026-03-15T00:00:00+00:00"),
        ("15 marca 2026", "2026-03-15T00:00:00+00:00"),
        ("15 марта 2026", "2026-03-15T00:00:00+00:00"),
        ("2026年3月15日 10:30", "2026-03-15T10:30:00+00:00"),
        ("1773570600", "2026-03-15T10:30:00+00:00"),
        ("1773570600000", "2026-03-15T10:30:00+00:00"),
        ("1773570600.5", "2026-03-15T10:30:00.500000+00:00"),
        ("46096", "2026-03-15T00:00:00+00:00"),
        ("46096.4375", "2026-03-15T10:30:00+00:00"),
    ],
)
def test_every_common_way_to_write_a_date_is_read(text: str, expected: str) -> None:
    assert read(text).isoformat() == expected


def test_a_date_without_a_zone_is_in_the_zone_of_the_project() -> None:
    assert read("2026-01-15 10:30", zone=BERLIN).astimezone(UTC).hour == 9
    assert read("2026-05-15 10:30", zone=BERLIN).astimezone(UTC).hour == 8
    assert read("46096.4375", zone=BERLIN).astimezone(UTC).hour == 9
    assert read("2026-01-15T10:30Z", zone=BERLIN).astimezone(UTC).hour == 10


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not a date"),
        ("yesterday", "is not a date"),
        ("12", "is not a date"),
        ("15/03", "is not a date"),
        ("2026-03-15 and later", "is not a date"),
        ("2026-02-30", "is not a day of the calendar"),
        ("32/01/2026", "is not a day of the calendar"),
        ("2026-03-15 25:00", "is not a day of the calendar"),
        ("0001-01-01T00:00:00+14:00", "is a date before 1970"),
        ("1899-12-31", "is a date before 1970"),
        ("2027-03-15", "is a date in the future"),
        ("9999-12-31T23:59:59-14:00", "is a date in the future"),
        ("9999999999999", "is a date in the future"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(DateUnreadable) as refusal:
        read(text)
    assert str(refusal.value) == reason


def test_a_clock_that_runs_a_few_hours_ahead_is_accepted() -> None:
    assert read("2026-06-02T11:00:00Z") == NOW + timedelta(hours=23)


@pytest.mark.parametrize(
    ("values", "order", "ambiguous"),
    [
        (["01/02/2026", "03/15/2026"], "month_first", False),
        (["01/02/2026", "15/03/2026"], "day_first", False),
        (["01/02/2026", "13/02/2026", "14/02/2026", "02/28/2026"], "day_first", False),
        (["01.02.2026", "03.04.2026"], "day_first", False),
        (["01/02/2026 3:00 PM", "03/04/2026 4:00 PM"], "month_first", True),
        (["01/02/2026", "03/04/2026"], "day_first", True),
        (["05/12/2026"], "month_first", False),
        (["2026-01-02", "03/03/2026"], "day_first", False),
    ],
)
def test_the_whole_column_settles_whether_the_day_comes_first(values: list[str], order: str, ambiguous: bool) -> None:
    column = infer_order(values, now=NOW)
    assert (column.order, column.ambiguous, column.dates) == (order, ambiguous, len(values))


def test_the_order_decides_only_what_the_text_leaves_open() -> None:
    assert read("01/02/2026", "day_first").month == 2
    assert read("01/02/2026", "month_first").month == 1
    assert read("15/02/2026", "month_first") == read("02/15/2026", "day_first")


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2026, 5, 31)),
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d %b %Y %H:%M:%S", "%Y%m%dT%H%M%S"]),
)
def test_a_date_that_was_written_is_read_back(moment: datetime, pattern: str) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    assert read(moment.strftime(pattern)) == moment


@given(st.text(max_size=120))
def test_any_text_is_a_date_or_refused(text: str) -> None:
    with contextlib.suppress(DateUnreadable):
        assert read(text).tzinfo is not None


@pytest.mark.parametrize("piece", ["1/", "12:", "March ", " ", "2026-", "(((", "٣/"])
def test_a_hundred_thousand_characters_are_refused_at_once(piece: str) -> None:
    began = time.process_time()
    with pytest.raises(DateUnreadable):
        read(piece * (100_000 // len(piece)))
    infer_order([piece * (100_000 // len(piece))], now=NOW)
    assert time.process_time() - began < 1
