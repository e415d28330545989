"""Each metric by the product's rules, one worked example a row; which policy counts; what a status change carries."""

from typing import Any

import pytest
from sqlalchemy import Connection
from ticket_histories import POLICY, history, moment, record, written

from amazon_support import tickets
from amazon_support.settings import ServiceLevels

ASKED = ("2026-03-02 08:00", "buyer_message")
Row = tuple[str | None, ...]


def folded(connection: Connection, *events: tuple[Any, ...], **levels: Any) -> tickets.Promises:
    promises = tickets.Promises(
        ServiceLevels.model_validate(levels), desk_exceptions=({"account": "main", "country": "DE", "desk": "bqool"},)
    )
    record(connection, history(*events))
    tickets.fold(connection, POLICY, promises)
    return promises


def cycles(connection: Connection, metric: str) -> list[Row]:
    """(started, due, stopped, stopped by, breached) of each."""
    rows = connection.exec_driver_sql(
        "select started_at, due_at, stopped_at, stopped_by, breached_at from mart.sla_clock"
        " where metric = %(metric)s order by ticket_id, cycle",
        {"metric": metric},
    )
    return [(written(began), written(due), written(end), by, written(breach)) for began, due, end, by, breach in rows]


def measured(name: str, target: Any) -> dict[str, Any]:
    return {"policies": [{"metrics": {name: target}}]}


TYPE = {
    kind: {"ticket_type": kind} for kind in ("case_update", "unknown_mail", "a_to_z_claim", "performance_notification")
}
DUE = {"detail": {"deadline": "2026-03-05T12:00:00Z"}}


@pytest.mark.parametrize(
    ("metric", "target", "events", "expected"),
    [
        pytest.param(
            "team", "24h", [ASKED, ("2026-03-02 10:00", "hold"), ("2026-03-04 10:00", "reply")],
            [("2026-03-02 08:00", "2026-03-05 08:00", "2026-03-04 10:00", "reply", None)],
            id="team: two days on hold do not count",
        ),
        pytest.param(
            "team", "24h", [ASKED, ("2026-03-02 20:00", "solve"), ("2026-03-06 08:00", "buyer_message")],
            [("2026-03-02 08:00", "2026-03-03 08:00", "2026-03-02 20:00", "solve", None)],
            id="team: solving stops it, also if the buyer was never answered",
        ),
        pytest.param(
            "team", "24h", [ASKED, ("2026-03-02 10:00", "hold")],
            [("2026-03-02 08:00", None, None, None, None)],
            id="team: while on hold nobody knows when it will be due",
        ),
        pytest.param(
            "team", "2h", [ASKED, ("2026-03-02 10:00", "hold"), ("2026-03-03 10:00", "buyer_message")],
            [("2026-03-02 08:00", "2026-03-03 10:00", None, None, "2026-03-03 10:00")],
            id="team: all used up when the pause began, breached when it ends",
        ),
        pytest.param(
            "first_response", "4h", [ASKED, ("2026-03-02 10:00", "reply"), ("2026-03-03 10:00", "buyer_message")],
            [("2026-03-02 08:00", "2026-03-02 12:00", "2026-03-02 10:00", "reply", None)],
            id="first_response: the first cycle only",
        ),
        pytest.param(
            "next_response", "4h", [ASKED, ("2026-03-02 10:00", "reply"), ("2026-03-03 10:00", "buyer_message")],
            [("2026-03-03 10:00", "2026-03-03 14:00", None, None, "2026-03-03 14:00")],
            id="next_response: the later ones",
        ),
        pytest.param(
            "resolution", "3d", [ASKED, ("2026-03-03 08:00", "solve"), ("2026-03-06 08:00", "buyer_message")],
            [("2026-03-02 08:00", "2026-03-08 08:00", None, None, "2026-03-08 08:00")],
            id="resolution: counts on after reopening, without the time between",
        ),
        pytest.param(
            "resolution", "3d", [ASKED, ("2026-03-03 08:00", "reply")],
            [("2026-03-02 08:00", "2026-03-05 08:00", "2026-03-10 08:00", "auto_solve", "2026-03-05 08:00")],
            id="resolution: silence solves too",
        ),
        pytest.param(
            "stakeholder_follow_up", "2d",
            [ASKED, ("2026-03-02 10:00", "hold"), ("2026-03-05 10:00", "buyer_message"), ("2026-03-05 11:00", "hold")],
            [
                ("2026-03-02 10:00", "2026-03-04 10:00", "2026-03-05 10:00", "buyer_message", "2026-03-04 10:00"),
                ("2026-03-05 11:00", "2026-03-07 11:00", None, None, "2026-03-07 11:00"),
            ],
            id="stakeholder_follow_up: each time on hold",
        ),
        pytest.param(
            "case_follow_up", "48h",
            [
                ("2026-03-02 08:00", "notice", TYPE["case_update"]),
                ("2026-03-03 08:00", "reply"),
                ("2026-03-06 08:00", "notice", TYPE["case_update"]),
                ("2026-03-06 09:00", "solve"),
            ],
            [
                ("2026-03-02 08:00", "2026-03-04 08:00", "2026-03-03 08:00", "reply", None),
                ("2026-03-03 08:00", "2026-03-05 08:00", "2026-03-06 08:00", "notice", "2026-03-05 08:00"),
                ("2026-03-06 08:00", "2026-03-08 08:00", "2026-03-06 09:00", "solve", None),
            ],
            id="case_follow_up: from one movement to the next",
        ),
        pytest.param(
            "notification_deadline", {},
            [("2026-03-02 08:00", "notice", TYPE["performance_notification"] | DUE), ("2026-03-04 08:00", "reply")],
            [("2026-03-02 08:00", "2026-03-05 12:00", "2026-03-04 08:00", "reply", None)],
            id="notification_deadline: the date in the notice",
        ),
        pytest.param(
            "a_to_z_deadline", {}, [("2026-03-02 08:00", "notice", TYPE["a_to_z_claim"] | DUE)],
            [("2026-03-02 08:00", "2026-03-05 12:00", None, None, "2026-03-05 12:00")],
            id="a_to_z_deadline: nobody answered",
        ),
        pytest.param(
            "a_to_z_deadline", {}, [("2026-03-02 08:00", "notice", TYPE["a_to_z_claim"])], [],
            id="a_to_z_deadline: no date, no clock",
        ),
        pytest.param(
            "mail_decision", "2d",
            [
                ("2026-03-02 08:00", "notice", TYPE["unknown_mail"]),
                ("2026-03-03 08:00", "assign"),
                ("2026-03-05 09:00", "solve"),
            ],
            [("2026-03-02 08:00", "2026-03-04 08:00", "2026-03-05 09:00", "solve", "2026-03-04 08:00")],
            id="mail_decision: assigning decides nothing",
        ),
    ],
)  # fmt: skip
def test_a_metric(
    connection: Connection, metric: str, target: Any, events: list[tuple[Any, ...]], expected: list[Row]
) -> None:
    folded(connection, *events, **measured(metric, target))
    assert cycles(connection, metric) == expected


