"""The gate between landing and publishing, by the tasks' own functions: what is rejected is told, the rest goes on."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from landing import land_some_orders, order, order_id, rows
from report_lines import land_some_lines, report_line
from sqlalchemy import Engine

from amazon_support.orchestration import tasks

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


class News:
    """Stands for what Airflow gives a task that declares an alias."""

    def __init__(self) -> None:
        self.of: list[tuple[str, Any]] = []

    def add(self, asset: Any, extra: Any = None) -> None:
        self.of.append((asset.name, extra))


@pytest.fixture
def news(monkeypatch: pytest.MonkeyPatch) -> News:
    return in_a_run(monkeypatch, "scheduled")


def in_a_run(monkeypatch: pytest.MonkeyPatch, run_type: str) -> News:
    news = News()
    aliases = {tasks.news_of(dataset): news for dataset in ("orders", "order_report")}
    run = SimpleNamespace(run_type=run_type, data_interval_start=NOON - timedelta(hours=1), data_interval_end=NOON)
    context = {"dag_run": run, "params": {}, "run_id": "run_1", "outlet_events": aliases}
    monkeypatch.setattr(tasks, "get_current_context", lambda: context)
    return news


def test_a_rejected_batch_fails_the_check_in_one_sentence_and_the_others_are_published(
    warehouse: Engine, news: News
) -> None:
    with warehouse.begin() as connection:
        rejected = land_some_orders(connection, *(order(order_id(n), orderItems=[]) for n in range(10)), account="one")
        land_some_orders(connection, order(), account="other")
    with pytest.raises(AirflowFailException) as failure:
        tasks.check(["orders"])
    assert str(failure.value) == (
        f"Batch {rejected} of orders, account one (eu), waits for a person: 10 of 10 rows broke rejecting rules "
        f"(has_items 10). Look closer: python -m amazon_support quality show --batch {rejected}"
    )
    assert tasks.publish(["orders"]) == {"orders": 1}
    with warehouse.begin() as connection:
        assert rows(connection, "select account from core.amazon_order") == [("other",)]
        assert rows(connection, "select distinct run from ops.quarantine") == [("run_1",)]


def test_assets_are_updated_by_what_passed_and_by_nothing_else(warehouse: Engine, news: News) -> None:
    with warehouse.begin() as connection:
        land_some_orders(connection, *(order(order_id(n), orderItems=[]) for n in range(10)))
        land_some_lines(connection, report_line())
    with pytest.raises(AirflowFailException):
        tasks.check(["orders", "order_report"])
    tasks.publish(["orders", "order_report"])
    assert news.of == [("amazon_support.order_report", {"batches": 1})]


def test_a_backfill_is_no_news(warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    news = in_a_run(monkeypatch, "backfill")
    with warehouse.begin() as connection:
        land_some_orders(connection, order())
    tasks.check(["orders"])
    assert tasks.publish(["orders"]) == {"orders": 1}
    assert news.of == []


def test_lines_that_waited_long_enough_are_forgotten(warehouse: Engine, news: News) -> None:
    with warehouse.begin() as connection:
        land_some_lines(connection, report_line(), report_line(order_id(2), quantity="two"))
        connection.exec_driver_sql("update ops.quarantine set set_aside_at = set_aside_at - interval '31 days'")
    assert tasks.tend_quality() == {"forgotten": 1, "settled": 0, "results": 0}
