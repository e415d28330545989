"""Landed feedback is checked where it is: bad lines are set aside by name, and an empty report is an answer."""

from datetime import timedelta
from typing import Any

import pytest
from feedback_rows import DAY, RATED_ON, SETTINGS, land_report, line
from landing import NOON, order_id, rows
from sqlalchemy import Engine

from amazon_support.quality import BatchVerdict, check, suites
from amazon_support.warehouse import land
from amazon_support.warehouse.land.batches import BadLine


def landed(warehouse: Engine, *lines: Any, **more: Any) -> None:
    with warehouse.begin() as connection:
        land_report(connection, *lines, **more)


def checked(warehouse: Engine) -> list[BatchVerdict]:
    return check(warehouse, "feedback", SETTINGS, as_of=NOON)


def set_aside(warehouse: Engine) -> list[tuple[Any, ...]]:
    with warehouse.begin() as connection:
        return rows(connection, "select row_key, rule from ops.quarantine order by 1, 2")


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"order_id": "302-1"}, "order_id_shape"),
        ({"order_id": ""}, "order_id_shape"),
        ({"rating": 0}, "rating_valid"),
        ({"rating": 6}, "rating_valid"),
        ({"rated_on": NOON.date() + 2 * DAY}, "not_in_the_future"),
    ],
    ids=str,
)
def test_a_bad_line_is_set_aside_and_the_others_are_published(
    warehouse: Engine, wrong: dict[str, Any], rule: str
) -> None:
    landed(warehouse, line(**wrong), line(order_id(2), line_number=3))
    [verdict] = checked(warehouse)
    assert set_aside(warehouse) == [("line 2", rule)]
    assert (verdict.quarantined, verdict.rejected_because) == (1, None)
    with warehouse.begin() as connection:
        assert land.publish_feedback(connection, SETTINGS) == 1
        assert rows(connection, "select order_id from core.feedback") == [(order_id(2),)]
        assert rows(connection, "select order_id from core.amazon_order") == [(order_id(2),)]


def test_feedback_of_a_marketplace_that_settings_lack_is_set_aside(warehouse: Engine) -> None:
    landed(warehouse, line(), marketplace="XX")
    checked(warehouse)
    assert set_aside(warehouse) == [("line 2", "marketplace_known")]


@pytest.mark.parametrize(
    "fine",
    [
        {"rated_on": NOON.date() + DAY},  # it is tomorrow in Japan
        {"rated_on": NOON.date() - 90 * DAY},
        {"order_id": "D01-1234567-1234567"},
        {"rating": 5},
        {"comments": "", "rater_email": ""},
    ],
    ids=str,
)
def test_unusual_feedback_passes(warehouse: Engine, fine: dict[str, Any]) -> None:
    landed(warehouse, line(**fine))
    [verdict] = checked(warehouse)
    assert verdict.broken_rules == {}


@pytest.mark.parametrize(
    ("second", "rule"),
    [
        ({"rated_on": RATED_ON - timedelta(days=90)}, "rated_within_the_span"),
        ({"order_id": order_id(1)}, "one_line_an_order"),
    ],
)
def test_what_is_only_strange_is_recorded_and_published(warehouse: Engine, second: dict[str, Any], rule: str) -> None:
    landed(warehouse, line(order_id(1)), line(**{"order_id": order_id(2), "line_number": 3} | second))
    [verdict] = checked(warehouse)
    assert (list(verdict.broken_rules), verdict.quarantined) == ([rule], 0)


def test_a_pull_late_by_days_is_not_in_the_future(warehouse: Engine) -> None:
    landed(warehouse, line(rated_on=NOON.date()), seen_at=NOON, end=NOON - 5 * DAY)
    [verdict] = checked(warehouse)
    assert verdict.broken_rules == {}


def test_a_report_without_feedback_is_an_answer(warehouse: Engine) -> None:
    landed(warehouse)
    landed(warehouse, bad_lines=(BadLine(2, "half", "half a line"),))
    assert [verdict.rejected_because for verdict in checked(warehouse)] == [None, None]
    with warehouse.begin() as connection:
        assert land.publish_feedback(connection, SETTINGS) == 2


def test_a_report_that_lost_lines_on_the_way_waits_for_a_person(warehouse: Engine) -> None:
    landed(warehouse, line(), line(order_id(2), line_number=3))
    with warehouse.begin() as connection:
        connection.exec_driver_sql("delete from raw.feedback_received where line_number = 3")
    [verdict] = checked(warehouse)
    assert verdict.rejected_because == "batch_is_complete (missing rows at least 0 and at most 0 expected)"


def test_every_rule_leaves_a_result(warehouse: Engine) -> None:
    landed(warehouse, line())
    checked(warehouse)
    with warehouse.begin() as connection:
        found = {rule for (rule,) in rows(connection, "select rule from ops.check_result where passed")}
    expected = suites.feedback(list(SETTINGS.by_country)) + suites.batches()
    assert found == {expectation.meta["rule"] for expectation in expected}
