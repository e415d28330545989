"""Our response times beside those that Amazon tells, by Amazon's rule: 24 hours of any day."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection
from ticket_histories import POLICY, history, moment, record

from amazon_support import settings, tickets
from amazon_support.settings import Account, Settings
from amazon_support.tickets import compliance

MEASURED = moment("2026-03-20 00:00")
STORIES = [  # marketplace, asked, replied
    ("DE", "2026-03-14 08:00", "2026-03-15 08:00"),  # at the very instant: in time
    ("DE", "2026-03-15 08:00", "2026-03-16 08:01"),
    ("DE", "2026-03-16 08:00", None),
    ("DE", "2026-03-19 12:00", None),  # not late yet
    ("US", "2026-03-15 08:00", "2026-03-15 09:00"),  # another region
    ("DE", "2026-03-01 08:00", "2026-03-01 09:00"),  # before the seven days
    ("DE", "2026-03-18 08:00", "2026-03-20 09:00"),  # answered after Amazon counted
]


def known() -> Settings:
    return settings.load().model_copy(update={"accounts": (Account(name="main"),)})


def fold(connection: Connection) -> None:
    for number, (site, asked, replied) in enumerate(STORIES):
        steps: list[tuple[Any, ...]] = [(asked, "buyer_message", {"source_id": f"asked {number}", "marketplace": site})]
        steps += [(replied, "reply", {"source_id": f"replied {number}"})] if replied else []
        record(connection, history(*steps, key=f"{site}:{number}"))
    tickets.fold(connection, POLICY)
    compliance.write_compliance(connection, known(), as_of=MEASURED)


def amazon_tells(connection: Connection, days: int, share: float, measured: Any = MEASURED, site: Any = None) -> None:
    connection.exec_driver_sql(
        "insert into core.contact_response (account, region, marketplace, period_start, period_end, measured_at,"
        " under_24h, over_24h, none_after_24h, share_under_24h, batch_id) values ('main', 'eu', %(site)s, %(start)s,"
        " %(at)s, %(at)s, 9, 1, 0, %(share)s, 1)",
        {"site": site, "start": measured - timedelta(days=days), "at": measured, "share": share},
    )


def asked_for(connection: Connection, as_of: Any = None) -> list[dict[str, Any]]:
    view = "mart.contact_response_as_of(%(as_of)s)" if as_of else "mart.contact_response"
    rows = connection.exec_driver_sql(f"select * from {view} order by period_days", {"as_of": as_of})
    return [dict(row) for row in rows.mappings()]


COUNTS = ("under_24h", "over_24h", "none_after_24h")


def test_ours_stand_beside_amazons_for_the_same_period_and_region(connection: Connection) -> None:
    fold(connection)
    amazon_tells(connection, 7, 0.9)
    [row] = asked_for(connection)
    assert (row["period_days"], row["region"], row["measured_at"]) == (7, "eu", MEASURED)
    assert [row[name] for name in COUNTS] == [1, 1, 2]
    assert (row["share_under_24h"], row["amazon_share_under_24h"]) == (Decimal("0.25"), Decimal("0.9"))
    assert row["difference"] == Decimal("-0.65")
    assert row["average_hours"] == Decimal("24.01")


def test_what_amazon_told_last_counts_as_of_then(connection: Connection) -> None:
    fold(connection)
    amazon_tells(connection, 7, 0.8, MEASURED - timedelta(days=1))
    amazon_tells(connection, 7, 0.9)
    assert [row["amazon_share_under_24h"] for row in asked_for(connection)] == [Decimal("0.9")]
    yesterday = asked_for(connection, MEASURED - timedelta(hours=1))
    assert yesterday[0]["amazon_share_under_24h"] == Decimal("0.8")


def test_where_amazon_told_nothing_ours_stand_alone(connection: Connection) -> None:
    fold(connection)
    amazon_tells(connection, 30, 0.9)
    week, month, quarter = asked_for(connection, MEASURED)
    assert [row["amazon_share_under_24h"] for row in (week, month, quarter)] == [None, Decimal("0.9"), None]
    assert [[row[name] for name in COUNTS] for row in (week, month, quarter)] == [[2, 1, 2], [2, 1, 2], [3, 1, 2]]
    assert week["difference"] is None


def test_a_marketplace_that_amazon_names_is_counted_alone(connection: Connection) -> None:
    fold(connection)
    amazon_tells(connection, 90, 0.9, site="FR")
    [row] = [row for row in asked_for(connection) if row["marketplace"] == "FR"]
    assert ([row[name] for name in COUNTS], row["share_under_24h"], row["difference"]) == ([0, 0, 0], None, None)
