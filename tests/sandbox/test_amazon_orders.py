"""searchOrders and getOrder: windows, filters, pages, datasets, and what Amazon refuses."""

from collections.abc import Iterator
from typing import Any

import pytest
from amazon_builders import NOW, ORDERS, Caller, order, order_id, problem, running, seller, world

from sandbox.amazon_marketplaces import MARKETPLACES

SINCE = "2026-01-01T00:00:00Z"
DE, UK, US = (MARKETPLACES[name].id for name in ("DE", "UK", "US"))


@pytest.fixture
def amazon() -> Iterator[Caller]:
    """Five orders, from 5 hours to 1 hour old; the last one from the UK, pending and fulfilled by Amazon."""
    orders = [order(n, minutes_ago=(6 - n) * 60) for n in (3, 1, 4, 2)]
    pending = {"fulfillmentStatus": "PENDING", "fulfilledBy": "AMAZON"}
    orders.append(order(5, minutes_ago=60, marketplace="UK", fulfillment=pending))
    with running(world(*orders, sellers=(seller(), seller("na"), seller(account="rival")))) as caller:
        yield caller


def numbers(answer: Any) -> list[int]:
    return [int(found["orderId"].split("-")[1]) for found in answer.json()["orders"]]


def found(amazon: Caller, **params: Any) -> list[int]:
    return numbers(amazon.get(ORDERS, **params))


def test_orders_come_sorted_by_the_time_asked_for(amazon: Caller) -> None:
    assert found(amazon, createdAfter=SINCE) == [1, 2, 3, 4, 5]
    assert found(amazon, lastUpdatedAfter=SINCE) == [1, 2, 3, 4, 5]


def test_both_bounds_are_included(amazon: Caller) -> None:
    bounds = {"createdAfter": "2026-03-01T08:00:00Z", "createdBefore": "2026-03-01T11:00:00+01:00"}
    assert found(amazon, **bounds) == [2, 3, 4]


def test_the_upper_bound_is_told(amazon: Caller) -> None:
    answer = amazon.get(ORDERS, lastUpdatedAfter=SINCE).json()
    assert answer["lastUpdatedBefore"] == "2026-03-01T11:58:00.000Z"
    answer = amazon.get(ORDERS, createdAfter=SINCE, createdBefore="2026-03-01T09:00:00Z").json()
    assert answer["createdBefore"] == "2026-03-01T09:00:00.000Z"


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({"marketplaceIds": [DE]}, [1, 2, 3, 4]),
        ({"marketplaceIds": [DE, UK]}, [1, 2, 3, 4, 5]),
        ({"fulfillmentStatuses": ["PENDING", "UNSHIPPED"]}, [5]),
        ({"fulfilledBy": ["MERCHANT"]}, [1, 2, 3, 4]),
        ({"fulfilledBy": ["AMAZON"], "marketplaceIds": [DE]}, []),
    ],
)
def test_filters(amazon: Caller, filters: dict[str, list[str]], numbers: list[int]) -> None:
    assert found(amazon, createdAfter=SINCE, **filters) == numbers


def test_lists_may_be_repeated_instead_of_joined(amazon: Caller) -> None:
    amazon.authorize()
    url = f"{amazon.base_url}{ORDERS}?createdAfter={SINCE}&marketplaceIds={UK}&marketplaceIds={DE}"
    answer = amazon.http.get(url, headers={"x-amz-access-token": amazon.access_token or ""})
    assert numbers(answer) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"createdAfter": SINCE, "lastUpdatedAfter": SINCE},
        {"createdAfter": SINCE, "lastUpdatedBefore": "2026-02-01T00:00:00Z"},
        {"createdAfter": "yesterday"},
        {"createdAfter": ""},
        {"createdAfter": "0001-01-01T00:00:00+02:00"},
        {"createdAfter": "2026-02-01T00:00:00Z", "createdBefore": "2026-01-31T00:00:00Z"},
        {"createdAfter": SINCE, "createdBefore": "2026-03-01T11:58:01Z"},
        {"createdAfter": SINCE, "marketplaceIds": [US]},
        {"createdAfter": SINCE, "marketplaceIds": ["unknown"]},
        {"createdAfter": SINCE, "marketplaceIds": [DE] * 51},
        {"createdAfter": SINCE, "fulfillmentStatuses": ["Shipped"]},
        {"createdAfter": SINCE, "fulfilledBy": ["SELLER"]},
        {"createdAfter": SINCE, "includedData": ["EVERYTHING"]},
        {"createdAfter": SINCE, "maxResultsPerPage": "0"},
        {"createdAfter": SINCE, "maxResultsPerPage": "101"},
        {"createdAfter": SINCE, "maxResultsPerPage": "many"},
        {"paginationToken": "forged"},
    ],
)
def test_what_breaks_a_rule_is_refused(amazon: Caller, params: dict[str, Any]) -> None:
    assert problem(amazon.get(ORDERS, **params)) == (400, "InvalidInput")


