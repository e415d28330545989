"""Every status change says, of each clock that ran then or that it stopped, by which versions and whether in time."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from sqlalchemy import Connection
from ticket_histories import event, history, moment, record, written

from amazon_support import tickets
from amazon_support.settings import Policy, ServiceLevels

HOUR = timedelta(hours=1)
OFFICE = {"timezone": "UTC", "hours": {"mon-fri": ["09:00-17:00"]}}


def folded(connection: Connection, told: list[dict[str, Any]], *policies: dict[str, Any]) -> None:
    levels = ServiceLevels.model_validate({"policies": policies})
    record(connection, told)
    tickets.fold(connection, Policy(), tickets.Promises(levels))


def changes(connection: Connection, metric: str) -> list[tuple[Any, ...]]:
    rows = connection.exec_driver_sql(
        "select changed_at, status, cycle, policy, calendar, elapsed_seconds / 3600, due_at, is_within_sla"
        " from mart.status_change where metric = %(metric)s order by changed_at, cycle",
        {"metric": metric},
    )
    return [(written(at), *rest, float(hours), written(due), ok) for at, *rest, hours, due, ok in rows]


def test_a_breach_a_pause_and_business_hours_show_in_each_change(connection: Connection) -> None:
    told = history(
        ("2026-03-02 08:00", "buyer_message"),  # a Monday
        ("2026-03-02 12:00", "hold"),
        ("2026-03-03 12:00", "buyer_message"),
        ("2026-03-04 12:00", "solve"),
    )
    team = {"target": "8h", "pauses_in": ["on_hold"]}
    folded(connection, told, {"calendar": OFFICE, "metrics": {"team": team}})
    assert changes(connection, "team") == [
        ("2026-03-02 08:00", "new", 1, "default", "default/hours", 0, "2026-03-02 17:00", True),
        ("2026-03-02 12:00", "on_hold", 1, "default", "default/hours", 3, "2026-03-02 17:00", True),
        ("2026-03-03 12:00", "open", 1, "default", "default/hours", 3, "2026-03-03 17:00", True),
        ("2026-03-04 12:00", "solved", 1, "default", "default/hours", 11, "2026-03-03 17:00", False),
    ]


def test_a_clock_keeps_its_version_through_later_changes_of_status(connection: Connection) -> None:
    told = history(
        ("2026-03-02 08:00", "buyer_message"),
        ("2026-03-02 20:00", "hold"),
        ("2026-03-04 08:00", "reply"),
        ("2026-03-04 09:00", "buyer_message"),
        ("2026-03-04 13:00", "reply"),
    )
    first = {"metrics": {"amazon_reply": "24h"}}
    second = {"in_force_from": "2026-03-02T12:00Z", "metrics": {"amazon_reply": "4h"}}
    folded(connection, told, first, second)
    assert changes(connection, "amazon_reply") == [
        ("2026-03-02 08:00", "new", 1, "default", "24x7", 0, "2026-03-03 08:00", True),
        ("2026-03-02 20:00", "on_hold", 1, "default", "24x7", 12, "2026-03-03 08:00", True),
        ("2026-03-04 09:00", "open", 2, "default@2026-03-02T12:00Z", "24x7", 0, "2026-03-04 13:00", True),
        ("2026-03-04 13:00", "pending", 2, "default@2026-03-02T12:00Z", "24x7", 4, "2026-03-04 13:00", True),
    ]


def test_exactly_when_it_is_due_it_is_still_within(connection: Connection) -> None:
    folded(
        connection,
        history(("2026-03-02 08:00", "buyer_message"), ("2026-03-03 08:00", "reply")),
        {"metrics": {"amazon_reply": "24h"}},
    )
    assert [row[-1] for row in changes(connection, "amazon_reply")] == [True, True]


KINDS = st.sampled_from(["buyer_message", "buyer_message", "reply", "hold", "solve", "unread", "no_response_needed"])
STEPS = st.lists(st.tuples(st.sampled_from([0, 1, 10, 30, 200]), KINDS), min_size=1, max_size=8)


@options(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories=st.lists(STEPS, min_size=1, max_size=4))
def test_each_change_has_a_row_for_each_clock_that_ran(connection: Connection, histories: Any) -> None:
    told = []
    for number, steps in enumerate(histories):
        at = moment("2026-03-02 08:00")
        for place, (gap, kind) in enumerate(steps):
            at += gap * HOUR
            told.append(event(at, kind, key=f"T{number}", source_id=f"{number} {place}", source_order=place))
    with connection.begin_nested() as example:
        folded(connection, told, {"metrics": {"amazon_reply": "24h", "resolution": "48h"}})
        clocks = connection.exec_driver_sql("select * from mart.sla_clock").mappings().all()
        wanted = set()
        for ticket, at, status in connection.exec_driver_sql(
            "select ticket_id, from_at, status from mart.ticket_status"
        ):
            running = [c for c in clocks if c["ticket_id"] == ticket and c["started_at"] <= at <= stop_of(c)]
            for c in running:
                in_time = c["breached_at"] is None or at <= c["breached_at"]
                wanted.add((ticket, at, status, c["metric"], c["cycle"], c["policy"], in_time))
            if not running:
                wanted.add((ticket, at, status, None, None, None, None))
        rows = connection.exec_driver_sql(
            "select ticket_id, changed_at, status, metric, cycle, policy, is_within_sla from mart.status_change"
        )
        assert sorted(map(str, rows)) == sorted(map(str, wanted))
        elapsed = connection.exec_driver_sql(
            "select changed_at, started_at, elapsed_seconds from mart.status_change where metric = 'amazon_reply'"
        )
        assert all(seconds == (at - start).total_seconds() for at, start, seconds in elapsed)
        assert in_the_timeline(connection) == of_the_changes(connection)
        example.rollback()


def in_the_timeline(connection: Connection) -> list[str]:
    """The changes, once each: two events of a kind in one instant brought it about together."""
    rows = connection.exec_driver_sql(
        "select distinct ticket_id, at, what, status_before, status, is_within_sla from mart.ticket_timeline"
        " where status is not null"
    )
    return sorted(map(str, rows))


def of_the_changes(connection: Connection) -> list[str]:
    """The changes, in time where every clock was."""
    rows = connection.exec_driver_sql(
        "select ticket_id, changed_at, cause, min(status_before), status, bool_and(is_within_sla)"
        " from mart.status_change group by ticket_id, changed_at, cause, status"
    )
    return sorted(map(str, rows))


def stop_of(clock: Any) -> datetime:
    stopped: datetime = clock["stopped_at"] or moment("2100-01-01")
    return stopped
