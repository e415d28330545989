"""Reports: ordered, waited for, downloaded and decoded; and the ways in which they fail."""

import gzip
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from amazon_builders import DOCUMENTS, REGIONS, REPORTS, Caller, order, order_id, problem, running, seller, world

from sandbox.amazon_marketplaces import MARKETPLACES

BY_UPDATE = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL"
BY_ORDER_DATE = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL"
DE = MARKETPLACES["DE"].id
DAY = {"dataStartTime": "2026-02-28T12:00:00Z", "dataEndTime": "2026-03-01T12:00:00Z"}


@pytest.fixture
def amazon() -> Iterator[Caller]:
    with running(world(order(1)), rate_factor=1) as caller:
        yield caller


def create(amazon: Caller, report_type: str = BY_UPDATE, **changes: Any) -> httpx.Response:
    marketplaces = [MARKETPLACES[name].id for name in REGIONS[amazon.as_seller.region]]
    body = {"reportType": report_type, "marketplaceIds": marketplaces, **DAY, **changes}
    return amazon.call("POST", REPORTS, json=body)


def ordered(amazon: Caller, *args: str, **changes: Any) -> str:
    answer = create(amazon, *args, **changes)
    assert answer.status_code == 202
    return str(answer.json()["reportId"])


def status(amazon: Caller, report_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = amazon.get(f"{REPORTS}/{report_id}").json()
    return answer


def finished(amazon: Caller, *args: str, **changes: Any) -> dict[str, Any]:
    report_id = ordered(amazon, *args, **changes)
    amazon.clock.forward(seconds=40)
    return status(amazon, report_id)


def document(amazon: Caller, report: dict[str, Any], **params: str) -> tuple[dict[str, Any], httpx.Response]:
    described = amazon.get(f"{DOCUMENTS}/{report['reportDocumentId']}", **params).json()
    return described, amazon.http.get(described["url"])


def rows(content: bytes, charset: str) -> list[dict[str, str]]:
    heading, *lines = [line.split("\t") for line in content.decode(charset).splitlines()]
    return [dict(zip(heading, line, strict=True)) for line in lines]


def charset(download: httpx.Response) -> str:
    declared = download.headers["content-type"].removeprefix("text/plain; charset=")
    return {"windows-31j": "cp932"}.get(declared, declared)


def test_a_report_waits_is_made_and_can_be_downloaded(amazon: Caller) -> None:
    report_id = ordered(amazon)
    assert status(amazon, report_id)["processingStatus"] == "IN_QUEUE"
    amazon.clock.forward(seconds=10)
    assert status(amazon, report_id)["processingStatus"] == "IN_PROGRESS"
    amazon.clock.forward(seconds=30)
    report = status(amazon, report_id)
    assert report["processingStatus"] == "DONE"
    assert report["processingEndTime"] == "2026-03-01T12:00:40.000Z"
    described, download = document(amazon, report)
    assert described["compressionAlgorithm"] == "GZIP"
    assert [row["amazon-order-id"] for row in rows(gzip.decompress(download.content), "utf-8")] == [order_id(1)]


def test_a_row_tells_the_order_item(amazon: Caller) -> None:
    _, download = document(amazon, finished(amazon))
    [row] = rows(gzip.decompress(download.content), charset(download))
    assert {name: value for name, value in row.items() if value} == {
        "amazon-order-id": order_id(1),
        "merchant-order-id": order_id(1),
        "purchase-date": "2026-03-01T11:00:00+00:00",
        "last-updated-date": "2026-03-01T11:00:00+00:00",
        "order-status": "Shipped",
        "fulfillment-channel": "Merchant",
        "sales-channel": "Amazon.de",
        "ship-service-level": "SecondDay",
        "product-name": "Kanne",
        "sku": "K-1",
        "asin": "B000000001",
        "item-status": "Shipped",
        "quantity": "2",
        "currency": "EUR",
        "item-price": "40.00",
        "item-tax": "6.39",
        "shipping-price": "3.90",
        "shipping-tax": "0.62",
        "ship-city": "Beispielstadt",
        "ship-postal-code": "12345",
        "ship-country": "DE",
        "promotion-ids": "SPRING,LOYAL",
        "is-business-order": "false",
    }


@pytest.mark.parametrize(
    ("region", "marketplace", "title", "codec"),
    [
        ("na", "US", 'Teapot 5" – "Spring"', "utf-8"),
        ("eu", "DE", "Kännchen für 5 € – groß", "cp1252"),
        ("fe", "JP", "茶碗①〜髙級\u3000セット", "cp932"),
    ],
)
def test_each_region_has_its_encoding(region: str, marketplace: str, title: str, codec: str) -> None:
    titled = order(1, marketplace=marketplace)
    titled["orderItems"][0]["product"]["title"] = title
    with running(world(titled, sellers=(seller(region),))) as amazon:
        _, download = document(amazon, finished(amazon))
    content = gzip.decompress(download.content)
    [row] = rows(content, charset(download))
    expected = title.encode(codec, errors="replace").decode(codec)
    assert row["product-name"] == expected
    assert expected.encode(codec) in content


def test_separators_in_a_title_do_not_break_the_table() -> None:
    titled = order(1)
    titled["orderItems"][0]["product"]["title"] = "two\tcolumns\r\nand lines"
    with running(world(titled)) as amazon:
        _, download = document(amazon, finished(amazon))
    assert [row["product-name"] for row in rows(gzip.decompress(download.content), "cp1252")] == [
        "two columns  and lines"
    ]


def test_each_type_selects_by_its_own_time() -> None:
    old_but_changed = {**order(1, minutes_ago=3000), "lastUpdatedTime": "2026-03-01T10:00:00Z"}
    with running(world(old_but_changed, order(2))) as amazon:
        found = {}
        for report_type in (BY_UPDATE, BY_ORDER_DATE):
            _, download = document(amazon, finished(amazon, report_type, **DAY))
            listed = rows(gzip.decompress(download.content), "cp1252")
            found[report_type] = [row["amazon-order-id"] for row in listed]
    assert found == {BY_UPDATE: [order_id(1), order_id(2)], BY_ORDER_DATE: [order_id(2)]}


def test_no_data_cancels_the_report(amazon: Caller) -> None:
    uk_only = finished(amazon, marketplaceIds=[MARKETPLACES["UK"].id])
    assert uk_only["processingStatus"] == "CANCELLED"
    assert "reportDocumentId" not in uk_only


@pytest.mark.parametrize(
    ("report_type", "changes", "reason"),
    [
        ("GET_LEDGER_DETAIL_VIEW_DATA", {}, "not served"),
        (BY_UPDATE, {"dataStartTime": "2026-01-30T11:59:59Z"}, "upto 30 days"),
        (BY_UPDATE, {"dataStartTime": "2024-01-01T00:00:00Z", "dataEndTime": "2024-01-02T00:00:00Z"}, "2 years"),
    ],
)
def test_a_failed_report_has_a_document_that_says_why(
    amazon: Caller, report_type: str, changes: dict[str, str], reason: str
) -> None:
    report = finished(amazon, report_type, **changes)
    assert report["processingStatus"] == "FATAL"
    described, download = document(amazon, report)
    assert "compressionAlgorithm" not in described
    assert reason in download.text


def test_thirty_days_are_allowed(amazon: Caller) -> None:
    assert finished(amazon, dataStartTime="2026-01-30T12:00:00Z")["processingStatus"] == "DONE"


@pytest.mark.parametrize(
    "changes",
    [
        {"marketplaceIds": []},
        {"marketplaceIds": [MARKETPLACES["US"].id]},
        {"marketplaceIds": DE},
        {"reportType": None},
        {"dataStartTime": "soon"},
        {"dataStartTime": "2026-03-01T12:00:00Z", "dataEndTime": "2026-03-01T11:00:00Z"},
        {"dataEndTime": "2026-03-01T12:00:01Z"},
    ],
)
def test_what_breaks_a_rule_is_refused(amazon: Caller, changes: dict[str, Any]) -> None:
    assert problem(create(amazon, **changes)) == (400, "InvalidInput")


def test_a_body_that_is_not_json_is_refused(amazon: Caller) -> None:
    amazon.authorize()
    headers = {"x-amz-access-token": amazon.access_token or ""}
    answer = amazon.http.post(f"{amazon.base_url}{REPORTS}", content=b"reportType=X", headers=headers)
    assert problem(answer) == (400, "InvalidInput")


def test_a_report_can_be_cancelled_while_it_is_in_the_queue(amazon: Caller) -> None:
    report_id = ordered(amazon)
    assert amazon.call("DELETE", f"{REPORTS}/{report_id}").status_code == 200
    amazon.clock.forward(minutes=1)
    assert status(amazon, report_id)["processingStatus"] == "CANCELLED"
    running_report = ordered(amazon)
    amazon.clock.forward(seconds=10)
    assert problem(amazon.call("DELETE", f"{REPORTS}/{running_report}")) == (400, "InvalidInput")


def test_reports_and_documents_belong_to_their_seller() -> None:
    rival = seller(account="rival")
    with running(world(order(1), sellers=(seller(), rival))) as amazon:
        report = finished(amazon)
        stranger = amazon.other(rival)
        assert problem(stranger.get(f"{REPORTS}/{report['reportId']}")) == (404, "NotFound")
        assert problem(stranger.get(f"{DOCUMENTS}/{report['reportDocumentId']}")) == (404, "NotFound")


def test_the_url_of_a_document_expires_after_five_minutes(amazon: Caller) -> None:
    described, download = document(amazon, finished(amazon))
    assert download.status_code == 200
    amazon.clock.forward(minutes=5)
    expired = amazon.http.get(described["url"])
    assert expired.status_code == 403
    assert "Request has expired" in expired.text
    assert amazon.http.get(f"{amazon.base_url}/documents/forged").status_code == 403


def test_http_clients_may_be_left_to_decompress(amazon: Caller) -> None:
    _, download = document(amazon, finished(amazon), enableContentEncodingUrlHeader="true")
    assert len(rows(download.content, "cp1252")) == 1


def test_the_list_of_reports_is_filtered_and_paged(amazon: Caller) -> None:
    with running(world(order(1))) as amazon:
        done = [finished(amazon)["reportId"] for _ in range(3)]
        waiting = ordered(amazon, BY_ORDER_DATE)
        types = [BY_UPDATE, BY_ORDER_DATE]

        def ids(**params: Any) -> list[str]:
            return [report["reportId"] for report in amazon.get(REPORTS, **params).json()["reports"]]

        assert ids(reportTypes=types) == [waiting, *reversed(done)]
        assert ids(reportTypes=types, processingStatuses=["IN_QUEUE"]) == [waiting]
        assert ids(reportTypes=[BY_ORDER_DATE]) == [waiting]
        assert ids(reportTypes=types, marketplaceIds=[MARKETPLACES["FR"].id]) == []
        assert ids(reportTypes=types, createdUntil="2026-03-01T12:00:00Z") == done[:1]
        first = amazon.get(REPORTS, reportTypes=types, pageSize="3").json()
        rest = amazon.get(REPORTS, nextToken=first["nextToken"]).json()
        assert [r["reportId"] for r in first["reports"] + rest["reports"]] == [waiting, *reversed(done)]
        assert "nextToken" not in rest
        assert problem(amazon.get(REPORTS)) == (400, "InvalidInput")
        assert problem(amazon.get(REPORTS, nextToken=first["nextToken"], pageSize="3")) == (400, "InvalidInput")


def test_reports_are_kept_for_ninety_days(amazon: Caller) -> None:
    report_id = ordered(amazon)
    amazon.clock.forward(days=90)
    amazon.authorize()
    assert status(amazon, report_id)["processingStatus"] == "DONE"
    amazon.clock.forward(seconds=1)
    assert problem(amazon.get(f"{REPORTS}/{report_id}")) == (404, "NotFound")