# ---------- which policy


def policy_of(connection: Connection, *policies: dict[str, Any], fields: dict[str, Any] | None = None) -> list[str]:
    folded(connection, (*ASKED, fields or {}), policies=[*policies, {"metrics": {"team": "24h"}}])
    rows = connection.exec_driver_sql("select policy, target_seconds / 3600 from mart.sla_clock where metric = 'team'")
    return [f"{policy} {hours}" for policy, hours in rows]


@pytest.mark.parametrize(
    ("filters", "fields", "is_for_it"),
    [
        ({"marketplaces": ["DE", "FR"]}, {}, True),
        ({"marketplaces": ["JP"]}, {}, False),
        ({"marketplaces": ["DE"]}, {"marketplace": None}, False),
        ({"accounts": ["main"]}, {}, True),
        ({"accounts": ["other"]}, {}, False),
        ({"desks": ["bqool"]}, {}, True),
        ({"desks": ["seller_central"]}, {}, False),
        ({"ticket_types": ["contact_buyer"]}, {}, True),
        ({"ticket_types": ["refund"]}, {}, False),
        ({"priorities": ["urgent"]}, {"detail": {"priority": "urgent"}}, True),
        ({"priorities": ["urgent"]}, {}, False),
        ({"in_force_from": "2026-03-02"}, {}, True),
        ({"in_force_from": "2026-03-02T08:00:00Z"}, {}, True),
        ({"in_force_from": "2026-03-02T08:00:01Z"}, {}, False),
    ],
)
def test_a_policy_is_for_the_tickets_its_filters_name(
    connection: Connection, filters: dict[str, Any], fields: dict[str, Any], is_for_it: bool
) -> None:
    found = policy_of(connection, {"name": "special", **filters, "metrics": {"team": "1h"}}, fields=fields)
    [policy] = found
    assert policy.startswith("special") is is_for_it


