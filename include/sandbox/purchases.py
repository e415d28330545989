"""Invented orders: what was bought, by whom, and how far each has come, in the JSON of the orders_2026-01-01 model.

Facts on the fields: the model's own descriptions (https://developer-docs.amazon.com/sp-api), such as that the
buyer's e-mail address and the packages are only given for seller-fulfilled orders.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from random import Random
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any

from sandbox.phrases import PRODUCTS, Product, Site, language

ALIAS_ALPHABET = ascii_lowercase + digits
ORDER_PREFIXES = (
    "028",
    "111",
    "112",
    "113",
    "202",
    "203",
    "249",
    "250",
    "302",
    "303",
    "304",
    "402",
    "404",
    "405",
    "503",
)


@dataclass(frozen=True)
class Buyer:
    """A person as a seller sees them. `alias`: the local part of the relay address."""

    name: str
    alias: str
    site: Site

    @property
    def address(self) -> str:
        return f"{self.alias}@marketplace.{self.site.domain}"


@dataclass(frozen=True)
class Item:
    product: Product
    asin: str
    sku: str
    title: str
    quantity: int
    unit_price: float
    item_id: str


@dataclass
class Purchase:
    """One order as it stands at the end of the history; instants are aware UTC, None: has not happened."""

    order_id: str
    site: Site
    buyer: Buyer
    items: list[Item]
    created_at: datetime
    is_fba: bool
    status: str
    ship_by_at: datetime
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    changed_at: list[datetime] = field(default_factory=list)
    cancel_reason: str | None = None
    tracking: str = ""

    @property
    def total(self) -> float:
        return sum(item.unit_price * item.quantity for item in self.items)


def money(amount: float, site: Site) -> dict[str, str]:
    """`{"amount": "12.90", "currencyCode": "EUR"}`; yen have no decimals."""
    return {"amount": f"{amount:.0f}" if site.currency == "JPY" else f"{amount:.2f}", "currencyCode": site.currency}


def instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def make_buyer(rng: Random, site: Site) -> Buyer:
    words = language(site.language)
    first, last = rng.choice(words.first_names), rng.choice(words.last_names)
    name = f"{last} {first}" if site.language == "ja" else f"{first} {last}"
    return Buyer(name, "".join(rng.choices(ALIAS_ALPHABET, k=rng.randint(12, 14))), site)


def make_purchases(rng: Random, sites: list[Site], since: datetime, until: datetime, per_day: float) -> list[Purchase]:
    """Orders placed in [since, until), oldest first, each as far along as its age says."""
    count = round((until - since) / timedelta(days=1) * per_day)
    placed = sorted(since + rng.random() * (until - since) for _ in range(count))
    catalogue = {product.stem: "B0" + "".join(rng.choices(ascii_uppercase + digits, k=8)) for product in PRODUCTS}
    known: list[Buyer] = []
    purchases: list[Purchase] = []
    for created_at in placed:
        site = rng.choice(sites)
        again = [buyer for buyer in known[-40:] if buyer.site == site]
        buyer = rng.choice(again) if again and rng.random() < 0.08 else make_buyer(rng, site)
        known.append(buyer)
        purchases.append(_purchase(rng, buyer, created_at.replace(microsecond=0), until, catalogue))
    return purchases


def _purchase(rng: Random, buyer: Buyer, created_at: datetime, until: datetime, catalogue: dict[str, str]) -> Purchase:
    site = buyer.site
    order_id = f"{rng.choice(ORDER_PREFIXES)}-{rng.randrange(10**7):07d}-{rng.randrange(10**7):07d}"
    products = rng.sample(PRODUCTS, 2 if rng.random() < 0.12 else 1)
    purchase = Purchase(
        order_id=order_id,
        site=site,
        buyer=buyer,
        items=[_item(rng, product, site, catalogue[product.stem]) for product in products],
        created_at=created_at,
        is_fba=rng.random() < 0.5,
        status="UNSHIPPED",
        ship_by_at=datetime.combine(created_at.date() + timedelta(days=2), time(22, 59, 59), UTC),
        changed_at=[created_at],
        tracking="1Z" + "".join(rng.choices(digits, k=14)),
    )
    _live(rng, purchase, until)
    return purchase


def _item(rng: Random, product: Product, site: Site, asin: str) -> Item:
    price = product.price * site.price_factor
    return Item(
        product=product,
        asin=asin,
        sku=f"{product.stem}-{site.country}",
        title=product.titles.get(site.language, product.titles["en"]),
        quantity=rng.choices((1, 2, 3), (85, 12, 3))[0],
        unit_price=round(price, 0 if site.currency == "JPY" else 2),
        item_id=f"{rng.randrange(10**13, 10**14)}",
    )


def _live(rng: Random, purchase: Purchase, until: datetime) -> None:
    """Let the order's life go on until `until`: paid, cancelled, shipped, delivered."""

    def reached(hours: float) -> datetime | None:
        at = (purchase.created_at + timedelta(hours=hours)).replace(microsecond=0)
        return at if at <= until else None

    paid_after = rng.uniform(6, 40) if rng.random() < 0.08 else rng.uniform(0.1, 0.8)
    cancelled_after = paid_after + rng.uniform(0.5, 20)
    is_late = rng.random() < 0.1
    shipped_after = paid_after + (rng.uniform(75, 140) if is_late and not purchase.is_fba else rng.uniform(5, 44))
    delivered_after = shipped_after + rng.uniform(20, 110)
    if (paid_at := reached(paid_after)) is None:
        purchase.status = "PENDING"
        return
    purchase.changed_at.append(paid_at)
    if rng.random() < 0.04:
        if cancelled_at := reached(cancelled_after):
            purchase.status, purchase.cancelled_at = "CANCELLED", cancelled_at
            purchase.changed_at.append(cancelled_at)
        return
    if shipped_at := reached(shipped_after):
        purchase.status, purchase.shipped_at = "SHIPPED", shipped_at
        purchase.changed_at.append(shipped_at)
    if delivered_at := reached(delivered_after):
        purchase.delivered_at = delivered_at
        purchase.changed_at.append(delivered_at)


