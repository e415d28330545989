"""Backfills of orders: what they cost, how far they are, what is missing after them, against a stand-in for Amazon."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from landing import land_some_orders, let_pass
from sp_api.auth.access_token_client import cache
from sqlalchemy import Engine

from amazon_support import settings
from amazon_support.backfill_plan import DAGS
from amazon_support.cli import backfill, main
from amazon_support.sources import positions
from amazon_support.warehouse import land
from amazon_support.window import Window
from sandbox.amazon import TOKEN_PATH, create_app
from sandbox.http import serve
from sandbox.world import Seller, World, generate

NOW = datetime.now(UTC)  # the command asks for what is recent by the real clock
MIDNIGHT = datetime.combine(NOW.date(), time(), UTC)
DAY = timedelta(days=1)
SELLER = Seller("shop", "eu", ("DE", "FR"), "id", "a-secret", "Atzr|shop-eu", "ASHOP")
SPAN = Window(MIDNIGHT - 4 * DAY, MIDNIGHT - DAY, live=False)
FROM_TO = ("--from", f"{SPAN.start:%Y-%m-%d}", "--to", f"{SPAN.end - DAY:%Y-%m-%d}")


@pytest.fixture(scope="module")
def world() -> World:
    return generate(seed=5, until=NOW - timedelta(minutes=5), days=6, sellers=[SELLER], orders_per_day=8)


@pytest.fixture(scope="module")
def amazon(world: World) -> Iterator[str]:
    with serve(create_app(world, rate_factor=10_000)) as url:
        yield url


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "accounts.yaml").write_text("accounts: [{name: shop, regions: [eu]}]\n")
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(tmp_path))
    monkeypatch.setenv("AMAZON_SUPPORT_ARCHIVE", str(tmp_path / "archive"))
    monkeypatch.setenv("AIRFLOW_CONN_AMAZON_SUPPORT_ARCHIVE", '{"conn_type": "generic", "password": "secret"}')
    for name, value in {"REFRESH_TOKEN": "Atzr|shop-eu", "CLIENT_ID": "id", "CLIENT_SECRET": "a-secret"}.items():
        monkeypatch.setenv(f"AMAZON_SP_API_{name}", value)
    cache.clear()  # access tokens, kept by the process


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["backfill", *arguments])


def placed(world: World) -> list[dict[str, Any]]:
    """Orders placed in the span."""
    return [o for o in world.orders["shop", "eu"] if SPAN.start <= datetime.fromisoformat(o["createdTime"]) < SPAN.end]


def known(warehouse: Engine, orders: list[dict[str, Any]]) -> None:
    with warehouse.begin() as connection:
        land_some_orders(connection, *orders, account="shop", window=SPAN)
        let_pass(connection)
        land.publish_orders(connection, settings.load())


# ---------- before


def test_a_new_account_costs_one_report_in_thirty_days_and_nobody_knows_how_many_lines(warehouse: Engine) -> None:
    answer = ask("plan", "--from", f"{NOW - 300 * DAY:%Y-%m-%d}", "--to", f"{NOW - DAY:%Y-%m-%d}", "--json")
    assert answer.exit_code == 0, answer.output
    (na, eu, fe) = json.loads(answer.stdout)["places"]
    assert [place["region"] for place in (na, eu, fe)] == ["na", "eu", "fe"], "nothing tells where it has a shop"
    assert eu["runs"] == 10
    assert eu["calls"] == {"createReport": 10, "getReport": 40, "getReportDocument": 10}
    assert eu["rows"] is None
    assert eu["hours"] < 0.2, "within Amazon's burst"


def test_two_years_wait_for_amazons_rates_and_what_is_older_is_left_out(warehouse: Engine) -> None:
    answer = ask("plan", "--from", f"{NOW - 900 * DAY:%Y-%m-%d}", "--account", "shop", "--json")
    cost = json.loads(answer.stdout)
    windows = cost["places"][1]["runs"]
    assert windows in (25, 26), "two years, and one more where a run begins before them"
    assert cost["places"][1]["hours"] == pytest.approx(((windows - 15) / 0.0167 + 300) / 3600)
    assert "Amazon keeps two years" in cost["notes"][0]


def test_lines_and_disk_follow_from_what_reports_brought(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        positions.note_pulled(connection, "shop", "order_report", "eu", SPAN)
        connection.exec_driver_sql(
            "insert into ops.batch (dataset, account, scope, window_start, window_end, row_count) "
            "values ('order_report', 'shop', 'eu', %s, %s, 30000)",
            (SPAN.start, SPAN.end),
        )
    answer = ask("plan", "--from", f"{NOW - 60 * DAY:%Y-%m-%d}", "--to", f"{NOW - DAY:%Y-%m-%d}")
    heading, place, total = answer.stdout.splitlines()
    assert heading.split() == [
        "account", "region", "runs", "createReport", "getReport", "getReportDocument", "hours", "lines", "disk",
    ]  # fmt: skip
    assert place.split()[:3] == ["shop", "eu", "2"]
    assert place.split()[-3:-1] == ["600,000", "480"] or place.split()[-3].startswith("59")
    assert total.startswith("all")


def test_each_dag_that_can_be_run_for_the_past_has_a_plan(warehouse: Engine) -> None:
    named = next(option for option in backfill.commands["plan"].params if option.name == "dag")
    assert tuple(named.type.choices) == DAGS  # type: ignore[attr-defined]
    yesterday = ("--from", f"{MIDNIGHT - DAY:%Y-%m-%d}", "--to", f"{MIDNIGHT - DAY:%Y-%m-%d}")
    headings = {
        "orders_history": "account region runs createReport getReport getReportDocument hours lines disk",
        "support_hourly": "account region runs searchOrders createReport getReport getReportDocument hours orders",
        "support_daily": "account region runs createReport getReport getReportDocument hours feedback",
        "mail_reread": "account runs hours mails to read",
    }
    for dag, heading in headings.items():
        answer = ask("plan", *yesterday, "--dag", dag)
        assert answer.exit_code == 0, answer.output
        assert answer.stdout.splitlines()[0].split() == heading.split()
    assert ask("plan", *yesterday, "--dag", "support_retention").exit_code == 2


def test_mail_of_a_disabled_account_is_read_again_and_nothing_else_is_pulled_for_it(
    warehouse: Engine, tmp_path: Path
) -> None:
    (tmp_path / "accounts.yaml").write_text("accounts: [{name: shop, enabled: false}]\n")
    start = ("--from", f"{SPAN.start:%Y-%m-%d}", "--account", "shop")
    _, shop, total = ask("plan", *start, "--dag", "mail_reread").stdout.splitlines()
    assert (shop.split(), total.split()) == (["shop", "1", "0.0", "0", "0", "MB"], ["all", "1", "0.0", "0", "0", "MB"])
    assert "no enabled account 'shop'" in ask("plan", *start, "--dag", "support_daily").stderr


# ---------- while it runs


def test_progress_tells_what_is_pulled_what_waits_and_where_the_first_gap_is(warehouse: Engine) -> None:
    half = Window(SPAN.start + 1.5 * DAY, SPAN.end, live=False)
    with warehouse.begin() as connection:
        positions.note_pulled(connection, "shop", "order_report", "eu", half)
        connection.exec_driver_sql(
            "insert into ops.batch (dataset, account, scope, window_start, window_end, row_count) "
            "values ('order_report', 'shop', 'eu', %s, %s, 1234)",
            (half.start, half.end),
        )
    (row,) = json.loads(f"[{ask('progress', *FROM_TO, '--json').stdout}]")
    assert (row["pulled"], row["lines"], row["to check or publish"]) == ("50.0 %", "1,234", "1 batches")
    assert row["first gap"] == f"{SPAN.start:%Y-%m-%d} to {half.start:%Y-%m-%d}"
    assert "██████████░░░░░░░░░░" in ask("progress", *FROM_TO).stdout


# ---------- after it


def test_history_that_is_whole_is_told_day_by_day(warehouse: Engine, world: World, amazon: str) -> None:
    known(warehouse, placed(world))
    answer = ask("verify", *FROM_TO, "--region", "eu", "--endpoint", amazon, "--token-url", amazon + TOKEN_PATH)
    assert answer.exit_code == 0, answer.output
    lines = answer.stdout.splitlines()
    by_day = Counter(o["createdTime"][:10] for o in placed(world))
    for day, number in by_day.items():
        (line,) = [each for each in lines if each.startswith(day)]
        assert line.split()[3:] == [str(number), str(number), "0", "0", "ok"]
    assert lines[-1].split()[:6] == ["all", "days", "shop", "eu", str(len(placed(world))), str(len(placed(world)))]


def test_an_order_that_is_missing_is_named_and_the_command_fails(warehouse: Engine, world: World, amazon: str) -> None:
    lost, *kept = placed(world)
    known(warehouse, kept)
    where = ("--region", "eu", "--endpoint", amazon, "--token-url", amazon + TOKEN_PATH)
    answer = ask("verify", *FROM_TO, *where, "--differences")
    assert answer.exit_code == 1
    _, line, _ = answer.stdout.splitlines()
    assert line.startswith(lost["createdTime"][:10])
    assert line.endswith(f"differs  {lost['orderId']}")
    assert "1 days differ" in answer.stderr


def test_without_a_beginning_or_with_an_unknown_account_the_command_says_what_is_wrong(warehouse: Engine) -> None:
    assert "--from is missing" in ask("plan").stderr
    assert "no enabled account 'nobody'" in ask("plan", "--from", "2026-01-01", "--account", "nobody").stderr