def test_the_first_policy_wins_also_where_it_measures_nothing(connection: Connection) -> None:
    assert policy_of(connection, {"name": "quiet", "marketplaces": ["DE"], "metrics": {}}) == []


def test_targets_by_priority_follow_what_was_told_when_the_clock_started(connection: Connection) -> None:
    target = {"target": "24h", "by_priority": {"urgent": "2h"}}
    urgent = {"detail": {"priority": "urgent"}}
    folded(
        connection,
        ASKED,
        ("2026-03-02 09:00", "note", urgent),
        ("2026-03-02 10:00", "reply"),
        ("2026-03-03 08:00", "buyer_message"),
        **measured("team", target),
    )
    assert [due for _, due, *_ in cycles(connection, "team")] == ["2026-03-03 08:00", "2026-03-03 10:00"]


def test_a_clock_keeps_the_versions_that_were_in_force_when_it_started(connection: Connection) -> None:
    day = {"timezone": "UTC", "hours": {"mon-fri": ["08:00-18:00"]}}
    folded(
        connection,
        ASKED,
        ("2026-03-02 17:30", "reply"),
        ("2026-03-03 17:00", "buyer_message"),
        ("2026-03-04 17:30", "reply"),
        ("2026-03-05 17:00", "buyer_message"),
        calendars=[
            {"name": "day", **day},
            {"name": "day", "in_force_from": "2026-03-05", **day, "hours": {"mon-fri": ["10:00-18:00"]}},
        ],
        policies=[
            {"metrics": {"team": "2h"}, "calendar": "day"},
            {"metrics": {"team": "4h"}, "calendar": "day", "in_force_from": "2026-03-03"},
        ],
    )
    rows = connection.exec_driver_sql(
        "select clock.policy, calendar.calendar, clock.due_at from mart.sla_clock as clock"
        " inner join mart.calendar as calendar using (calendar_id) order by clock.cycle"
    )
    assert [(policy, calendar, written(due)) for policy, calendar, due in rows] == [
        ("default", "day", "2026-03-02 10:00"),
        ("default@2026-03-03", "day", "2026-03-04 11:00"),
        ("default@2026-03-03", "day@2026-03-05", "2026-03-06 13:00"),
    ]


# ---------- what a status change carries


def test_a_status_change_says_what_it_meant_for_each_clock(connection: Connection) -> None:
    folded(
        connection, ASKED, ("2026-03-03 07:00", "hold"), ("2026-03-03 09:00", "reply"), ("2026-03-04 08:00", "solve")
    )
    rows = connection.exec_driver_sql(
        "select changed_at, status_before, status, metric, policy, calendar, elapsed_seconds::int, due_at,"
        " is_within_sla from mart.status_change order by changed_at, metric"
    )
    assert [(written(at), *rest, written(due), ok) for at, *rest, due, ok in rows] == [
        ("2026-03-02 08:00", None, "new", "amazon_reply", "default", "24x7", 0, "2026-03-03 08:00", True),
        ("2026-03-02 08:00", None, "new", "team", "default", "24x7", 0, "2026-03-03 08:00", True),
        ("2026-03-03 07:00", "new", "on_hold", "amazon_reply", "default", "24x7", 82800, "2026-03-03 08:00", True),
        ("2026-03-03 07:00", "new", "on_hold", "stakeholder_follow_up", "default", "24x7", 0, "2026-03-05 07:00", True),
        ("2026-03-03 07:00", "new", "on_hold", "team", "default", "24x7", 82800, "2026-03-03 08:00", True),
        (
            "2026-03-04 08:00",
            "on_hold",
            "solved",
            "stakeholder_follow_up",
            "default",
            "24x7",
            90000,
            "2026-03-05 07:00",
            True,
        ),
        ("2026-04-01 08:00", "solved", "closed", None, None, None, None, None, None),
    ]


def test_asked_while_paused_a_clock_is_due_as_if_it_went_on_at_once(connection: Connection) -> None:
    promises = folded(connection, ASKED, ("2026-03-02 10:00", "hold"), **measured("team", "24h"))
    [clock] = tickets.clock_as_of(connection, moment("2026-03-05 00:00"), promises)
    assert (clock["state"], written(clock["due_at"]), clock["seconds_left"]) == (
        "paused",
        "2026-03-05 22:00",
        22 * 3600,
    )
