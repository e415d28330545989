"""Orders of the Orders API: landed as JSON, personal data apart from the rest, published as facts."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from amazon_support.settings import Settings
from amazon_support.warehouse.land.batches import as_json, claim, clean, copy_rows, mark_published, new_batch, run_steps
from amazon_support.warehouse.steps import run_step
from amazon_support.window import Window

ORDERS = "orders"

# Parts of an order that tell of the buyer, wherever they stand. Kept apart in pii.order_received: buyer and
# recipient; the rest is not kept at all. Source: orders_2026-01-01 model.
PERSONAL_PARTS = frozenset(
    {"buyer", "recipient", "payment", "taxRegistrations", "taxInvoicing", "customization", "giftOption"}
)
UNUSED_PARTS = frozenset({"shipFromAddress"})

# What only the API tells has steps of its own; for lines of a report they find nothing.
PUBLISH_VERSIONS = (
    "orders",
    "statistics",
    "order_promises",
    "order_items_clear",
    "order_items",
    "order_progress_clear",
    "order_progress",
    "order_packages_clear",
    "order_packages",
    "order_contacts",
)


def land_orders(
    connection: Connection, *, account: str, region: str, window: Window, orders: Iterable[dict[str, Any]]
) -> int:
    """Writes one pull of orders as one batch, personal data apart from the rest.

    Of an order that came twice the newest is kept. An order without an id is landed as ?1, ?2, ... so that the
    checks find it. Personal data that is due for removal is left out.

    Args:
        orders: in the JSON shape of Orders API 2026-01-01.

    Returns: the batch's id.
    """
    newest = _newest_of_each(orders)
    batch_id = new_batch(connection, ORDERS, account, region, len(newest), window)
    copy_rows(
        connection,
        "raw.order_received (batch_id, account, order_id, region, payload)",
        ((batch_id, account, key, region, as_json(_without_personal_data(order))) for key, order in newest.items()),
    )
    # What was removed, or is older than what the nightly removal leaves, is never written.
    removed = set(run_step(connection, "privacy/orders_to_leave_out.sql", {"batch_id": batch_id}).scalars())
    copy_rows(
        connection,
        "pii.order_received (batch_id, account, order_id, payload)",
        (
            (batch_id, account, key, as_json(_personal_data(order)))
            for key, order in newest.items()
            if key not in removed
        ),
    )
    return batch_id


def publish_orders(connection: Connection, settings: Settings) -> int:
    """Turns every checked batch of orders into facts, in the caller's transaction.

    Never puts an older version over a newer one; a placeholder gives way to the order.

    Returns: how many batches were published.
    """
    return publish_versions(connection, settings, ORDERS)


def publish_versions(connection: Connection, settings: Settings, dataset: str) -> int:
    """Publishes the checked batches of orders, or of lines of the all-orders report: both tell versions of orders."""
    batch_ids, rows = claim(connection, dataset)
    if batch_ids:
        parameters = {
            "batch_ids": batch_ids,
            "marketplaces": json.dumps({m.marketplace_id: m.country for m in settings.marketplaces}),
            "domains": json.dumps({m.domain: m.country for m in settings.marketplaces}),
            "without_tax": [m.country for m in settings.marketplaces if not m.prices_include_tax],
        }
        run_steps(connection, PUBLISH_VERSIONS, parameters, rows)
        mark_published(connection, batch_ids)
    return len(batch_ids)


def _newest_of_each(orders: Iterable[Any]) -> dict[str, dict[str, Any]]:
    newest: dict[str, dict[str, Any]] = {}
    nameless = 0
    for order in orders:
        order = clean(order) if isinstance(order, dict) else {}
        key = order.get("orderId")
        if not isinstance(key, str) or not key.strip():
            nameless += 1
            key = f"?{nameless}"
        if key not in newest or _updated_at(order) >= _updated_at(newest[key]):
            newest[key] = order
    return newest


def _updated_at(order: dict[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(order["lastUpdatedTime"])
    except (KeyError, TypeError, ValueError):
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _without_personal_data(order: dict[str, Any]) -> dict[str, Any]:
    address = _part(_part(order.get("recipient")).get("deliveryAddress"))
    return {**_pruned(order), "shipCountry": address.get("countryCode")}


def _personal_data(order: dict[str, Any]) -> dict[str, Any]:
    return {"buyer": order.get("buyer"), "recipient": order.get("recipient")}


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _pruned(v) for k, v in value.items() if k not in PERSONAL_PARTS | UNUSED_PARTS}
    return [_pruned(item) for item in value] if isinstance(value, list) else value


def _part(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
