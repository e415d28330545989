"""Builders for what the outputs read: tickets with their periods and clocks, orders, settings of invented agents."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from amazon_support.settings import Account, AccountMarketplace, Agent, Marketplace, Settings

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ORDER = "302-1234567-0000001"
SITES = (
    Marketplace(country="US", marketplace_id="ATVPDKIKX0DER", region="na", domain="amazon.com", language="en",
                timezone="America/Los_Angeles", desk="bqool"),
    Marketplace(country="DE", marketplace_id="A1PA6795UKMFR9", region="eu", domain="amazon.de", language="de",
                timezone="Europe/Berlin", desk="bqool"),
    Marketplace(country="JP", marketplace_id="A1VC38T7YXB528", region="fe", domain="amazon.co.jp", language="ja",
                timezone="Asia/Tokyo"),
)  # fmt: skip
ANA = Agent(name="Ana Lima", email="ana@shop.example")


def settings(*agents: Agent, desks: dict[str, Any] | None = None) -> Settings:
    """Settings with these agents; without any, one who has all marketplaces."""
    special = {country: AccountMarketplace(desk=desk) for country, desk in (desks or {}).items()}
    return Settings(marketplaces=SITES, accounts=(Account(name="main", marketplaces=special),), agents=agents or (ANA,))


def before(**span: float) -> datetime:
    return NOON - timedelta(**span)


def after(**span: float) -> datetime:
    return NOON + timedelta(**span)


def insert(connection: Connection, table: str, **row: Any) -> None:
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"insert into {table} ({names}) values ({values})"), row)


def ticket(
    connection: Connection,
    ticket_id: str = f"DE:order:{ORDER}",
    ticket_type: str = "contact_buyer",
    *,
    periods: Iterable[tuple[str, datetime] | tuple[str, datetime, str]] = (("new", before(hours=3)),),
    **changes: Any,
) -> str:
    """A ticket and its periods, each (status, from, cause); each lasts until the next begins. Returns its id."""
    periods = list(periods)
    row: dict[str, Any] = {
        "account": "main", "ticket_id": ticket_id, "ticket_key": ticket_id.partition("#")[0], "generation": 1,
        "marketplace": None if ticket_id.startswith("-") else ticket_id[:2], "ticket_type": ticket_type,
        "created_at": periods[0][1], "last_event_at": periods[-1][1], "event_count": len(periods),
    } | changes  # fmt: skip
    insert(connection, "mart.ticket", **row)
    for period, following in zip(periods, [*periods[1:], None], strict=True):
        insert(
            connection,
            "mart.ticket_status",
            account=row["account"],
            ticket_id=ticket_id,
            ticket_key=row["ticket_key"],
            status=period[0],
            from_at=period[1],
            until_at=following[1] if following else "infinity",
            cause=period[2] if len(period) == 3 else "buyer_message",
        )
    return ticket_id


def clock(
    connection: Connection,
    ticket_id: str,
    started_at: datetime,
    stopped_at: datetime | None = None,
    cycle: int = 1,
    *,
    metric: str = "amazon_reply",
    hours: float = 24,
) -> None:
    """A clock of 24 hours that warns 4 hours before."""
    insert(
        connection,
        "mart.sla_clock",
        account="main",
        ticket_id=ticket_id,
        ticket_key=ticket_id.partition("#")[0],
        metric=metric,
        cycle=cycle,
        started_at=started_at,
        warn_at=started_at + timedelta(hours=hours - 4),
        due_at=started_at + timedelta(hours=hours),
        stopped_at=stopped_at,
        stopped_by="reply" if stopped_at else None,
    )


def waiting(connection: Connection, ticket_id: str, since: datetime, **changes: Any) -> str:
    """A new ticket whose buyer waits since then."""
    ticket(connection, ticket_id, periods=[("new", since)], **changes)
    clock(connection, ticket_id, since)
    return ticket_id


def order(connection: Connection, order_id: str = ORDER, **changes: Any) -> str:
    """An unshipped seller-fulfilled order from Germany of two days ago, to be shipped within six hours."""
    row: dict[str, Any] = {
        "account": "main", "order_id": order_id, "region": "eu", "marketplace": "DE", "status": "UNSHIPPED",
        "fulfilled_by": "MERCHANT", "ordered_at": before(days=2), "ship_by_at": after(hours=6),
        "total_amount": "24.90", "currency": "EUR",
    } | changes  # fmt: skip
    row = {"last_updated_at": row.get("shipped_at") or row["ordered_at"]} | row
    insert(connection, "core.amazon_order", **row)
    return order_id


def goods(connection: Connection, title: str, order_id: str = ORDER, number: int = 1, **changes: Any) -> None:
    row: dict[str, Any] = {
        "account": "main", "order_id": order_id, "position": number, "title": title,
        "sku": "TEAPOT", "quantity": 2,
    } | changes  # fmt: skip
    insert(connection, "core.amazon_order_item", **row)


def event(connection: Connection, ticket_key: str, occurred_at: datetime, **changes: Any) -> None:
    row: dict[str, Any] = {
        "account": "main", "source": "mail", "source_id": f"{ticket_key} {occurred_at}", "ticket_key": ticket_key,
        "kind": "notice", "occurred_at": occurred_at, "actor": "amazon",
    } | changes  # fmt: skip
    insert(connection, "core.ticket_event", **row)


def worklist(connection: Connection, as_of: datetime = NOON, agent: str = "Ana Lima") -> list[Any]:
    """The agent's written items, in their order."""
    query = "select * from mart.worklist_item where as_of = :as_of and agent = :agent order by position"
    return list(connection.execute(text(query), {"as_of": as_of, "agent": agent}))
