"""Usage plans: a burst, then refusals until the bucket has filled again, for each seller and operation alone."""

import pytest
from amazon_builders import ORDERS, Caller, order_id, problem, running, seller, world

from sandbox.amazon import create_app
from sandbox.amazon_models import operations

SINCE = "2026-01-01T00:00:00Z"
RATE = "x-amzn-RateLimit-Limit"


def search(amazon: Caller) -> int:
    return amazon.get(ORDERS, createdAfter=SINCE).status_code


def test_rates_and_bursts_are_those_that_amazon_publishes() -> None:
    published = {operation.name: (operation.rate, operation.burst) for operation in operations()}
    assert published["searchOrders"] == (0.0056, 20)
    assert published["getOrder"] == (0.5, 30)
    assert published["createReport"] == (0.0167, 15)
    assert published["getReport"] == (2.0, 15)
    assert published["getReportDocument"] == (0.0167, 15)
    assert published["getMarketplaceParticipations"] == (0.016, 15)


def test_after_the_burst_amazon_says_429_until_the_bucket_has_filled() -> None:
    with running(world(), rate_factor=1) as amazon:
        assert [search(amazon) for _ in range(20)] == [200] * 20
        refused = amazon.get(ORDERS, createdAfter=SINCE)
        assert problem(refused) == (429, "QuotaExceeded")
        assert refused.headers[RATE] == "0.0056"
        amazon.clock.forward(seconds=1 / 0.0056 - 1)
        assert search(amazon) == 429
        amazon.clock.forward(seconds=1)
        assert [search(amazon), search(amazon)] == [200, 429]


def test_a_bucket_holds_no_more_than_its_burst() -> None:
    with running(world(), rate_factor=1) as amazon:
        search(amazon)
        amazon.clock.forward(days=2)
        amazon.authorize()
        assert [search(amazon) for _ in range(21)] == [200] * 20 + [429]


def test_sellers_and_operations_have_buckets_of_their_own() -> None:
    with running(world(sellers=(seller(), seller("na"))), rate_factor=1) as amazon:
        assert [search(amazon) for _ in range(21)][-1] == 429
        assert search(amazon.other(seller("na"))) == 200
        assert amazon.get(f"{ORDERS}/{order_id(1)}").status_code == 404


def test_requests_that_break_a_rule_count_too() -> None:
    with running(world(), rate_factor=1) as amazon:
        statuses = [amazon.get(ORDERS).status_code for _ in range(21)]
    assert statuses == [400] * 20 + [429]


@pytest.mark.parametrize(("factor", "rate"), [(1, "0.0056"), (1000, "5.6"), (0.4, "0.00224")])
def test_every_answer_tells_the_real_rate_and_an_id(factor: float, rate: str) -> None:
    with running(world(), rate_factor=factor) as amazon:
        answers = [amazon.get(ORDERS, createdAfter=SINCE), amazon.get(ORDERS)]
    assert [answer.headers[RATE] for answer in answers] == [rate, rate]
    assert len({answer.headers["x-amzn-RequestId"] for answer in answers}) == 2


def test_a_higher_factor_raises_the_burst() -> None:
    with running(world(), rate_factor=2) as amazon:
        assert [search(amazon) for _ in range(41)] == [200] * 40 + [429]


def test_a_factor_must_be_positive() -> None:
    with pytest.raises(ValueError, match="above 0"):
        create_app(world(), rate_factor=0)
