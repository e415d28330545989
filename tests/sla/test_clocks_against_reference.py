"""Every metric of every policy against the rules written down plainly, at many instants of random histories.

Status periods and the cycles of amazon_reply are taken as they are: tests/tickets checks them.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from clock_reference import Hours, Period, Rule, known_at, on_hold, open_quarters
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from sqlalchemy import Connection
from test_calendars import WEEKS, ZONES, as_settings
from ticket_histories import event, record

from amazon_support import tickets
from amazon_support.settings import Policy, ServiceLevels

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NEVER = datetime.max.replace(tzinfo=UTC)
STARTS = [datetime(2026, 3, 27, 20, tzinfo=UTC), datetime(2026, 10, 23, 7, 30, tzinfo=UTC)]
GAPS = [
    timedelta(0),
    20 * timedelta(seconds=1),
    40 * MINUTE,
    3 * HOUR,
    8 * HOUR,
    DAY,
    2 * DAY + HOUR,
    8 * DAY,
    36 * DAY,
]
KINDS = ["buyer_message", "buyer_message", "reply", "reply", "hold", "solve", "assign", "unread", "no_response_needed"]
KINDS += ["delivery_failure"]
HISTORIES = st.lists(
    st.tuples(
        st.sampled_from(STARTS),
        st.lists(st.tuples(st.sampled_from(GAPS), st.sampled_from(KINDS)), min_size=1, max_size=9),
    ),
    min_size=1,
    max_size=6,
)
STATUSES = ("new", "open", "pending", "on_hold", "solved")
SOME = st.sets(st.sampled_from(STATUSES), max_size=3)
TARGETS = st.sampled_from([HOUR, 8 * HOUR, 24 * HOUR, 40 * HOUR])
PROMISES = {
    "team": st.tuples(TARGETS, SOME, SOME),
    "first_response": st.tuples(TARGETS, SOME, SOME),
    "next_response": st.tuples(TARGETS, SOME, SOME),
    "resolution": st.tuples(TARGETS, st.sets(st.sampled_from(["pending", "on_hold"])), st.just(set())),
    "stakeholder_follow_up": st.tuples(TARGETS, st.just(set()), st.just(set())),
}
FULL_WEEKS = WEEKS.filter(lambda week: sum(closes - opens for day in week.values() for opens, closes in day) >= 12 * 60)
CALENDARS = st.none() | st.tuples(
    st.sampled_from(ZONES),
    FULL_WEEKS,
    st.sets(st.sampled_from([(s + n * DAY).date() for s in STARTS for n in range(4)])),
)
LATER = st.lists(st.integers(0, 60 * 86_400), min_size=3, max_size=6)
Promise = tuple[timedelta, set[str], set[str]]
Calendar = tuple[str, dict[str, list[tuple[int, int]]], set[date]] | None


def levels(promises: dict[str, Promise], calendar: Calendar) -> ServiceLevels:
    metrics: dict[str, Any] = {
        name: {"target": target, "pauses_in": sorted(pauses), "stops_in": sorted(stops)}
        for name, (target, pauses, stops) in promises.items()
    }
    hours = as_settings(*calendar) if calendar else "24x7"
    return ServiceLevels.model_validate(
        {"policies": [{"metrics": {**metrics, "amazon_reply": "24h"}, "calendar": hours}]}
    )


@options(
    deadline=None,
    max_examples=16,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(histories=HISTORIES, promises=st.fixed_dictionaries(PROMISES), calendar=CALENDARS, later=LATER)
def test_every_clock_at_every_instant_says_what_the_rules_say(
    connection: Connection, histories: Any, promises: dict[str, Promise], calendar: Calendar, later: list[int]
) -> None:
    told = []
    for number, (start, steps) in enumerate(histories):
        at = start
        for place, (gap, kind) in enumerate(steps):
            at += gap
            told.append(event(at, kind, key=f"T{number}", source_id=f"{number} {place}", source_order=place))
    instants = {datetime.fromisoformat(e["occurred_at"]) for e in told}
    instants |= {start + timedelta(seconds=seconds) for start, _ in histories for seconds in later}
    rules = tickets.Promises(levels(promises, calendar))
    hours = Hours(open_quarters(*calendar)) if calendar else Hours()
    with connection.begin_nested() as example:
        record(connection, told)
        tickets.fold(connection, Policy(), rules)
        periods, replies = periods_of(connection), replies_of(connection)
        for as_of in sorted(instants):
            found = {
                (row["ticket_id"], row["metric"], row["cycle"]): {key: row[key] for key in SHOWN}
                for row in tickets.clock_as_of(connection, as_of, rules)
                if row["metric"] != "amazon_reply"
            }
            assert found == expected(as_of, promises, hours, periods, replies)
        example.rollback()


SHOWN = (
    "due_at", "stopped_at", "stopped_by", "elapsed_seconds", "paused_seconds", "breached_at", "seconds_left", "state",
)  # fmt: skip


def expected(
    as_of: datetime,
    promises: dict[str, Promise],
    hours: Hours,
    periods: dict[str, list[Period]],
    replies: dict[str, list[tuple[int, datetime, datetime | None, str | None]]],
) -> dict[tuple[str, str, int], dict[str, Any]]:
    found = {}
    for ticket, statuses in periods.items():
        for metric, (target, pauses, stops) in promises.items():
            rests = frozenset({"solved", "closed"}) if metric == "resolution" else frozenset()
            rule = Rule(target, hours, frozenset(pauses), frozenset(stops), rests)
            for cycle, started, stopped, by in cycles(metric, statuses, replies.get(ticket, [])):
                if started <= as_of:
                    shown = known_at(as_of, rule, statuses, started, stopped, by)
                    found[ticket, metric, cycle] = shown
    return found


def cycles(
    metric: str, statuses: list[Period], replies: list[tuple[int, datetime, datetime | None, str | None]]
) -> list[tuple[int, datetime, datetime | None, str | None]]:
    if metric == "resolution":
        return [(1, statuses[0].start, None, None)]
    if metric == "stakeholder_follow_up":
        following = dict(zip((p.end for p in statuses), (p.cause for p in statuses[1:]), strict=False))
        return [
            (number, p.start, p.end if p.end < NEVER else None, following.get(p.end))
            for number, p in enumerate(on_hold(statuses), 1)
        ]
    if metric == "first_response":
        return [reply for reply in replies if reply[0] == 1]
    return [reply for reply in replies if metric == "team" or reply[0] > 1]


def periods_of(connection: Connection) -> dict[str, list[Period]]:
    rows = connection.exec_driver_sql(
        "select ticket_id, status, from_at, least(until_at, %(never)s), cause from mart.ticket_status order by 1, 3",
        {"never": NEVER},
    )
    found: dict[str, list[Period]] = {}
    for ticket, *period in rows:
        found.setdefault(ticket, []).append(Period(*period))
    return found


def replies_of(connection: Connection) -> dict[str, list[tuple[int, datetime, datetime | None, str | None]]]:
    rows = connection.exec_driver_sql(
        "select ticket_id, cycle, started_at, stopped_at, stopped_by from mart.sla_clock"
        " where metric = 'amazon_reply' order by 1, 2"
    )
    found: dict[str, list[Any]] = {}
    for ticket, *reply in rows:
        found.setdefault(ticket, []).append(tuple(reply))
    return found