def test_pages_reach_every_order_exactly_once() -> None:
    # Seven orders of one instant, so that a page ends between equals.
    orders = [order(n, minutes_ago=60 if n < 7 else 90) for n in range(23)]
    with running(world(*orders)) as amazon:
        answer = amazon.get(ORDERS, lastUpdatedAfter=SINCE, maxResultsPerPage=5, includedData=["BUYER"])
        pages = [answer]
        while token := answer.json().get("pagination", {}).get("nextToken"):
            amazon.clock.forward(minutes=1)
            answer = amazon.get(ORDERS, paginationToken=token)
            pages.append(answer)
    assert [len(numbers(page)) for page in pages] == [5, 5, 5, 5, 3]
    assert sorted(n for page in pages for n in numbers(page)) == list(range(23))
    assert all("buyer" in found and "proceeds" not in found for page in pages for found in page.json()["orders"])
    assert {page.json()["lastUpdatedBefore"] for page in pages} == {"2026-03-01T11:58:00.000Z"}


def test_a_full_last_page_has_no_token(amazon: Caller) -> None:
    answer = amazon.get(ORDERS, createdAfter=SINCE, maxResultsPerPage=5)
    assert len(numbers(answer)) == 5
    assert "pagination" not in answer.json()


def test_a_page_token_lives_a_day_and_belongs_to_its_seller(amazon: Caller) -> None:
    token = amazon.get(ORDERS, createdAfter=SINCE, maxResultsPerPage=2).json()["pagination"]["nextToken"]
    for stranger in (seller("na"), seller(account="rival")):
        answer = amazon.other(stranger).get(ORDERS, paginationToken=token)
        assert problem(answer) == (400, "InvalidInput")
    amazon.clock.forward(hours=23, minutes=59)
    amazon.authorize()
    assert found(amazon, paginationToken=token) == [3, 4]
    amazon.clock.forward(minutes=1)
    amazon.authorize()
    assert problem(amazon.get(ORDERS, paginationToken=token)) == (400, "InvalidInput")


def test_personal_and_other_blocks_come_only_when_asked_for(amazon: Caller) -> None:
    def blocks(*datasets: str) -> tuple[set[str], set[str]]:
        params = {"includedData": datasets} if datasets else {}
        answer = amazon.get(f"{ORDERS}/{order_id(1)}", **params).json()["order"]
        always = {"orderId", "createdTime", "lastUpdatedTime", "salesChannel", "orderItems"}
        item = set(answer["orderItems"][0]) - {"orderItemId", "quantityOrdered", "product"}
        return set(answer) - always, item

    assert blocks() == (set(), set())
    assert blocks("BUYER", "RECIPIENT") == ({"buyer", "recipient"}, set())
    assert blocks("PROCEEDS", "PROMOTION") == ({"proceeds"}, {"proceeds", "promotion"})
    assert blocks("FULFILLMENT", "PACKAGES") == ({"fulfillment", "packages"}, {"fulfillment"})


def test_an_order_of_the_future_does_not_exist_yet() -> None:
    with running(world(order(1, minutes_ago=-10))) as amazon:
        assert problem(amazon.get(f"{ORDERS}/{order_id(1)}")) == (404, "NotFound")
        assert found(amazon, createdAfter=SINCE) == []
        amazon.clock.forward(minutes=10)
        assert amazon.get(f"{ORDERS}/{order_id(1)}").status_code == 200
        amazon.clock.forward(minutes=2)
        assert found(amazon, createdAfter=SINCE) == [1]


def test_orders_of_other_accounts_and_unknown_ones_are_not_found(amazon: Caller) -> None:
    assert amazon.get(f"{ORDERS}/{order_id(1)}").status_code == 200
    rival = amazon.other(seller(account="rival"))
    assert problem(rival.get(f"{ORDERS}/{order_id(1)}")) == (404, "NotFound")
    assert found(rival, createdAfter=SINCE) == []
    assert problem(amazon.get(f"{ORDERS}/{order_id(99)}")) == (404, "NotFound")
    assert problem(amazon.get(f"{ORDERS}/not-an-order")) == (400, "InvalidInput")


def test_a_time_without_offset_is_utc(amazon: Caller) -> None:
    assert NOW.hour == 12
    assert found(amazon, createdAfter="2026-03-01T10:30:00") == [5]
