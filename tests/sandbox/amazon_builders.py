"""Small invented worlds, a clock that tests turn, and a caller that talks plain HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from sandbox.amazon import create_app
from sandbox.amazon_faults import Faults
from sandbox.amazon_marketplaces import MARKETPLACES
from sandbox.http import serve
from sandbox.world import Seller, World

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDERS = "/orders/2026-01-01/orders"
REPORTS = "/reports/2021-06-30/reports"
DOCUMENTS = "/reports/2021-06-30/documents"
REGIONS = {"na": ("US", "CA"), "eu": ("DE", "UK"), "fe": ("JP",)}


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


def seller(region: str = "eu", account: str = "shop") -> Seller:
    return Seller(
        account=account,
        region=region,
        marketplaces=REGIONS[region],
        client_id="amzn1.application-oa2-client.invented",
        client_secret=f"secret-of-{account}",
        refresh_token=f"Atzr|{account}-{region}",
        merchant_id="A1INVENTED",
    )


def order_id(number: int) -> str:
    return f"302-{number:07d}-0000001"


def order(number: int, *, minutes_ago: float = 60, marketplace: str = "DE", **changes: Any) -> dict[str, Any]:
    """An order of one item, created and updated at the same time."""
    site = MARKETPLACES[marketplace]
    moment = (NOW - timedelta(minutes=minutes_ago)).isoformat().replace("+00:00", "Z")
    money = {"amount": "20.00", "currencyCode": site.currency}
    return {
        "orderId": order_id(number),
        "createdTime": moment,
        "lastUpdatedTime": moment,
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": site.id, "marketplaceName": site.name},
        "buyer": {"buyerName": "Erika Beispiel", "buyerEmail": "abc123@marketplace.amazon.de"},
        "recipient": {"deliveryAddress": {"city": "Beispielstadt", "postalCode": "12345", "countryCode": "DE"}},
        "proceeds": {"grandTotal": money},
        "fulfillment": {
            "fulfillmentStatus": "SHIPPED",
            "fulfilledBy": "MERCHANT",
            "fulfillmentServiceLevel": "SECOND_DAY",
        },
        "packages": [{"packageReferenceId": "1", "trackingNumber": "T1"}],
        "orderItems": [
            {
                "orderItemId": f"{number:014d}",
                "quantityOrdered": 2,
                "product": {"asin": "B000000001", "title": "Kanne", "sellerSku": "K-1", "price": {"unitPrice": money}},
                "proceeds": {
                    "proceedsTotal": money,
                    "breakdowns": [
                        {"type": "ITEM", "subtotal": {**money, "amount": "40.00"}},
                        {"type": "SHIPPING", "subtotal": {**money, "amount": "3.90"}},
                        {
                            "type": "TAX",
                            "subtotal": {**money, "amount": "7.01"},
                            "detailedBreakdowns": [
                                {"subtype": "ITEM", "value": {**money, "amount": "6.39"}},
                                {"subtype": "SHIPPING", "value": {**money, "amount": "0.62"}},
                            ],
                        },
                    ],
                },
                "promotion": {"breakdowns": [{"promotionId": "SPRING"}, {"promotionId": "LOYAL"}]},
                "fulfillment": {"quantityFulfilled": 2, "quantityUnfulfilled": 0},
            }
        ],
        **changes,
    }  # fmt: skip


def world(*orders: dict[str, Any], sellers: tuple[Seller, ...] = (seller(),)) -> World:
    """Orders belong to the first seller."""
    first = sellers[0]
    return World(sellers=sellers, orders={(first.account, first.region): list(orders)}, mails=[])


@dataclass
class Caller:
    """Calls the stand-in as one seller."""

    base_url: str
    clock: Clock
    as_seller: Seller
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10, verify=False))
    access_token: str | None = None

    def authorize(self, **changes: str) -> httpx.Response:
        form = {
            "grant_type": "refresh_token",
            "client_id": self.as_seller.client_id,
            "client_secret": self.as_seller.client_secret,
            "refresh_token": self.as_seller.refresh_token,
        } | changes
        answer = self.http.post(f"{self.base_url}/auth/o2/token", data=form)
        self.access_token = answer.json().get("access_token")
        return answer

    def call(self, method: str, path: str, *, json: Any = None, **params: Any) -> httpx.Response:
        if self.access_token is None:
            self.authorize()
        headers = {"x-amz-access-token": self.access_token or ""}
        given = {k: ",".join(v) if isinstance(v, list | tuple) else v for k, v in params.items()}
        return self.http.request(method, self.base_url + path, params=given, json=json, headers=headers)

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.call("GET", path, **params)

    def other(self, as_seller: Seller) -> "Caller":
        return Caller(self.base_url, self.clock, as_seller, self.http)


@contextmanager
def running(
    history: World, *, rate_factor: float = 1000, static_sandbox: bool = False, faults: Faults | None = None
) -> Iterator[Caller]:
    """A stand-in on a real port, called as the world's first seller."""
    clock = Clock()
    app = create_app(history, rate_factor=rate_factor, clock=clock, static_sandbox=static_sandbox, faults=faults)
    with serve(app) as url, httpx.Client(timeout=10, verify=False) as http:
        yield Caller(url, clock, history.sellers[0], http)


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["errors"][0]["code"]
