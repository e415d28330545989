"""Measures speed as ratios within one run, so that a slow or busy machine changes the seconds but not the verdict.

Writes bench/results.md. Each line: our seconds, the limit we set ourselves (a regression shows as "over the limit"),
and what a user would otherwise use, or the least that any way of doing it costs.
"""

import email
import email.policy
import os
import platform
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from bulk_load import bulk_loading
from mails import of_real_size
from read_mailbox import mailbox_reading
from result import Result, seconds
from sqlalchemy import Engine

from amazon_support import mail, settings, tickets
from amazon_support.warehouse import engine, land, migrate
from amazon_support.warehouse.embedded import EmbeddedServer
from amazon_support.window import Window
from sandbox.__main__ import demo_sellers
from sandbox.world import World, generate

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)
TICKETS, FEW_TICKETS, TOUCHED, EVENTS_EACH = 100_000, 10_000, 1_000, 5
MAILS = 5_000
RESULTS = Path(__file__).parent / "results.md"


def understanding(world: World) -> Result:
    raw = [of_real_size(letter.raw) for letter in world.mails[:MAILS]]
    kilobytes = sum(map(len, raw)) / len(raw) / 1000
    return Result(
        f"understand {len(raw):,} mails of {kilobytes:.1f} KB",
        seconds(lambda: [mail.explain(one) for one in raw]),
        3,
        seconds(lambda: [_parse_only(one) for one in raw]),
        "the standard library's parse and decode alone (email.policy.default)",
    )


def _parse_only(raw: bytes) -> None:
    for part in email.message_from_bytes(raw, policy=email.policy.default).walk():
        if part.get_content_maintype() == "text":
            part.get_payload(decode=True)


def folding(bound: Engine) -> list[Result]:
    policy = settings.load().policy

    def fold_all() -> None:
        with bound.begin() as connection:
            tickets.fold_all(connection, policy)

    def fold_touched() -> None:
        with bound.begin() as connection:
            connection.exec_driver_sql(TOUCH, {"touched": TOUCHED})
            tickets.fold(connection, policy)

    def write_only() -> None:
        with bound.connect() as connection:  # rolled back
            for table in ("ticket", "ticket_status", "sla_clock"):
                connection.exec_driver_sql(f"create temporary table copy_{table} (like mart.{table} including all)")
                connection.exec_driver_sql(f"insert into copy_{table} select * from mart.{table}")

    _record_events(bound, 1, FEW_TICKETS)
    fold_all()
    with_few = seconds(fold_touched)
    _record_events(bound, FEW_TICKETS + 1, TICKETS)
    rebuild = Result(
        f"fold {TICKETS:,} tickets of {TICKETS * EVENTS_EACH:,} events from nothing",
        seconds(fold_all),
        8,
        seconds(write_only),
        "writing the same answers into empty copies of the tables, unlogged",
    )
    hourly = Result(
        f"fold {TOUCHED:,} touched tickets with {TICKETS:,} in store",
        seconds(fold_touched),
        1.5,
        with_few,
        f"the same with {FEW_TICKETS:,} in store",
    )
    return [rebuild, hourly]


def _record_events(bound: Engine, first: int, last: int) -> None:
    with bound.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(EVENTS, {"first": first, "last": last, "each": EVENTS_EACH})
        connection.exec_driver_sql("vacuum analyze")


EVENTS = """
insert into core.ticket_event (account, source, source_id, ticket_key, marketplace, kind, occurred_at, actor)
select 'bench', 'bench', t || '-' || e, 'DE:order:' || t, 'DE',
    (array['buyer_message', 'reply', 'buyer_message', 'solve', 'assign'])[1 + (t + e) %% 5],
    timestamptz '2026-01-01' + make_interval(mins => t %% 1440, hours => 7 * e * (1 + t %% 40)), 'bench'
from generate_series(%(first)s::int, %(last)s::int) as t, generate_series(1, %(each)s::int) as e
"""
TOUCH = """
insert into ops.ticket_touched (account, ticket_key)
select 'bench', 'DE:order:' || t from generate_series(1, %(touched)s::int) as t
"""


def landing(bound: Engine, world: World) -> Result:
    current, window = settings.load(), Window(datetime(2026, 2, 1, tzinfo=UTC), UNTIL, live=True)
    orders = [order for pulled in world.orders.values() for order in pulled]

    def ours() -> None:
        with bound.begin() as connection:
            land.land_orders(connection, account="bench", region="eu", window=window, orders=orders)
            connection.exec_driver_sql("update ops.batch set checked_at = landed_at where checked_at is null")
            land.publish_orders(connection, current)

    def with_pandas() -> None:
        import pandas as pd

        items = [{"orderId": o["orderId"], **i} for o in orders for i in o["orderItems"]]
        for name, rows in (("bench_orders", orders), ("bench_items", items)):
            pd.json_normalize(rows).astype(str).to_sql(name, bound, if_exists="replace", index=False)

    what = f"land and publish {len(orders):,} orders with their items"
    return Result(what, seconds(ours), 3, seconds(with_pandas), "pandas.json_normalize and to_sql: untyped, no keys")


def report(results: list[Result]) -> str:
    lines = [
        "# Speed",
        "",
        f"`make bench`, {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {len(os.sched_getaffinity(0))} processors, "
        f"Python {platform.python_version()}, PostgreSQL 18 embedded. Best of three; ratios within one run.",
        "",
        "| what | ours | limit | otherwise | ours : otherwise | compared with |",
        "|---|--:|--:|--:|--:|---|",
    ]
    for result in results:
        ratio = result.ours / result.otherwise
        verdict = "" if ratio <= result.limit else " **over the limit**"
        lines.append(
            f"| {result.what} | {result.ours:.2f} {result.unit} | {result.limit:g} x "
            f"| {result.otherwise:.2f} {result.unit} "
            f"| {ratio:.2f}{verdict} | {result.compared_with} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Runs every comparison, each in a warehouse of its own, prints and keeps the table."""
    world = generate(seed=7, until=UNTIL, days=60, sellers=demo_sellers(), orders_per_day=40)
    parts: dict[str, Callable[[str, Engine], list[Result]]] = {
        "understanding": lambda url, bound: [understanding(world)],
        "folding": lambda url, bound: folding(bound),
        "landing": lambda url, bound: [landing(bound, world)],
        "bulk_loading": bulk_loading,
        "mailbox_reading": mailbox_reading,
    }
    results: list[Result] = []
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedServer(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        for name, part in parts.items():
            url = server.ensure_database(name)
            migrate.upgrade(url)
            bound = engine(url)
            results += part(url, bound)
            bound.dispose()
            RESULTS.write_text(report(results), encoding="utf-8")  # what was measured stays if a later part fails
            print(f"{len(results)} comparisons done, the last: {results[-1].what}", flush=True)
    print(RESULTS.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
