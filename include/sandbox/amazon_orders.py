"""Orders API 2026-01-01: searchOrders and getOrder over the world's orders."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any

from itsdangerous import BadSignature
from pydantic import BaseModel

from sandbox.amazon_call import Call, Handler, check_marketplaces, invalid, iso, not_found, parse_time
from sandbox.amazon_tokens import seal
from sandbox.world import World

Order = dict[str, Any]

PAGE = 100  # orders; the default and the most
TOKEN_LIFETIME = timedelta(hours=24)
YOUNGEST_BOUND = timedelta(minutes=2)
ORDER_ID = re.compile(r"[0-9A-Z]{3}-\d{7}-\d{7}")
BASES = {"created": "createdTime", "lastUpdated": "lastUpdatedTime"}
# Which block of an order, and of its items, each dataset of includedData brings.
DATASETS = {
    "BUYER": "buyer",
    "RECIPIENT": "recipient",
    "PROCEEDS": "proceeds",
    "EXPENSE": "expense",
    "PROMOTION": "promotion",
    "CANCELLATION": "cancellation",
    "FULFILLMENT": "fulfillment",
    "PACKAGES": "packages",
    "TAX": "tax",
    "PAYMENT": "payment",
    "FULFILLMENT_ORDERS": "fulfillmentOrders",
}


class OrderShelf:
    """The orders of one account and region, sorted by creation and by last update once and for all."""

    def __init__(self, orders: Iterable[Order]) -> None:
        self.by_id: dict[str, Order] = {order["orderId"]: order for order in orders}
        self._sorted = {field: self._keys(field) for field in BASES.values()}

    def between(
        self, field: str, after: datetime, before: datetime, position: tuple[datetime, str] | None = None
    ) -> Iterator[tuple[tuple[datetime, str], Order]]:
        """Orders by `field` (createdTime or lastUpdatedTime) in the span, both ends included, with their place in
        the sort order; only those behind `position` if there is one."""
        keys = self._sorted[field]
        start = bisect_left(keys, (after, "")) if position is None else bisect_right(keys, position)
        for key in takewhile(lambda key: key[0] <= before, islice(keys, start, None)):
            yield key, self.by_id[key[1]]

    def _keys(self, field: str) -> list[tuple[datetime, str]]:
        return sorted((parse_time(order[field]), order_id) for order_id, order in self.by_id.items())


class _Query(BaseModel):
    """A search and how far it has come: what a pagination token carries."""

    base: str
    after: datetime
    before: datetime
    marketplaces: list[str] | None
    statuses: list[str] | None
    fulfilled_by: list[str] | None
    included: list[str]
    limit: int
    owner: tuple[str, str]
    expires: datetime
    position: tuple[datetime, str] | None = None

    def matches(self, order: Order) -> bool:
        fulfillment = order.get("fulfillment", {})
        return (
            (self.marketplaces is None or order["salesChannel"].get("marketplaceId") in self.marketplaces)
            and (self.statuses is None or fulfillment.get("fulfillmentStatus") in self.statuses)
            and (self.fulfilled_by is None or fulfillment.get("fulfilledBy") in self.fulfilled_by)
        )


class OrdersApi:
    """The operations of the Orders API. Later changes of `world.orders` are not seen."""

    def __init__(self, world: World) -> None:
        self.shelves = {key: OrderShelf(orders) for key, orders in world.orders.items()}
        self._seal = seal(world.sellers, "orders page")

    @property
    def handlers(self) -> dict[str, Handler]:
        return {"searchOrders": self.search, "getOrder": self.get}

    def shelf(self, account_region: tuple[str, str]) -> OrderShelf:
        return self.shelves.get(account_region) or OrderShelf([])

    def search(self, call: Call) -> dict[str, Any]:
        query = self._resume(call) if "paginationToken" in call.given else _new_query(call)
        span = self.shelf(call.account_region).between(BASES[query.base], query.after, query.before, query.position)
        found = (entry for entry in span if query.matches(entry[1]) and _exists(entry[1], call.now))
        page = list(islice(found, query.limit))
        answer: dict[str, Any] = {
            "orders": [_only(order, query.included) for _, order in page],
            f"{query.base}Before": iso(query.before),
        }
        if next(found, None) is not None:
            rest = query.model_copy(update={"position": page[-1][0]})
            answer["pagination"] = {"nextToken": self._seal.dumps(rest.model_dump(mode="json"))}
        return answer

    def get(self, call: Call) -> dict[str, Any]:
        order_id = call.path["orderId"]
        order = self.shelf(call.account_region).by_id.get(order_id)
        if order is None and not ORDER_ID.fullmatch(order_id):
            raise invalid("orderId is not an Amazon order id.")
        if order is None or not _exists(order, call.now):
            raise not_found("The order")
        return {"order": _only(order, call.given.get("includedData", []))}

    def _resume(self, call: Call) -> _Query:
        """The search of a pagination token. What the request repeats of it is not looked at."""
        try:
            query = _Query.model_validate(self._seal.loads(call.given["paginationToken"]))
        except BadSignature:
            raise invalid("paginationToken is invalid.") from None
        if query.owner != call.account_region:
            raise invalid("paginationToken is invalid.")
        if call.now >= query.expires:
            raise invalid("paginationToken has expired.")
        return query


def _new_query(call: Call) -> _Query:
    given = call.given
    bases = [base for base in BASES if f"{base}After" in given]
    if len(bases) != 1:
        raise invalid("Provide exactly one of createdAfter and lastUpdatedAfter.")
    base = bases[0]
    if any(f"{other}Before" in given for other in BASES if other != base):
        raise invalid("The bounds must both be of creation or both of last update.")
    limit = given.get("maxResultsPerPage", PAGE)
    if not 1 <= limit <= PAGE:
        raise invalid(f"maxResultsPerPage must be between 1 and {PAGE}.")
    check_marketplaces(call.seller, given.get("marketplaceIds", []))
    return _Query(
        base=base,
        after=given[f"{base}After"],
        before=_upper_bound(call, base),
        marketplaces=given.get("marketplaceIds"),
        statuses=given.get("fulfillmentStatuses"),
        fulfilled_by=given.get("fulfilledBy"),
        included=given.get("includedData", []),
        limit=limit,
        owner=call.account_region,
        expires=call.now + TOKEN_LIFETIME,
    )


def _upper_bound(call: Call, base: str) -> datetime:
    latest = call.now - YOUNGEST_BOUND
    before: datetime = call.given.get(f"{base}Before", latest)
    if before > latest:
        raise invalid(f"{base}Before must be at least two minutes before the time of the request.")
    if f"{base}Before" in call.given and before < call.given[f"{base}After"]:
        raise invalid(f"{base}Before must not be before {base}After.")
    return before


def _exists(order: Order, now: datetime) -> bool:
    return parse_time(order["createdTime"]) <= now


def _only(order: Order, included: list[str]) -> Order:
    """The order without the blocks of datasets that were not asked for."""
    hidden = {block for dataset, block in DATASETS.items() if dataset not in included}
    shown = {key: value for key, value in order.items() if key not in hidden}
    shown["orderItems"] = [
        {key: value for key, value in item.items() if key not in hidden} for item in order["orderItems"]
    ]
    return shown
