"""The client library that the product uses works against the stand-in, pointed there without touching its globals."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from amazon_builders import order, order_id, seller, world
from sp_api.api import OrdersV20260101, Reports, Sellers
from sp_api.auth import AccessTokenClient
from sp_api.auth.exceptions import AuthorizationError
from sp_api.base import Client, Marketplaces, SellingApiNotFoundException, SellingApiRequestThrottledException

from sandbox.amazon import create_app
from sandbox.amazon_marketplaces import MARKETPLACES
from sandbox.http import serve

SELLER = replace(seller(), refresh_token="Atzr|client-library")
DE = MARKETPLACES["DE"].id
SINCE = "2026-01-01T00:00:00Z"


SHIFT = datetime(2026, 3, 2, tzinfo=UTC) - datetime.now(UTC)


def clock() -> datetime:
    """Set once, then going on by itself, as the library's cache of tokens expects."""
    return datetime.now(UTC) + SHIFT


@pytest.fixture
def url() -> Iterator[str]:
    history = world(*(order(n) for n in range(1, 6)), sellers=(SELLER,))
    with serve(create_app(history, rate_factor=1000, clock=clock)) as base_url:
        yield base_url


def connect(api: type[Client], base_url: str, refresh_token: str = SELLER.refresh_token) -> Any:
    place = {"scheme": "http://", "host": urlsplit(base_url).netloc}
    client = api(
        Marketplaces.DE,
        credentials={
            "lwa_app_id": SELLER.client_id,
            "lwa_client_secret": SELLER.client_secret,
            "refresh_token": refresh_token,
        },
        auth_token_client_class=type("TokenClient", (AccessTokenClient,), place),
    )
    client.endpoint = base_url
    return client


def test_search_by_pages_then_one_order(url: str) -> None:
    orders = connect(OrdersV20260101, url)
    query = {"marketplaceIds": [DE], "lastUpdatedAfter": SINCE, "maxResultsPerPage": 3, "includedData": ["BUYER"]}
    first = orders.search_orders(**query)
    second = orders.search_orders(**query, paginationToken=first.next_token)
    pages = [first.payload["orders"], second.payload["orders"]]
    assert [[found["orderId"] for found in page] for page in pages] == [
        [order_id(1), order_id(2), order_id(3)],
        [order_id(4), order_id(5)],
    ]
    assert second.next_token is None
    assert first.rate_limit == "5.6"
    assert pages[0][0]["buyer"] == order(1)["buyer"]
    one = orders.get_order(order_id(4), includedData=["PROCEEDS"])
    assert one.payload["order"]["proceeds"] == order(4)["proceeds"]


def test_its_errors_are_those_of_the_library(url: str) -> None:
    orders = connect(OrdersV20260101, url)
    with pytest.raises(SellingApiNotFoundException):
        orders.get_order(order_id(99))
    with pytest.raises(AuthorizationError) as refused:
        connect(OrdersV20260101, url, refresh_token="Atzr|revoked").search_orders(lastUpdatedAfter=SINCE)
    assert (refused.value.error_code, refused.value.status_code) == ("invalid_grant", 400)


def test_throttling_is_told_with_the_real_rate() -> None:
    history = world(sellers=(SELLER,))
    with serve(create_app(history, clock=clock)) as slow:
        orders = connect(OrdersV20260101, slow)
        with pytest.raises(SellingApiRequestThrottledException) as throttled:
            for _ in range(21):
                orders.search_orders(marketplaceIds=[DE], lastUpdatedAfter=SINCE)
    assert throttled.value.headers["x-amzn-RateLimit-Limit"] == "0.0056"
    assert throttled.value.amzn_code == "QuotaExceeded"


def test_a_report_from_order_to_text(url: str) -> None:
    reports = connect(Reports, url)
    created = reports.create_report(
        reportType="GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL",
        marketplaceIds=[DE],
        dataStartTime=datetime(2026, 3, 1, tzinfo=UTC),
        dataEndTime=datetime(2026, 3, 1, 18, tzinfo=UTC),
    )
    until = datetime.now(UTC) + timedelta(seconds=10)
    while (report := reports.get_report(created.payload["reportId"]).payload)["processingStatus"] != "DONE":
        assert datetime.now(UTC) < until, report
    text = reports.get_report_document(report["reportDocumentId"], download=True)
    assert text.character_code == "cp1252"
    lines = text.payload["document"].splitlines()
    assert [line.split("\t")[0] for line in lines] == ["amazon-order-id", *(order_id(n) for n in range(1, 6))]
    streamed = io.BytesIO()
    reports.get_report_document(report["reportDocumentId"], file=streamed, stream=True)
    assert streamed.getvalue().decode("cp1252").splitlines() == lines


def test_marketplaces_of_the_account(url: str) -> None:
    entries = connect(Sellers, url).get_marketplace_participation().payload
    assert [entry["marketplace"]["countryCode"] for entry in entries] == ["DE", "GB"]
