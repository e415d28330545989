"""A day of hourly runs in all regions: within Amazon's rates, without reports, and nothing is missed."""

from pathlib import Path
from random import Random

from amazon_shop import HOUR, MARKETPLACES, MINUTE, NOON, hour_before, order, running
from sqlalchemy import Engine

from amazon_support.sources.orders import pull_orders

CHANGES = 60  # an hour and region, on average; with the overlap of ten minutes still fewer than 100
HOURS = 6


def test_a_quiet_account_costs_three_searches_an_hour_and_misses_nothing(warehouse: Engine, tmp_path: Path) -> None:
    dice = Random(5)
    assert sum(len(countries) for countries in MARKETPLACES.values()) >= 20
    stock = {
        region: [
            order(number, NOON + dice.random() * HOURS * HOUR, dice.choice(countries))
            for number in range(CHANGES * HOURS)
        ]
        for region, countries in MARKETPLACES.items()
    }
    with running(warehouse, tmp_path, stock) as shop:
        for region in stock:
            shop.read_until(NOON, region)
        for hour in range(1, HOURS + 1):
            end = NOON + hour * HOUR
            shop.clock.now = end + MINUTE  # Amazon's distance of two minutes cuts each hour's end off
            before = shop.faults.calls["searchOrders"]
            for region in stock:
                pulled = shop.pull(pull_orders, hour_before(end), region=region)
                assert (pulled.via, pulled.note) == ("search", None)
            assert shop.faults.calls["searchOrders"] - before <= 3
        shop.clock.now += HOUR
        for region in stock:
            shop.pull(pull_orders, hour_before(NOON + (HOURS + 1) * HOUR), region=region)
        assert shop.faults.calls["createReport"] == 0
        assert sum(shop.column("select throttled from ops.api_call")) == 0
        landed = set(shop.column("select region || order_id from raw.order_received"))
        assert landed == {region + known["orderId"] for region, found in stock.items() for known in found}
