"""How fast personal data of orders is removed, against a bare delete of the same rows in one statement."""

import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from result import Result
from sqlalchemy import Engine

from amazon_support import privacy
from amazon_support.mail.archive import Archive
from amazon_support.settings.retention import Retention

ORDERS = int(os.environ.get("REMOVAL_ORDERS", "1000000"))
DELIVERED = datetime(2026, 1, 1, tzinfo=UTC)
NIGHT = datetime(2026, 6, 1, tzinfo=UTC)
FILL = (
    "insert into ops.batch (dataset, account, scope, row_count) values ('orders', 'bench', 'eu', 0)",
    f"""insert into core.amazon_order (account, order_id, region, status, ordered_at, deliver_by_at)
    select 'bench', '302-1234567-' || lpad(n::text, 7, '0'), 'eu', 'SHIPPED', '{DELIVERED}', '{DELIVERED}'
    from generate_series(1, {ORDERS}) as n""",
    """insert into pii.order_contact (account, order_id, buyer_name, buyer_alias, recipient, last_updated_at)
    select account, order_id, 'Mia Muster', order_id || '@marketplace.amazon.de',
        '{"deliveryAddress": {"name": "Mia Muster", "addressLine1": "Musterweg 7"}}', ordered_at
    from core.amazon_order""",
    """insert into pii.order_received (batch_id, account, order_id, payload)
    select (select max(batch_id) from ops.batch), account, order_id,
        jsonb_build_object('buyer', jsonb_build_object('buyerName', buyer_name), 'recipient', recipient)
    from pii.order_contact""",
)


def removing(url: str, bound: Engine) -> list[Result]:
    """Removes contacts and received rows of a million orders, with their record; once: nothing is left for a second."""
    _fill(bound)
    began = time.perf_counter()
    # The least that forgetting can cost: no record, no keyed hash, no batches, all locks until the end.
    with bound.begin() as connection:
        for table in ("pii.order_received", "pii.order_contact"):
            connection.exec_driver_sql(
                f"delete from {table} as t using core.amazon_order as o where t.account = o.account "
                "and t.order_id = o.order_id and o.deliver_by_at <= %(at)s",
                {"at": NIGHT},
            )
    bare = time.perf_counter() - began
    with bound.begin() as connection:
        connection.exec_driver_sql("truncate pii.order_contact, pii.order_received, core.amazon_order")
    _fill(bound)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        done = privacy.remove(
            bound,
            Retention(),
            Archive(Path(folder) / "archive", "secret"),
            Path(folder),
            as_of=NIGHT,
            now=NIGHT,
            buyer_key="key",
        )
        ours = time.perf_counter() - began
    assert done.orders == ORDERS
    what = f"remove {ORDERS:,} orders' personal data, {ORDERS / ours:,.0f} orders a second"
    # Of each order ours writes ten records to the log, a bare delete two; then there are hashes and what is due.
    return [Result(what, ours, 30, bare, "one bare delete of the rows: no record, no hash, no batches")]


def _fill(bound: Engine) -> None:
    with bound.begin() as connection:
        for statement in FILL:
            connection.exec_driver_sql(statement)
    with bound.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze")
