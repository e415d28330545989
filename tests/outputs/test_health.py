"""Account health in words, and who is told of it, once."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from output_rows import ANA, NOON, before, insert, settings
from sqlalchemy import Connection, text

from amazon_support.outputs.alerts import raise_health_alerts
from amazon_support.outputs.health import Figure, account_health, render
from amazon_support.settings import Agent

DAY = timedelta(days=1)
YUKI = Agent(name="Yuki Tan", email="yuki@shop.example", marketplaces=("JP",))
GOOD, AT_RISK, DEACTIVATED = ("GOOD", 0), ("AT_RISK", 3), ("DEACTIVATED", 6)


def measured(
    connection: Connection, value: str | None = "0.02", status: tuple[str, int] = GOOD, day: float = 0, **changes: Any
) -> None:
    """A late shipment rate in Germany, so many days after noon of the tests."""
    row: dict[str, Any] = {
        "account": "main", "marketplace": "DE", "metric": "late_shipment_rate", "fulfilment": None, "period_days": 30,
        "measured_at": NOON + day * DAY, "unit": "share", "value": value, "target_value": "0.04",
        "target_condition": "LESS_THAN", "target_source": "amazon", "status": status[0], "severity": status[1],
        "batch_id": 1,
    } | changes  # fmt: skip
    insert(connection, "core.account_metric", **row)


def run(connection: Connection, *agents: Agent, day: float = 0) -> int:
    return raise_health_alerts(connection, settings(*agents), as_of=NOON + day * DAY)


def subjects(connection: Connection) -> list[str]:
    return list(connection.execute(text("select subject from pii.outbox order by outbox_id")).scalars())


def plain(connection: Connection) -> str:
    found: str = connection.execute(text("select plain from pii.outbox order by outbox_id desc limit 1")).scalar_one()
    return found


def figure(**changes: Any) -> Figure:
    values: dict[str, Any] = {
        "account": "main", "marketplace": "DE", "metric": "order_defect_rate", "fulfilment": "MERCHANT",
        "period_days": 60, "measured_at": NOON, "unit": "share", "value": Decimal("0.01250"),
        "previous_value": Decimal("0.0100"), "trend": "worse", "is_worse": True, "is_good": False, "severity": 2,
        "status": "BAD", "target_value": Decimal("0.010"), "target_condition": "LESS_THAN", "target_source": "amazon",
        "link": None,
    } | changes  # fmt: skip
    return Figure(**values)


# ---------- words


def test_a_figure_says_what_it_is_should_be_and_was() -> None:
    shown = figure()
    assert shown.title == "Order defect rate, seller-fulfilled, 60 days"
    assert (shown.state, shown.amount, shown.remark) == ("Bad", "1.25 %", "Should be below 1 %, was 1 %")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"unit": "count", "value": Decimal(20), "target_value": Decimal(0), "target_condition": "EQUALS",
          "previous_value": None}, ("Bad", "20", "Should be 0")),
        ({"unit": "score", "value": Decimal("860.0"), "target_value": None, "previous_value": Decimal(900),
          "status": "AT_RISK_OF_DEACTIVATION"}, ("At risk of deactivation", "860", "Was 900")),
        ({"unit": None, "value": None, "previous_value": None, "target_value": None}, ("Bad", "", "")),
        ({"status": "NONE"}, ("Not good", "1.25 %", "Should be below 1 %, was 1 %")),
        ({"status": None, "is_good": True, "target_condition": "GREATER_THAN", "previous_value": Decimal("0.0125")},
         ("Good", "1.25 %", "Should be above 1 %")),
        ({"status": None, "is_good": None, "target_value": None}, ("No verdict", "1.25 %", "Was 1 %")),
        ({"value": Decimal("0.000001"), "trend": "better"}, ("Bad", "0 %", "Should be below 1 %, was 1 %")),
        ({"value": Decimal(1)}, ("Bad", "100 %", "Should be below 1 %, was 1 %")),
    ],
)  # fmt: skip
def test_each_unit_has_its_words(changes: dict[str, Any], words: tuple[str, str, str]) -> None:
    shown = figure(**changes)
    assert (shown.state, shown.amount, shown.remark) == words


# ---------- the summary


def test_the_summary_counts_all_and_lists_what_needs_attention(connection: Connection) -> None:
    measured(connection, "0.02", day=-1)
    measured(connection, "0.05", AT_RISK)
    measured(connection, "0.02", marketplace="JP")
    measured(connection, None, GOOD, metric="account_status", period_days=None, unit=None, target_value=None)
    assert render(account_health(connection, settings(), as_of=NOON)).splitlines() == [
        "Account health   2 good, 1 not good, 1 worse than before",
        "account  site  status   now  should be  trend  what",
        "main     DE    At risk  5 %  below 4 %  worse  Late shipment rate, 30 days",
    ]


def test_where_all_is_well_the_summary_is_one_line(connection: Connection) -> None:
    assert render(account_health(connection, settings(), as_of=NOON)) == "Account health   no report yet"
    measured(connection)
    found = account_health(connection, settings(), as_of=NOON)
    assert render(found) == "Account health   1 good, 0 not good, 0 worse than before"


# ---------- who is told


def test_what_is_not_good_is_told_to_the_agents_of_its_marketplace(connection: Connection) -> None:
    measured(connection, "0.05", AT_RISK)
    measured(connection, "0.03", day=-1, marketplace="US")
    measured(connection, "0.031", marketplace="US")
    measured(connection, marketplace="JP")
    assert run(connection, ANA, YUKI) == 1
    assert subjects(connection) == ["Alert 12:00 UTC: 1 health figure not good, 1 health figure worse"]
    assert plain(connection).splitlines() == [
        "Alert for Ana Lima",
        "As of 10 Mar 12:00 UTC",
        "1 health figure not good, 1 health figure worse",
        "",
        "ACCOUNT HEALTH NOT GOOD (1)",
        "",
        "At risk            5 %               DE  Late shipment rate, 30 days",
        "    Should be below 4 %",
        "    https://sellercentral.amazon.de/performance/dashboard",
        "",
        "ACCOUNT HEALTH WORSE THAN BEFORE (1)",
        "",
        "Good               3.1 %             US  Late shipment rate, 30 days",
        "    Should be below 4 %, was 3 %",
        "    https://sellercentral.amazon.com/performance/dashboard",
        "",
        "All times are UTC.",
    ]
    html = connection.execute(text("select html from pii.outbox")).scalar_one()
    assert '<div class="left late">At risk</div>' in html
    assert '<div class="left soon">Good</div>' in html
    assert "no deadline" not in html


def test_nothing_wrong_is_no_message(connection: Connection) -> None:
    measured(connection, "0.02", day=-1)
    measured(connection, "0.01")
    measured(connection, "0.9", ("NONE", 0), metric="something_new", target_value=None)
    assert run(connection) == 0


def test_of_several_accounts_each_is_named(connection: Connection) -> None:
    for account in ("main", "other"):
        measured(connection, "0.05", AT_RISK, account=account)
    assert run(connection) == 1
    assert [line.rpartition(", ")[2] for line in plain(connection).splitlines() if "30 days" in line] == [
        "main",
        "other",
    ]


def test_two_agents_with_one_address_get_one_message(connection: Connection) -> None:
    measured(connection, "0.05", AT_RISK, marketplace="JP")
    assert run(connection, YUKI, Agent(name="Kenji Mori", email=YUKI.email)) == 1


# ---------- once


def course(connection: Connection, *states: tuple[str, tuple[str, int]]) -> list[int]:
    """What a run on each day tells, with a second run of the same instant, and one hours later."""
    told = []
    for day, (value, status) in enumerate(states):
        measured(connection, value, status, day)
        told.append(run(connection, day=day))
        assert run(connection, day=day) == 0
        assert run(connection, day=day + 0.5) == 0
    return told


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ([("0.05", AT_RISK)] * 3, [1, 0, 0]),
        ([("0.05", AT_RISK), ("0.06", AT_RISK), ("0.06", AT_RISK)], [1, 1, 0]),
        ([("0.05", AT_RISK), ("0.05", DEACTIVATED), ("0.05", AT_RISK)], [1, 1, 0]),
        ([("0.05", AT_RISK), ("0.02", GOOD), ("0.05", AT_RISK)], [1, 0, 1]),
        ([("0.02", GOOD), ("0.03", GOOD), ("0.03", GOOD), ("0.02", GOOD)], [0, 1, 0, 0]),
        ([("0.03", GOOD), ("0.03", AT_RISK), ("0.02", AT_RISK)], [0, 1, 0]),
    ],
    ids=["stays bad", "gets worse", "falls deeper", "fails again", "worse but good", "Amazon's word alone"],
)
def test_each_change_for_the_worse_is_told_once(
    connection: Connection, states: list[tuple[str, tuple[str, int]]], told: list[int]
) -> None:
    assert course(connection, *states) == told


def test_what_no_run_could_tell_in_time_is_told_by_the_next(connection: Connection) -> None:
    measured(connection, "0.05", AT_RISK)
    assert run(connection) == 1
    measured(connection, "0.02", GOOD, day=1)
    measured(connection, "0.05", AT_RISK, day=2)  # that day's run was late: it told nobody
    measured(connection, "0.05", AT_RISK, day=3)
    assert [run(connection, day=3), run(connection, day=4)] == [1, 0]


def test_each_person_is_told_once_also_who_joined_later(connection: Connection) -> None:
    measured(connection, "0.05", AT_RISK)
    assert [run(connection, ANA), run(connection, ANA, Agent(name="Li", email="li@shop.example"))] == [1, 1]


def test_what_came_late_is_a_message_of_its_own(connection: Connection) -> None:
    measured(connection, "0.05", AT_RISK)
    assert run(connection) == 1
    measured(connection, "0.05", AT_RISK, marketplace="US")
    assert run(connection) == 1
    assert "US" in plain(connection)
    assert "DE" not in plain(connection)


def test_nothing_is_told_before_it_was_known(connection: Connection) -> None:
    measured(connection, "0.05", AT_RISK)
    as_of: datetime = before(hours=1)
    assert raise_health_alerts(connection, settings(), as_of=as_of) == 0
