"""What a person should look at: repeated warnings, rows in quarantine, rejected batches; each in one sentence."""

from datetime import timedelta

from landing import NOON, land_some_mail, land_some_orders, mail, order, order_id, rows
from sqlalchemy import Engine

from amazon_support import settings
from amazon_support.outputs.summary import data_quality
from amazon_support.quality import check
from amazon_support.window import Window

SETTINGS = settings.load()


def orders_of_hour(warehouse: Engine, hour: int, *orders: dict[str, object]) -> None:
    at = NOON + timedelta(hours=hour)
    with warehouse.begin() as connection:
        land_some_orders(connection, *orders, window=Window(at - timedelta(hours=1), at, live=True))
    check(warehouse, "orders", SETTINGS, as_of=at)


def troubles(warehouse: Engine) -> list[tuple[object, ...]]:
    with warehouse.begin() as connection:
        return rows(connection, "select dataset, rule, sentence from mart.data_quality_trouble order by 1, 2")


def test_a_warning_stands_from_its_first_hour_until_a_check_passes(warehouse: Engine) -> None:
    lost = {"fulfillmentStatus": "LOST"}
    for hour, status in enumerate([None, lost, lost]):
        orders_of_hour(warehouse, hour, order(**({"fulfillment": status} if status else {})))
    with warehouse.begin() as connection:
        assert rows(connection, "select rule, since from mart.data_quality_trouble") == [
            ("status_known", NOON + timedelta(hours=1))
        ]
        assert "quality show --dataset orders --rule status_known" in data_quality(connection)
    orders_of_hour(warehouse, 3, order())
    assert troubles(warehouse) == []
    with warehouse.begin() as connection:
        assert data_quality(connection) == "Data quality     nothing to look at"


def test_rows_and_batches_that_wait_are_troubles(warehouse: Engine) -> None:
    orders_of_hour(warehouse, 0, order(), order(order_id(2), orderItems=[]))
    orders_of_hour(warehouse, 0, *(order(order_id(n), orderItems=[]) for n in range(10)))
    found = {rule: sentence for _, rule, sentence in troubles(warehouse)}
    assert set(found) == {"has_items", "whole_batch"}
    assert "1 row of orders of main is set aside by has_items" in str(found["has_items"])
    assert "quality show --batch" in str(found["whole_batch"])


def test_results_say_what_was_observed_and_expected(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        land_some_mail(connection, *(mail(str(n), "unknown" if n < 4 else "order_notice") for n in range(10)))
    check(warehouse, "mail", SETTINGS, as_of=NOON)
    with warehouse.begin() as connection:
        assert rows(
            connection,
            "select observed::float, expected, state from ops.check_result where rule = 'most_mail_recognised'",
        ) == [(0.4, "unknown share at most 0.3", "warned")]
        assert rows(
            connection,
            "select checks, troubles, observed_most::float from mart.data_quality where rule = 'most_mail_recognised'",
        ) == [(1, 1, 0.4)]
