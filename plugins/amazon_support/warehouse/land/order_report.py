"""Lines of Amazon's all-orders report: copied as typed rows, published as facts like the orders of the API."""

from typing import BinaryIO, Protocol

from sqlalchemy import Connection, text

from amazon_support.settings import Settings
from amazon_support.warehouse.land.batches import new_batch, set_aside_lines
from amazon_support.warehouse.land.bulk import FlatFile, copy_flat_file
from amazon_support.warehouse.land.orders import publish_versions
from amazon_support.window import Window

ORDER_REPORT = "order_report"
UNREADABLE = "line_readable"  # the rule that a line breaks which could not be landed
# Of documents that do not name their charset: what the files of Amazon's western sites are in.
USUAL_CHARSET = "cp1252"

# Source: Selling Partner API, order tracking reports. Where the buyer lives and links are left out.
FLAT_FILE = FlatFile(
    table="raw.order_report_row",
    columns={
        "amazon-order-id": "order_id",
        "purchase-date": "ordered_at",
        "last-updated-date": "last_updated_at",
        "order-status": "status",
        "fulfillment-channel": "fulfillment_channel",
        "sales-channel": "sales_channel",
        "ship-service-level": "service_level",
        "ship-country": "ship_country",
        "is-business-order": "is_business",
        "product-name": "title",
        "sku": "sku",
        "asin": "asin",
        "quantity": "quantity",
        "currency": "currency",
        "item-price": "item_price",
        "item-tax": "item_tax",
        "shipping-price": "shipping_price",
        "shipping-tax": "shipping_tax",
        "gift-wrap-price": "gift_wrap_price",
        "gift-wrap-tax": "gift_wrap_tax",
        "item-promotion-discount": "item_discount",
        "ship-promotion-discount": "shipping_discount",
        "promotion-ids": "promotion_ids",
    },
    required=frozenset({"amazon-order-id", "purchase-date", "last-updated-date", "order-status", "quantity"}),
    fewest=12,  # more than half of the columns: sites leave some out, none leaves out that many
)


class Content(Protocol):
    """What a document holds, whether it was downloaded or kept."""

    @property
    def charset(self) -> str | None:
        """None if nothing names it."""

    def open_bytes(self) -> BinaryIO:
        """As a stream that can be rewound."""


def land_order_report(
    connection: Connection, *, account: str, region: str, window: Window, document: Content
) -> tuple[int | None, int]:
    """Writes one report as one batch, in the caller's transaction. Lines that cannot be typed are set aside.

    Returns: the batch's id, None if the report has no line; and how many lines were landed.

    Raises: BadDocument if it is no report.
    """
    batch_id = new_batch(connection, ORDER_REPORT, account, region, 0, window)
    with document.open_bytes() as lines:
        copied = copy_flat_file(
            connection,
            FLAT_FILE,
            lines,
            document.charset or USUAL_CHARSET,
            {"batch_id": batch_id, "account": account, "region": region},
        )
    if not copied.rows and not copied.bad_lines:
        connection.execute(text("delete from ops.batch where batch_id = :id"), {"id": batch_id})
        return None, 0
    connection.execute(
        text("update ops.batch set row_count = :rows where batch_id = :id"), {"rows": copied.rows, "id": batch_id}
    )
    if copied.bad_lines:
        set_aside_lines(connection, batch_id, UNREADABLE, copied.bad_lines, copied.heading)
    return batch_id, copied.rows


def publish_order_report(connection: Connection, settings: Settings) -> int:
    """Turns every checked batch of report lines into facts, in the caller's transaction.

    Never puts an older version over a newer one, nor a report's version over an equally new one of the API.

    Returns: how many batches were published.
    """
    return publish_versions(connection, settings, ORDER_REPORT)