def order_json(purchase: Purchase) -> dict[str, Any]:
    """The order as `GET /orders/2026-01-01/orders` gives it with all of includedData."""
    site = purchase.site
    order: dict[str, Any] = {
        "orderId": purchase.order_id,
        "createdTime": instant(purchase.created_at),
        "lastUpdatedTime": instant(max(purchase.changed_at)),
        "salesChannel": {
            "channelName": "AMAZON",
            "marketplaceId": site.marketplace_id,
            "marketplaceName": site.domain.capitalize(),
        },
        "fulfillment": _fulfillment(purchase),
        "orderItems": [_item_json(item, purchase) for item in purchase.items],
    }
    if purchase.is_fba:
        order["programs"] = ["PRIME"]
    if purchase.status == "PENDING":
        return order
    order["buyer"] = {"buyerName": purchase.buyer.name}
    if not purchase.is_fba:
        order["buyer"]["buyerEmail"] = purchase.buyer.address
    order["recipient"] = {"deliveryAddress": _address(purchase)}
    if purchase.status != "CANCELLED":
        order["proceeds"] = {
            "grandTotal": money(purchase.total, site),
            "breakdowns": [{"type": "ITEM", "subtotal": money(purchase.total, site)}],
        }
        order["payment"] = {
            "paymentExecutions": [{"paymentMethod": "CreditCard", "paymentAmount": money(purchase.total, site)}]
        }
    if purchase.shipped_at and not purchase.is_fba:
        order["packages"] = [_package(purchase, purchase.shipped_at)]
    return order


def _fulfillment(purchase: Purchase) -> dict[str, Any]:
    ship_by = purchase.ship_by_at
    fulfillment = {
        "fulfillmentStatus": purchase.status,
        "fulfilledBy": "AMAZON" if purchase.is_fba else "MERCHANT",
        "fulfillmentServiceLevel": "STANDARD",
    }
    if purchase.status == "PENDING":
        return fulfillment
    return fulfillment | {
        "shipByWindow": {"earliestDateTime": instant(purchase.created_at), "latestDateTime": instant(ship_by)},
        "deliverByWindow": {
            "earliestDateTime": instant(ship_by + timedelta(days=1)),
            "latestDateTime": instant(ship_by + timedelta(days=5)),
        },
    }


def _item_json(item: Item, purchase: Purchase) -> dict[str, Any]:
    site = purchase.site
    amount = money(item.unit_price * item.quantity, site)
    shipped = item.quantity if purchase.shipped_at else 0
    row: dict[str, Any] = {
        "orderItemId": item.item_id,
        "quantityOrdered": item.quantity,
        "product": {
            "asin": item.asin,
            "title": item.title,
            "sellerSku": item.sku,
            "condition": {"conditionType": "NEW", "conditionSubtype": "NEW"},
        },
    }
    if purchase.status != "PENDING":
        open_units = 0 if purchase.status == "CANCELLED" else item.quantity - shipped
        row["product"]["price"] = {"unitPrice": money(item.unit_price, site)}
        row["fulfillment"] = {"quantityFulfilled": shipped, "quantityUnfulfilled": open_units}
    if purchase.status not in ("PENDING", "CANCELLED"):
        row["proceeds"] = {"proceedsTotal": amount, "breakdowns": [{"type": "ITEM", "subtotal": amount}]}
    cancellation: dict[str, Any] = {}
    if purchase.cancel_reason:
        cancellation["cancellationRequest"] = {"requester": "BUYER", "cancelReason": purchase.cancel_reason}
    if purchase.status == "CANCELLED":
        cancellation["cancellationExecution"] = {"cancelledBy": "BUYER", "cancelReason": "BUYER_CANCELED"}
    if cancellation:
        row["cancellation"] = cancellation
    return row


def _address(purchase: Purchase) -> dict[str, str]:
    site = purchase.site
    city, state, postal_code = site.address
    address = {"city": city, "stateOrRegion": state, "postalCode": postal_code, "countryCode": site.ship_country}
    if not purchase.is_fba:
        number = int(purchase.order_id[-3:]) % 180 + 1
        address |= {
            "name": purchase.buyer.name,
            "addressLine1": f"Example Street {number}",
            "addressType": "RESIDENTIAL",
        }
    return {key: value for key, value in address.items() if value}


def _package(purchase: Purchase, shipped_at: datetime) -> dict[str, Any]:
    return {
        "packageReferenceId": "1",
        "createdTime": instant(shipped_at),
        "packageStatus": {"status": "DELIVERED" if purchase.delivered_at else "IN_TRANSIT"},
        "carrier": "Parcel Post",
        "shipTime": instant(shipped_at),
        "shippingService": "Standard",
        "trackingNumber": purchase.tracking,
        "packageItems": [{"orderItemId": item.item_id, "quantity": item.quantity} for item in purchase.items],
    }
