"""Measures speed as ratios within one run, so that a slow or busy machine changes the seconds but not the verdict.

Writes bench/results.md, a section a part: python bench/run.py [PART …]. Each line: our seconds, the limit we set
ourselves (a regression shows as "over the limit"), and what a user would otherwise use, or the least that any way of
doing it costs.
"""

import argparse
import email
import email.policy
import os
import platform
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

from bulk_load import bulk_loading
from checks import ROWS, checking
from fold_tickets import folding
from mails import of_real_size
from pages import pages
from read_mailbox import mailbox_reading
from removal import removing
from result import Result, seconds
from sqlalchemy import Engine
from worklists import listing, mailing

from amazon_support import mail, settings
from amazon_support.warehouse import engine, land, migrate
from amazon_support.warehouse.embedded import EmbeddedServer
from amazon_support.window import Window
from sandbox.__main__ import demo_sellers
from sandbox.world import World, generate

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)
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


def section(name: str, results: list[Result]) -> str:
    lines = [
        f"## {name}",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {len(os.sched_getaffinity(0))} processors, "
        f"Python {platform.python_version()}, PostgreSQL 18 embedded. Ratios within one run.",
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


def keep(name: str, results: list[Result]) -> None:
    """Writes a part's section into the results; the other parts' stay."""
    old = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    sections = {text.partition("\n")[0]: f"## {text}".strip() + "\n" for text in old.split("\n## ")[1:]}
    sections[name] = section(name, results)
    ordered = [sections[part] for part in PARTS if part in sections]
    RESULTS.write_text("\n".join(["# Speed, as measured by `make bench`\n", *ordered]), encoding="utf-8")


PARTS: dict[str, Callable[[str, Engine], list[Result]]] = {
    "understanding": lambda url, bound: [understanding(_world())],
    "folding": folding,
    "landing": lambda url, bound: [landing(bound, _world())],
    "bulk loading": bulk_loading,
    "checking": checking,
    "mailbox reading": mailbox_reading,
    "removing": removing,
    "pages": pages,
    "listing": listing,
    "mailing": mailing,
}


@cache
def _world() -> World:
    return generate(seed=7, until=UNTIL, days=60, sellers=demo_sellers(), orders_per_day=40)


def main() -> None:
    """Measures each part in a warehouse of its own."""
    parser = argparse.ArgumentParser(description="Measures speed as ratios and writes bench/results.md.")
    parser.add_argument("part", nargs="*", help=f"{', '.join(PARTS)}; all, if none is named")
    parser.add_argument("--check-rows", type=int, default=ROWS, help=f"lines that `checking` looks at; else {ROWS:,}")
    asked = parser.parse_args()
    chosen = asked.part or list(PARTS)
    parts = PARTS | {"checking": partial(checking, rows=asked.check_rows)}
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}")
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedServer(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        for number, name in enumerate(chosen):
            url = server.ensure_database(f"bench_{number}")
            migrate.upgrade(url)
            bound = engine(url)
            results = parts[name](url, bound)
            bound.dispose()
            keep(name, results)
            print(section(name, results), flush=True)


if __name__ == "__main__":
    main()
