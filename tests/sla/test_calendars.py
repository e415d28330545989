"""Open hours: due and elapsed are look-ups that agree with counting every quarter of an hour."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from clock_reference import Hours, open_quarters
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from sqlalchemy import Connection
from ticket_histories import moment

from amazon_support.settings.service_levels import OpenHours
from amazon_support.tickets import CalendarError, calendars

OFFICE = {"mon-fri": ["09:00-17:00"]}
HOUR = timedelta(hours=1)


def calendar(zone: str, hours: dict[str, Any], **more: Any) -> OpenHours:
    return OpenHours.model_validate({"timezone": zone, "hours": hours, **more})


def known(
    connection: Connection, hours: OpenHours, first: datetime, last: datetime, target: timedelta = timedelta(0)
) -> int:
    number = calendars.calendar_id(connection, "test", hours)
    calendars.grow(connection, number, hours, first, last, target)
    return number


def due(connection: Connection, hours: OpenHours, start: str, seconds: float) -> str:
    at = moment(start)
    values = {"number": known(connection, hours, at, at, timedelta(seconds=seconds)), "at": at, "seconds": seconds}
    found = connection.exec_driver_sql(
        "select due_at from mart.business_due(%(number)s, %(at)s::timestamptz, %(seconds)s::numeric)", values
    )
    return f"{found.scalar_one():%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def elapsed(connection: Connection, hours: OpenHours, start: str, end: str) -> float:
    first, last = moment(start), moment(end)
    values = {"number": known(connection, hours, first, last), "first": first, "last": last}
    found = connection.exec_driver_sql(
        "select seconds from mart.business_elapsed(%(number)s, %(first)s::timestamptz, %(last)s::timestamptz)", values
    )
    return float(found.scalar_one())


@pytest.mark.parametrize(
    ("zone", "hours", "start", "minutes", "expected"),
    [
        ("UTC", OFFICE, "2026-03-02 16:30", 60, "2026-03-03 09:30"),
        ("UTC", OFFICE, "2026-03-06 16:00", 60, "2026-03-06 17:00"),  # used up at closing: due at closing
        ("UTC", OFFICE, "2026-03-07 12:00", 1, "2026-03-09 09:01"),
        ("UTC", OFFICE, "2026-03-07 12:00", 0, "2026-03-07 12:00"),
        ("UTC", OFFICE, "2026-03-02 09:00:30", 1.5, "2026-03-02 09:02"),
        ("UTC", {"mon": ["09:00-12:00", "13:00-17:00"]}, "2026-03-02 11:30", 60, "2026-03-02 13:30"),
        ("UTC", {"mon": ["22:00-06:00"]}, "2026-03-02 23:00", 240, "2026-03-03 03:00"),
        ("UTC", {"mon": ["09:00-10:00"]}, "2026-03-02 00:00", 60 * 60, "2027-04-19 10:00"),  # far beyond a year
        ("Asia/Kolkata", OFFICE, "2026-03-02 11:00", 60, "2026-03-03 04:00"),
        ("Asia/Kathmandu", OFFICE, "2026-03-02 11:00", 60, "2026-03-03 04:00"),
        ("Europe/Berlin", OFFICE, "2026-03-27 15:30", 60, "2026-03-30 07:30"),  # over the night without 02:30
        ("Europe/Berlin", {"sun": ["02:30-06:00"]}, "2026-03-29 00:00", 30, "2026-03-29 02:00"),
        ("Europe/Berlin", {"sun": ["02:30-06:00"]}, "2026-10-24 12:00", 30, "2026-10-25 01:00"),
        ("Europe/Berlin", {"sat": ["22:00-06:00"]}, "2026-10-24 12:00", 540, "2026-10-25 05:00"),  # nine hours
        ("Australia/Lord_Howe", {"mon-sun": ["00:00-24:00"]}, "2026-04-04 12:00", 1440, "2026-04-05 12:00"),
    ],
)
def test_due(
    connection: Connection, zone: str, hours: dict[str, Any], start: str, minutes: float, expected: str
) -> None:
    assert due(connection, calendar(zone, hours), start, minutes * 60) == expected


def test_holidays_and_own_days_are_local_days(connection: Connection) -> None:
    tokyo = calendar("Asia/Tokyo", OFFICE, holidays={"country": "JP"})
    assert due(connection, tokyo, "2026-01-11 23:30", 3600) == "2026-01-13 01:00"  # Monday the 12th is one
    berlin = calendar(
        "Europe/Berlin",
        {"mon-sun": ["22:00-06:00"]},
        holidays={"country": "DE"},
        dates={"2026-12-24": "closed", "2026-12-25": ["10:00-11:00"]},
    )
    # Two hours of the 23rd, nothing of the 24th, on the 25th our own hour; the 26th is a holiday, its night closed too.
    assert elapsed(connection, berlin, "2026-12-23 12:00", "2026-12-27 12:00") == 3 * 3600


def test_what_reaches_into_a_closed_day_ends_at_midnight(connection: Connection) -> None:
    hours = calendar("UTC", {"mon": ["22:00-06:00"]}, dates={"2026-03-03": "closed"})
    assert elapsed(connection, hours, "2026-03-02 00:00", "2026-03-04 00:00") == 2 * 3600


def test_spans_that_overlap_count_once(connection: Connection) -> None:
    hours = calendar("UTC", {"mon": ["09:00-12:00", "11:00-13:00", "12:00-12:30"]})
    assert elapsed(connection, hours, "2026-03-02 00:00", "2026-03-03 00:00") == 4 * 3600


def test_hours_grow_both_ways_and_stay_the_same_where_they_were(connection: Connection) -> None:
    hours = calendar("Europe/Berlin", OFFICE)
    number = known(connection, hours, moment("2026-03-02 08:00"), moment("2026-03-02 08:00"))
    first = rows(connection, number)
    known(connection, hours, moment("2023-06-01 08:00"), moment("2028-06-01 08:00"))
    grown = rows(connection, number)
    known(connection, hours, moment("2025-06-01 08:00"), moment("2026-06-01 08:00"))
    assert rows(connection, number) == grown
    assert [row for row in grown if row in set(first)] == first
    assert [row[2] for row in grown[1:]] == [row[3] for row in grown[:-1]]
    assert all(row[3] - row[2] == (row[1] - row[0]).total_seconds() for row in grown)


def test_another_definition_of_the_same_name_replaces_the_hours(connection: Connection) -> None:
    at = "2026-03-02 08:00"
    assert due(connection, calendar("UTC", {"mon": ["09:00-17:00"]}), at, 60) == "2026-03-02 09:01"
    assert due(connection, calendar("UTC", {"mon": ["10:00-17:00"]}), at, 60) == "2026-03-02 10:01"


def test_a_target_that_nobody_will_live_to_see_is_told(connection: Connection) -> None:
    hours = calendar("UTC", {"mon": ["09:00-09:01"]})
    at = moment("2026-03-02 08:00")
    with pytest.raises(CalendarError, match="calendar test: a target of 10 days"):
        known(connection, hours, at, at, timedelta(days=10))


def rows(connection: Connection, number: int) -> list[tuple[Any, ...]]:
    query = "select opens_at, closes_at, seconds_before, seconds_until from mart.calendar_open"
    found = connection.exec_driver_sql(f"{query} where calendar_id = %(number)s order by 1", {"number": number})
    return [tuple(row) for row in found]


# ---------- against counting

ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kolkata", "Asia/Kathmandu",
    "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Chatham", "America/Santiago",
]  # fmt: skip
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
QUARTERS = st.tuples(st.integers(0, 95), st.integers(4, 64)).map(lambda q: (q[0] * 15, (q[0] + q[1]) * 15))
WEEKS = st.dictionaries(st.sampled_from(DAYS), st.lists(QUARTERS, min_size=1, max_size=3), min_size=1)
# The weeks in which clocks are changed somewhere, and an ordinary one.
AROUND = [datetime(2026, 3, d, tzinfo=UTC) for d in (7, 20, 28)] + [datetime(2026, 10, 23, tzinfo=UTC)]
AROUND += [datetime(2026, 4, 3, tzinfo=UTC), datetime(2026, 10, 30, tzinfo=UTC), datetime(2026, 6, 10, tzinfo=UTC)]
STARTS = st.tuples(st.sampled_from(AROUND), st.integers(0, 4 * 86_400)).map(lambda s: s[0] + timedelta(seconds=s[1]))
CLOSED = st.sets(st.sampled_from([(d + timedelta(days=n)).date() for d in AROUND for n in range(6)]), max_size=5)


def as_settings(zone: str, week: dict[str, list[tuple[int, int]]], closed: set[date]) -> OpenHours:
    hours = {day: [_span(opens, closes) for opens, closes in spans] for day, spans in week.items()}
    return calendar(zone, hours, dates=dict.fromkeys(closed, "closed"))


def _span(opens: int, closes: int) -> str:
    closes = closes if closes <= 1440 else closes - 1440
    return f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"


RELAXED = options(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@RELAXED
@given(
    zone=st.sampled_from(ZONES),
    week=WEEKS,
    closed=CLOSED,
    asked=st.lists(st.tuples(STARTS, st.integers(1, 30 * 3600), st.integers(0, 9 * 86_400)), min_size=5, max_size=15),
)
def test_due_and_elapsed_agree_with_counting_every_quarter(
    connection: Connection,
    zone: str,
    week: dict[str, list[tuple[int, int]]],
    closed: set[date],
    asked: list[tuple[datetime, int, int]],
) -> None:
    hours, plain = as_settings(zone, week, closed), Hours(open_quarters(zone, week, closed))
    first, last = min(start for start, *_ in asked), max(start for start, *_ in asked) + timedelta(days=9)
    with connection.begin_nested() as example:
        number = known(connection, hours, first, last, timedelta(hours=30))
        found = connection.exec_driver_sql(
            "select d.due_at, e.seconds"
            " from unnest(%(starts)s::timestamptz[], %(targets)s::int[], %(ends)s::timestamptz[])"
            " with ordinality as a (start_at, target, end_at, place)"
            " cross join lateral mart.business_due(%(number)s, start_at, target) as d"
            " cross join lateral mart.business_elapsed(%(number)s, start_at, end_at) as e"
            " order by place",
            {
                "number": number,
                "starts": [start for start, *_ in asked],
                "targets": [target for _, target, _ in asked],
                "ends": [start + timedelta(seconds=span) for start, _, span in asked],
            },
        ).all()
        example.rollback()
    for (start, target, span), (due_at, seconds) in zip(asked, found, strict=True):
        assert due_at == plain.due(start, timedelta(seconds=target))
        assert float(seconds) == plain.elapsed(start, start + timedelta(seconds=span)).total_seconds()
