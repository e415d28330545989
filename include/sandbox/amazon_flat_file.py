"""The all-orders flat file: one row an order item, tab-separated, quotes literal, in the encoding of the region."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from sandbox.amazon_call import parse_time

# Codec, and what the download's Content-Type calls it: Java's names, of which Python does not know windows-31j.
ENCODINGS = {"na": ("utf-8", "UTF-8"), "eu": ("cp1252", "Cp1252"), "fe": ("cp932", "windows-31j")}
STATUSES = {
    "PENDING_AVAILABILITY": "Pending",
    "PENDING": "Pending",
    "UNSHIPPED": "Unshipped",
    "PARTIALLY_SHIPPED": "PartiallyShipped",
    "SHIPPED": "Shipped",
    "CANCELLED": "Cancelled",
    "UNFULFILLABLE": "Unfulfillable",
}
SEPARATORS = str.maketrans("\t\r\n", "   ")  # have no escape in the file
COLUMNS = [
    "amazon-order-id",
    "merchant-order-id",
    "purchase-date",
    "last-updated-date",
    "order-status",
    "fulfillment-channel",
    "sales-channel",
    "order-channel",
    "url",
    "ship-service-level",
    "product-name",
    "sku",
    "asin",
    "item-status",
    "quantity",
    "currency",
    "item-price",
    "item-tax",
    "shipping-price",
    "shipping-tax",
    "gift-wrap-price",
    "gift-wrap-tax",
    "item-promotion-discount",
    "ship-promotion-discount",
    "ship-city",
    "ship-state",
    "ship-postal-code",
    "ship-country",
    "promotion-ids",
    "is-business-order",
    "purchase-order-number",
    "price-designation",
]


def all_orders(orders: Iterable[dict[str, Any]], region: str) -> tuple[bytes, str]:
    """The document and its charset.

    Characters that the region's encoding lacks become question marks, as in Amazon's files.
    """
    codec, charset = ENCODINGS[region]
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join(_clean(row.get(column)) for column in COLUMNS) for row in _rows(orders)]
    text = "".join(f"{line}\r\n" for line in lines)
    return text.encode(codec, errors="replace"), charset


def _rows(orders: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for order in orders:
        of_order = _order_columns(order)
        for item in order["orderItems"]:
            yield {**of_order, **_item_columns(order, item)}


def _order_columns(order: dict[str, Any]) -> dict[str, Any]:
    fulfillment = order.get("fulfillment", {})
    address = order.get("recipient", {}).get("deliveryAddress", {})
    aliases = {alias["aliasType"]: alias["aliasId"] for alias in order.get("orderAliases", ())}
    return {
        "amazon-order-id": order["orderId"],
        "merchant-order-id": aliases.get("SELLER_ORDER_ID", order["orderId"]),
        "purchase-date": _time(order["createdTime"]),
        "last-updated-date": _time(order["lastUpdatedTime"]),
        "order-status": STATUSES.get(fulfillment.get("fulfillmentStatus")),
        "fulfillment-channel": "Amazon" if fulfillment.get("fulfilledBy") == "AMAZON" else "Merchant",
        "sales-channel": order["salesChannel"].get("marketplaceName"),
        "ship-service-level": fulfillment.get("fulfillmentServiceLevel", "").title().replace("_", ""),
        "ship-city": address.get("city"),
        "ship-state": address.get("stateOrRegion"),
        "ship-postal-code": address.get("postalCode"),
        "ship-country": address.get("countryCode"),
        "is-business-order": str("AMAZON_BUSINESS" in order.get("programs", ())).lower(),
        "purchase-order-number": order.get("buyer", {}).get("buyerPurchaseOrderNumber"),
    }


def _item_columns(order: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    product = item["product"]
    promotions = item.get("promotion", {}).get("breakdowns", ())
    return {
        "product-name": product.get("title"),
        "sku": product.get("sellerSku"),
        "asin": product.get("asin"),
        "item-status": STATUSES.get(order.get("fulfillment", {}).get("fulfillmentStatus")),
        "quantity": item["quantityOrdered"],
        "promotion-ids": ",".join(promotion["promotionId"] for promotion in promotions),
        "price-designation": product.get("price", {}).get("priceDesignation"),
        **_amounts(item),
    }


def _amounts(item: dict[str, Any]) -> dict[str, Any]:
    breakdowns = {part["type"]: part for part in item.get("proceeds", {}).get("breakdowns", ())}
    tax, discount = _details(breakdowns.get("TAX")), _details(breakdowns.get("DISCOUNT"))
    unit = item["product"].get("price", {}).get("unitPrice", {})
    price = _subtotal(breakdowns.get("ITEM"))
    if price is None and unit:
        price = str(Decimal(unit["amount"]) * item["quantityOrdered"])
    return {
        "currency": unit.get("currencyCode") or _currency(breakdowns.values()),
        "item-price": price,
        "item-tax": tax.get("ITEM"),
        "shipping-price": _subtotal(breakdowns.get("SHIPPING")),
        "shipping-tax": tax.get("SHIPPING"),
        "gift-wrap-price": _subtotal(breakdowns.get("GIFT_WRAP")),
        "gift-wrap-tax": tax.get("GIFT_WRAP"),
        "item-promotion-discount": discount.get("ITEM"),
        "ship-promotion-discount": discount.get("SHIPPING"),
    }


def _details(part: dict[str, Any] | None) -> dict[str, str]:
    """Amounts of a tax or discount by what they fall on; without details all of it falls on the item."""
    if part is None:
        return {}
    details = part.get("detailedBreakdowns") or [{"subtype": "ITEM", "value": part["subtotal"]}]
    return {detail["subtype"]: detail["value"]["amount"] for detail in details}


def _subtotal(part: dict[str, Any] | None) -> str | None:
    return None if part is None else part["subtotal"]["amount"]


def _currency(parts: Iterable[dict[str, Any]]) -> str | None:
    return next((part["subtotal"]["currencyCode"] for part in parts), None)


def _time(text: str) -> str:
    return parse_time(text).isoformat(timespec="seconds")


def _clean(value: Any) -> str:
    return "" if value is None else str(value).translate(SEPARATORS)
