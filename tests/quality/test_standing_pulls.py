"""How far sources were pulled, as of an instant: what is behind, what was left out, and why."""

from datetime import datetime, timedelta

import pytest
from landing import NOON, land_some_orders, order, rows
from sqlalchemy import Engine

from amazon_support import settings
from amazon_support.quality import DAILY, HOURLY, StandingResult, check_standing
from amazon_support.sources.positions import note_pulled
from amazon_support.window import Window

SETTINGS = settings.load()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def pulled(
    warehouse: Engine, start: datetime, end: datetime, source: str = "orders", scope: str = "eu", account: str = "main"
) -> None:
    with warehouse.begin() as connection:
        note_pulled(connection, account, source, scope, Window(start, end, live=True))


def broken(warehouse: Engine, as_of: datetime = NOON) -> dict[str, StandingResult]:
    results = check_standing(warehouse, (*HOURLY, *DAILY), SETTINGS, as_of=as_of)
    return {f"{result.dataset} {result.rule}": result for result in results if result.is_broken}


def test_a_source_that_was_never_pulled_is_not_judged(warehouse: Engine) -> None:
    found = check_standing(warehouse, (*HOURLY, *DAILY), SETTINGS, as_of=NOON)
    assert {result.dataset for result in found} == {"marts"}, "answers are judged even where there are none"
    assert not any(result.is_broken for result in found)


def test_hours_without_anything_new_are_no_gap(warehouse: Engine) -> None:
    for hour in range(48):
        pulled(warehouse, NOON - (48 - hour) * HOUR - HOUR / 6, NOON - (47 - hour) * HOUR)
    assert broken(warehouse) == {}


@pytest.mark.parametrize(
    ("source", "scope", "hours", "is_late"),
    [
        ("orders", "eu", 3, False),
        ("orders", "eu", 4, True),
        ("order_report", "eu", 4, True),
        ("feedback", "DE", 36, False),
        ("feedback", "DE", 48, True),
        ("account_health", "eu", 48, True),
    ],
)
def test_a_source_must_have_been_pulled_lately(
    warehouse: Engine, source: str, scope: str, hours: int, is_late: bool
) -> None:
    pulled(warehouse, NOON - 90 * DAY, NOON - hours * HOUR, source, scope)
    dataset = "orders" if source == "order_report" else source
    assert set(broken(warehouse)) == ({f"{dataset} pulled_lately"} if is_late else set())


def test_a_gap_is_told_with_its_hours_until_it_is_pulled(warehouse: Engine) -> None:
    pulled(warehouse, NOON - 5 * DAY, NOON - 5 * HOUR)
    pulled(warehouse, NOON - 3 * HOUR, NOON)
    found = broken(warehouse)["orders no_gap_in_windows"]
    assert (found.observed, found.cause) == (
        2,
        "from 2026-03-10 07:00 to 2026-03-10 09:00 UTC no pull came to its end",
    )
    with warehouse.begin() as connection:
        assert rows(connection, "select sentence from mart.data_quality_trouble") == [
            (
                "orders of main (eu): 2 found where gap hours at most 0 is expected (from 2026-03-10 07:00 to "
                "2026-03-10 09:00 UTC no pull came to its end); see quality results --dataset orders --rule "
                "no_gap_in_windows.",
            )
        ]
    pulled(warehouse, NOON - 6 * HOUR, NOON - 2 * HOUR, source="order_report")  # a backfill
    assert broken(warehouse) == {}
    with warehouse.begin() as connection:
        assert rows(connection, "select sentence from mart.data_quality_trouble") == []


def test_a_pull_that_broke_off_is_named(warehouse: Engine) -> None:
    pulled(warehouse, NOON - 5 * DAY, NOON - 5 * HOUR)
    pulled(warehouse, NOON - 3 * HOUR, NOON)
    with warehouse.begin() as connection:
        batch = land_some_orders(connection, order(), window=Window(NOON - 5 * HOUR, NOON - 3 * HOUR, live=True))
    assert str(broken(warehouse)["orders no_gap_in_windows"].cause).endswith(f"a pull broke off after batch {batch}")


def test_what_is_older_than_the_first_import_is_no_gap(warehouse: Engine) -> None:
    pulled(warehouse, NOON - 300 * DAY, NOON - 290 * DAY)
    pulled(warehouse, NOON - 60 * DAY, NOON)
    assert broken(warehouse) == {}


def test_the_same_instant_gives_the_same_answer_later(warehouse: Engine) -> None:
    pulled(warehouse, NOON - DAY, NOON)
    first = check_standing(warehouse, HOURLY, SETTINGS, as_of=NOON)
    pulled(warehouse, NOON, NOON + DAY)
    assert check_standing(warehouse, HOURLY, SETTINGS, as_of=NOON) == first
    with warehouse.begin() as connection:
        assert rows(connection, "select count(*) from ops.check_result") == [(len(first),)]


def test_an_account_that_is_no_longer_pulled_is_no_trouble_for_ever(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        connection.exec_driver_sql(
            "insert into ops.check_result (account, dataset, scope, rule, severity, as_of, passed, state) values "
            "('gone', 'orders', 'eu', 'pulled_lately', 'warn', %(then)s, false, 'warned')",
            {"then": NOON - 3 * DAY},
        )
        assert len(rows(connection, "select sentence from mart.data_quality_trouble")) == 1
    pulled(warehouse, NOON - DAY, NOON)
    assert broken(warehouse) == {}
    with warehouse.begin() as connection:
        assert rows(connection, "select sentence from mart.data_quality_trouble") == []
