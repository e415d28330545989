"""Builders for what sources bring: orders and mails of invented people, and what lands of them."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from amazon_support.warehouse.land import MailRow, land_mail, land_orders
from amazon_support.window import Window

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
WINDOW = Window(NOON - timedelta(hours=1), NOON, live=True)
ORDER = "302-1234567-1234567"
BUYER_KEY = "key of the tests"
ALIAS = "abc123def456@marketplace.amazon.de"


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def order(order_id: str | None = ORDER, **changes: Any) -> dict[str, Any]:
    """An unshipped seller-fulfilled order from Germany; a change of None takes the part away."""
    built: dict[str, Any] = {
        "orderId": order_id,
        "createdTime": iso(NOON - timedelta(days=2)),
        "lastUpdatedTime": iso(NOON - timedelta(minutes=30)),
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": "A1PA6795UKMFR9"},
        "buyer": {"buyerName": "Mia Muster", "buyerEmail": ALIAS},
        "recipient": {"deliveryAddress": {"name": "Mia Muster", "addressLine1": "Musterweg 7", "countryCode": "DE"}},
        "proceeds": {"grandTotal": {"amount": "24.90", "currencyCode": "EUR"}},
        "fulfillment": {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "MERCHANT"},
        "orderItems": [item("1")],
    } | changes
    return {key: value for key, value in built.items() if value is not None}


def item(item_id: str | None, quantity: Any = 1, **changes: Any) -> dict[str, Any]:
    return {
        "orderItemId": item_id,
        "quantityOrdered": quantity,
        "product": {"asin": "B000000001", "sellerSku": "TEAPOT", "title": "Teapot"},
        "proceeds": {"proceedsTotal": {"amount": "24.90", "currencyCode": "EUR"}},
    } | changes


def order_id(number: int) -> str:
    return f"302-1234567-{number:07}"


def mail(name: str, kind: str = "buyer_message", at: datetime = NOON, **meaning: Any) -> MailRow:
    """A mail called `name`, as mail.explain() would describe it."""
    mail_id = hashlib.sha256(name.encode()).hexdigest()
    direction = {"buyer_message": "inbound", "reply_copy": "outbound"}.get(kind, "system")
    explained = {
        "mail_id": mail_id,
        "kind": kind,
        "confidence": 0.9,
        "signals": ["header:type"],
        "account": None,
        "marketplace": "DE",
        "order_ids": [],
        "case_id": None,
        "buyer_name": None,
        "buyer_alias": None,
        "direction": direction,
        "sent_at": iso(at),
        "language": "de",
        "no_response_link": None,
        "attachments": [],
        "text": "Wo ist meine Teekanne?",
        "subject": "Anfrage",
        "message_id": f"<{name}@mail.example>",
        "in_reply_to": None,
        "is_automatic": False,
        "rating": None,
    }
    return MailRow(
        mail_id=mail_id,
        uid=1,
        received_at=at + timedelta(minutes=1),
        archived_as=f"{mail_id[:16]}.eml",
        meaning=explained | meaning,
    )


def named(name: str) -> str:
    """The id of the mail called `name`."""
    return hashlib.sha256(name.encode()).hexdigest()


def land_some_orders(
    connection: Connection, *orders: dict[str, Any], account: str = "main", window: Window = WINDOW
) -> int:
    return land_orders(connection, account=account, region="eu", window=window, orders=list(orders))


def land_some_mail(connection: Connection, *rows: MailRow, account: str = "main") -> int:
    return land_mail(
        connection,
        account=account,
        mailbox="imap_default",
        folder="INBOX",
        uid_validity=1,
        rows=rows,
        buyer_key=BUYER_KEY,
    )


def let_pass(connection: Connection) -> None:
    """As the checks would say of batches without a bad row."""
    connection.execute(text("update ops.batch set checked_at = now() where checked_at is null"))


def rows(connection: Connection, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(query), parameters)]


def everything_in(connection: Connection, *schemas: str) -> str:
    """The text of every row of every table of the schemas."""
    tables = rows(
        connection,
        "select table_schema, table_name from information_schema.tables where table_schema = any(:schemas) "
        "and table_type = 'BASE TABLE'",
        schemas=list(schemas),
    )
    assert tables
    return "\n".join(
        str(row) for schema, table in tables for row in rows(connection, f"select t::text from {schema}.{table} as t")
    )


def wait_until_somebody_waits(warehouse: Engine) -> None:
    """For a lock that another holds."""
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with warehouse.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
        for _ in range(3000):
            if watcher.exec_driver_sql(waiting).scalar_one():
                return
            watcher.exec_driver_sql("select pg_sleep(0.01)")
    raise AssertionError("nobody waited")
