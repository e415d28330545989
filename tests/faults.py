"""What may go wrong with what Amazon and desks bring, and the rule that is to catch it."""

from datetime import timedelta
from typing import Any

from landing import NOON, iso, item, order, order_id

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LOOKALIKE = "302\u20131234567\u20131234567"  # en dashes

ORDERS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "order id with a look-alike dash": ([order(LOOKALIKE)], "order_id_shape"),
    "order id missing": ([order(None)], "order_id_shape"),
    "order id cut off": ([order("302-1234567")], "order_id_shape"),
    "day that does not exist": ([order(createdTime="2026-02-30T10:00:00Z")], "created_time_readable"),
    "time without a zone": ([order(createdTime="2026-03-09T10:00:00")], "created_time_readable"),
    "time as text": ([order(lastUpdatedTime="an hour ago")], "updated_time_readable"),
    "changed before it was placed": ([order(lastUpdatedTime=iso(NOON - 9 * DAY))], "created_before_updated"),
    "clock in the future": ([order(lastUpdatedTime=iso(NOON + 2 * DAY))], "not_in_the_future"),
    "marketplace nobody knows": ([order(salesChannel={"marketplaceId": "A0"})], "marketplace_known"),
    "order without items": ([order(orderItems=[])], "has_items"),
    "the same item twice": ([order(orderItems=[item("1"), item("1")])], "items_have_their_own_id"),
    "negative quantity": ([order(orderItems=[item("1", -2)])], "quantities_valid"),
    "half a piece": ([order(orderItems=[item("1", 0.5)])], "quantities_valid"),
    "currency as text in the amount": ([order(proceeds={"grandTotal": {"amount": "EUR 24.90"}})], "amounts_numeric"),
    "decimal comma": ([order(proceeds={"grandTotal": {"amount": "24,90"}})], "amounts_numeric"),
    "status nobody knows": ([order(fulfillment={"fulfillmentStatus": "LOST"})], "status_known"),
    "sent by nobody known": (
        [order(fulfillment={"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "DRONE"})],
        "fulfilled_by_known",
    ),
    "ship-by time as text": (
        [order(fulfillment={"fulfillmentStatus": "UNSHIPPED", "shipByWindow": {"latestDateTime": "soon"}})],
        "other_times_readable",
    ),
    "item without article": ([order(orderItems=[item("1", product={})])], "articles_named"),
    "SKU and ASIN changed places": (
        [order(orderItems=[item("1", product={"asin": "TEA-POT", "sellerSku": "B000000001"})])],
        "asins_shaped",
    ),
    "symbol for a currency": (
        [order(orderItems=[item("1", proceeds={"proceedsTotal": {"amount": "1", "currencyCode": "€"}})])],
        "currencies_shaped",
    ),
    "time zone shifted by one hour": (
        [order(order_id(n), lastUpdatedTime=iso(NOON + HOUR / 2)) for n in range(12)],
        "changed_in_the_window",
    ),
    "answer of another window": (
        [order(order_id(n), lastUpdatedTime=iso(NOON - 30 * HOUR)) for n in range(12)],
        "changed_in_the_window",
    ),
    "answer without an order": ([], "batch_has_rows"),
}

LINES: dict[str, tuple[dict[str, Any], str]] = {
    "look-alike dash": ({"amazon-order-id": LOOKALIKE.encode("cp1252", "replace").decode("cp1252")}, "order_id_shape"),
    "order id empty": ({"amazon-order-id": ""}, "order_id_shape"),
    "no time of order": ({"purchase-date": ""}, "created_time_readable"),
    "no time of change": ({"last-updated-date": ""}, "updated_time_readable"),
    "changed before it was placed": ({"last-updated-date": iso(NOON - 9 * DAY)}, "created_before_updated"),
    "clock in the future": ({"last-updated-date": iso(NOON + 2 * DAY)}, "not_in_the_future"),
    "quantity missing": ({"quantity": ""}, "quantity_present"),
    "negative quantity": ({"quantity": "-1"}, "quantities_valid"),
    "amount out of all proportion": ({"item-price": "9" * 16}, "amounts_fit"),
    "status nobody knows": ({"order-status": "Lost"}, "status_known"),
    "sent by nobody known": ({"fulfillment-channel": "Drone"}, "fulfilled_by_known"),
    "site nobody knows": ({"sales-channel": "Amazon.example"}, "marketplace_known"),
    "no article": ({"sku": ""}, "article_named"),
    "SKU and ASIN changed places": ({"sku": "B000000001", "asin": "TEA-POT"}, "asin_shape"),
    "currency as text": ({"currency": "Euro"}, "currency_shape"),
}

DESK: dict[str, tuple[dict[str, str], str]] = {
    "action nobody explains": ({"Action": "Sorted out"}, "action_known"),
    "date unreadable": ({"Date": "yesterday"}, "time_readable"),
    "clock in the future": ({"Date": "2026-03-11 11:30:00"}, "not_in_the_future"),
    "no ticket named": ({"Order ID": ""}, "names_a_ticket"),
    "review asked of no order": ({"Action": "Request a review", "Order ID": "302-12"}, "review_names_its_order"),
}
