"""The checks of a large batch: Great Expectations inside PostgreSQL against one hand-made pass."""

import subprocess
import sys
import time
from datetime import UTC, datetime

from result import Result, seconds
from sqlalchemy import Engine

from amazon_support import settings
from amazon_support.quality import check, suites
from amazon_support.warehouse import sql_text
from amazon_support.warehouse.land.batches import new_batch
from amazon_support.window import Window

AT = datetime(2026, 3, 10, tzinfo=UTC)
ROWS = 1_000_000
LINES = """
insert into raw.order_report_row (
    batch_id, account, region, line_number, order_id, ordered_at, last_updated_at, status, fulfillment_channel,
    sales_channel, sku, asin, quantity, currency, item_price, item_tax
)
select %s, 'bench', 'eu', n, '302-1234567-' || lpad(n::text, 7, '0'), timestamptz '2026-03-01',
    timestamptz '2026-03-09', 'Shipped', 'Amazon', 'Amazon.de', 'SKU-' || n, 'B000000001', 1 + n %% 3, 'EUR', 24.9, 3.98
from generate_series(1, %s) as n
"""
# The fifteen rules of suites.order_report, as somebody would write them by hand, over the same typed rows.
BY_HAND = """
select
    count(*) filter (where order_id !~ '^(\\d{3}-\\d{7}-\\d{7}|[DS]01-.*)$'),
    count(*) filter (where created_at is null),
    count(*) filter (where last_updated_at is null),
    count(*) filter (where hours_created_after_update > 0),
    count(*) filter (where hours_ahead > 24),
    count(*) filter (where quantity is null),
    count(*) filter (where quantity < 0),
    count(*) filter (where largest_amount > 1e14),
    count(*) filter (where status <> all(%(statuses)s)),
    count(*) filter (where fulfilled_by <> all(%(fulfilled_by)s)),
    count(*) filter (where copies > 1),
    count(*) filter (where sales_channel <> all(%(domains)s)),
    count(*) filter (where sku is null),
    count(*) filter (where asin !~ '^[A-Z0-9]{10}$'),
    count(*) filter (where currency !~ '^[A-Z]{3}$'),
    count(*)
from (ROWS_TO_CHECK) as landed
"""


def checking(url: str, bound: Engine, rows: int = ROWS) -> list[Result]:
    """A batch of so many lines with nothing wrong; and what the checks cost before they look at anything."""
    current = settings.load()
    batch_id = _land(bound, rows)
    parameters = {"batch_ids": [batch_id], "as_of": AT, "domains": [m.domain for m in current.marketplaces]}
    parameters |= {"statuses": suites.ORDER_STATUSES, "fulfilled_by": suites.FULFILLED_BY}
    by_hand = BY_HAND.replace("ROWS_TO_CHECK", sql_text("land/order_report_to_check.sql"))

    def ours(batch_id: int = batch_id) -> None:
        with bound.begin() as connection:
            connection.exec_driver_sql("update ops.batch set checked_at = null where batch_id = %s", (batch_id,))
        check(bound, "order_report", current, as_of=AT)

    def hand_made() -> None:
        with bound.begin() as connection:
            connection.exec_driver_sql(by_hand, parameters).all()

    ours()  # the import is measured by itself
    importing = seconds(lambda: _python("import great_expectations, great_expectations.expectations"), 2)
    compared = seconds(ours), seconds(hand_made)
    small = _land(bound, 1)
    return [
        Result(f"check {rows:,} lines of a report by 15 rules", compared[0], 2, compared[1], "one SQL pass by hand"),
        Result(
            "set up the checks and check one line",
            seconds(lambda: ours(small)),
            0.5,
            importing,
            "importing Great Expectations, once a process",
        ),
        Result(
            "start a Python that imports Great Expectations",
            importing,
            20,
            seconds(lambda: _python("import sqlalchemy"), 2),
            "one that imports SQLAlchemy",
        ),
    ]


def _land(bound: Engine, rows: int) -> int:
    window = Window(datetime(2026, 3, 1, tzinfo=UTC), AT, live=False)
    with bound.begin() as connection:
        batch_id = new_batch(connection, "order_report", "bench", "eu", rows, window)
        connection.exec_driver_sql(LINES, (batch_id, rows))
        connection.exec_driver_sql("analyze raw.order_report_row")
    return batch_id


def _python(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began
