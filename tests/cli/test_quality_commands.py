"""The command line for people who work the quarantine."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result
from landing import NOON, land_some_orders, order, order_id
from report_lines import land_some_lines, report_line
from sqlalchemy import Engine

from amazon_support import settings
from amazon_support.cli import main
from amazon_support.quality import HOURLY, check, check_standing
from amazon_support.sources.positions import note_pulled
from amazon_support.warehouse import land
from amazon_support.window import Window

SETTINGS = settings.load()
HOUR = timedelta(hours=1)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["quality", *arguments])


@pytest.fixture
def quarantine(warehouse: Engine) -> Engine:
    """A line that cannot be read, an order that breaks a rule, and a rejected batch."""
    with warehouse.begin() as connection:
        land_some_lines(connection, report_line(), report_line(order_id(2), quantity="two"))
        land_some_orders(connection, order(order_id(3), orderItems=[]), order())
        land_some_orders(connection, *(order(order_id(n), orderItems=[]) for n in range(10, 20)), account="other")
    for dataset in ("order_report", "orders"):
        check(warehouse, dataset, SETTINGS, as_of=NOON)
        with warehouse.begin() as connection:
            land.PUBLISH[dataset](connection, SETTINGS)
    return warehouse


def test_what_waits_is_listed(quarantine: Engine) -> None:
    told = run("list")
    assert told.exit_code == 0, told.output
    heading, *lines = told.stdout.splitlines()
    assert heading.split()[:5] == ["account", "dataset", "batch", "rule", "rows"]
    assert [line.split()[3] for line in lines] == ["line_readable", "has_items", "whole"]
    assert len(json.loads(run("list", "--json").stdout)) == 3


def test_single_rows_are_shown_and_words_only_when_asked(quarantine: Engine) -> None:
    assert "quantity: not a whole number" in run("show").stdout
    assert "\ttwo\t" not in run("show", "--json").stdout
    assert "\\ttwo\\t" in run("show", "--json", "--with-words").stdout
    assert "is rejected: 10 of 10 rows" in run("show", "--account", "other").stdout


def test_rows_of_rules_that_only_warn_are_shown_until_a_check_passes(warehouse: Engine) -> None:
    lost = [order(order_id(n), fulfillment={"fulfillmentStatus": "LOST"}) for n in range(30)]
    for hour, orders in enumerate((lost, [order()])):
        at = NOON + hour * HOUR
        with warehouse.begin() as connection:
            land_some_orders(connection, *orders, window=Window(at - HOUR, at, live=True))
        check(warehouse, "orders", SETTINGS, as_of=at)
        if orders is lost:
            told = json.loads(run("show", "--dataset", "orders", "--rule", "status_known", "--json").stdout)
            assert sorted(row["row_key"] for row in told) == [order_id(n) for n in range(30)]
            assert {(row["value"], row["quarantine_id"]) for row in told} == {("LOST", None)}
            assert "warned, published" in run("show", "--rule", "status_known").stdout
    assert run("show").stdout == "Nothing waits in quarantine, and no row is warned of.\n"
    assert order_id(3) in run("show", "--all").stdout


def test_rows_are_tried_again_and_given_up(quarantine: Engine) -> None:
    again = run("retry", "--dataset", "order_report")
    assert "no line can be read yet" in again.stdout, again.output
    assert "1 of" not in run("retry", "--rule", "has_items").stdout
    assert "rows are given up, and the batches" in run("discard", "--all", "--because", "test orders").stdout
    assert run("list").stdout == "Nothing waits in quarantine.\n"
    assert "discarded: test orders" in run("show", "--all").stdout


def test_a_rejected_batch_is_accepted(quarantine: Engine) -> None:
    [batch] = [each["batch_id"] for each in json.loads(run("list", "--json").stdout) if each["rule"] is None]
    done = run("retry", "--batch", str(batch), "--accept", "known")
    assert done.exit_code == 0, (done.output, done.exception)
    assert done.stdout == f"Batch {batch} is published.\n"
    assert run("retry", "--batch", str(batch), "--accept", "known").exit_code == 1


@pytest.mark.parametrize("wrong", [["retry"], ["retry", "--accept", "x", "--all"], ["discard", "--because", "x"]])
def test_it_must_be_said_which(warehouse: Engine, wrong: list[str]) -> None:
    assert run(*wrong).exit_code == 2


# ---------- what checks found


def test_results_of_standing_checks_are_listed_with_their_cause(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        note_pulled(connection, "main", "orders", "eu", Window(NOON - timedelta(days=1), NOON - HOUR * 9, live=True))
    assert run("results").stdout == "No check found anything; --all shows those that passed.\n"
    check_standing(warehouse, HOURLY, SETTINGS, as_of=NOON)
    heading, line = run("results", "--dataset", "orders").stdout.splitlines()
    assert heading.split()[:4] == ["as", "of", "(UTC)", "account"]
    assert "pulled_lately" in line
    assert line.endswith("9.00  hours behind at most 3  pulled until 2026-03-10 03:00 UTC")
    assert {each["rule"] for each in json.loads(run("results", "--all", "--json").stdout)} >= {"no_gap_in_windows"}


def test_a_broken_rule_of_a_batch_is_among_the_results(quarantine: Engine) -> None:
    told = run("results", "--account", "other").stdout
    assert "has_items" in told
    assert "rejected" in told
