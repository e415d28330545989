"""Orders that sellers ship themselves: what is to ship, late, soon, and what was left at the end of the day."""

from datetime import UTC, datetime

from output_rows import NOON, after, before, order, settings
from sqlalchemy import Connection

from amazon_support.outputs.shipping import OrdersToShip, orders_to_ship, render


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told(connection: Connection, as_of: datetime = NOON) -> list[OrdersToShip]:
    return orders_to_ship(connection, settings(), as_of=as_of)


def test_orders_are_counted_by_account_and_marketplace(connection: Connection) -> None:
    order(connection, "late", ship_by_at=before(hours=1))
    order(connection, "soon", ship_by_at=after(hours=6))
    order(connection, "later", ship_by_at=after(hours=6, seconds=1), status="PARTIALLY_SHIPPED")
    order(connection, "undated", ship_by_at=None)
    order(connection, "japan", marketplace="JP", ship_by_at=after(hours=30))
    order(connection, "other", account="second", ship_by_at=after(hours=30))
    day_end, night_in_japan = at("2026-03-09T23:00"), at("2026-03-09T15:00")
    assert told(connection) == [
        OrdersToShip("main", "DE", 4, 1, 1, 1, before(hours=1), 4, day_end),
        OrdersToShip("main", "JP", 1, 0, 0, 0, after(hours=30), 1, night_in_japan),
        OrdersToShip("second", "DE", 1, 0, 0, 0, after(hours=30), 1, day_end),
    ]


def test_what_the_seller_need_not_ship_does_not_count(connection: Connection) -> None:
    order(connection, "by Amazon", fulfilled_by="AMAZON")
    order(connection, "pending", status="PENDING")
    order(connection, "cancelled", status="CANCELLED")
    order(connection, "elsewhere", marketplace=None)
    order(connection, "tomorrow", ordered_at=after(hours=1))
    order(connection, "shipped", status="SHIPPED", shipped_at=before(days=1))
    assert told(connection) == []
    assert render(told(connection)) == "Nothing to ship."


def test_a_past_instant_is_told_as_it_was(connection: Connection) -> None:
    order(connection, "shipped since", status="SHIPPED", shipped_at=before(hours=2), ship_by_at=before(hours=4))
    assert [(site.to_ship, site.late) for site in told(connection, before(hours=3))] == [(1, 1)]
    assert [(site.to_ship, site.left_over) for site in told(connection)] == [(0, 1)], "shipped after midnight in Berlin"
    assert told(connection, after(days=1)) == []


def test_the_table_lines_up(connection: Connection) -> None:
    order(connection, "late", ship_by_at=before(hours=1))
    order(connection, "japan", account="kirschbluete", marketplace="JP")
    assert render(told(connection)).splitlines() == [
        "account       site  to ship  late  soon  no ship-by  left at day's end",
        "kirschbluete  JP          1     0     1           0                  1",
        "main          DE          1     1     0           0                  1",
    ]
