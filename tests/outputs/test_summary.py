"""The state of support in ten lines."""

from output_rows import NOON, after, before, clock, insert, order, ticket, waiting
from sqlalchemy import Connection, text

from amazon_support.outputs.summary import api_calls, render, summary
from amazon_support.settings import Policy


def test_ten_lines_as_of_the_hour(connection: Connection) -> None:
    waiting(connection, "DE:order:late", before(hours=30))
    waiting(connection, "DE:order:soon", before(hours=21))
    waiting(connection, "DE:order:tomorrow", after(hours=1))
    ticket(
        connection, "DE:order:silent", periods=[("pending", before(days=8)), ("solved", before(hours=3), "auto_solve")]
    )
    ticket(connection, "DE:order:closed", periods=[("closed", before(days=3), "auto_close")])
    clock(connection, "DE:order:closed", before(days=40))
    ticket(connection, "-:mail:0123456789abcdef", "unknown_mail")
    order(connection)
    order(connection, "302-1234567-0000002", ship_by_at=before(hours=1))
    order(connection, "302-1234567-0000003", ordered_at=after(hours=1))
    batch = {"dataset": "mail", "account": "main", "scope": "", "row_count": 1}
    insert(connection, "ops.batch", **batch)
    insert(
        connection, "ops.quarantine", account="main", dataset="mail", row_key="a", rule="r",
        batch_id=connection.execute(text("select max(batch_id) from ops.batch")).scalar_one(),
    )  # fmt: skip
    for number, sent_at in enumerate([before(hours=1), None, None]):
        insert(
            connection, "pii.outbox", message_key=str(number), kind="alert", recipient="ana@shop.example", subject="",
            html="", plain="", message_id=f"<{number}@shop.example>", sent_at=sent_at,
            dead_at=NOON if number == 2 else None,
        )  # fmt: skip
    assert render(summary(connection, Policy(), as_of=NOON)).splitlines() == [
        "As of            2026-03-10 12:00 UTC",
        "Tickets          3 new, 0 open, 0 pending, 0 on hold, 1 solved, 1 closed",
        "Breached         1",
        "At risk          1",
        "Oldest waiting   30 h",
        "Auto-solved      1 in the last 24 h",
        "Orders to ship   2, 1 late, 1 to ship soon",
        "Mail to decide   1",
        "Quarantined      1 rows",
        "Messages         1 sent, 1 waiting, 1 given up",
    ]


def test_an_empty_warehouse_has_a_summary_too(connection: Connection) -> None:
    lines = render(summary(connection, Policy(), as_of=NOON)).splitlines()
    assert len(lines) == 10
    assert "Oldest waiting   nobody waits" in lines


def test_a_run_tells_what_it_asked_of_amazon(connection: Connection) -> None:
    for account, operation, calls, throttled in (
        ("a", "getOrder", 2, 0),
        ("b", "getOrder", 3, 1),
        ("a", "searchOrders", 1, 0),
    ):
        insert(
            connection, "ops.api_call", run="hourly", account=account, region="eu", operation=operation, calls=calls,
            throttled=throttled,
        )  # fmt: skip
    assert api_calls(connection, "hourly") == "Calls to Amazon  5 getOrder, 1 searchOrders; 1 told to wait"
    assert api_calls(connection, "another") == "Calls to Amazon  none"
