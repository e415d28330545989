"""The stand-in's seller performance reports keep to Amazon's schema, come from the orders, and change with time."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from amazon_builders import DOCUMENTS, REPORTS, Caller, running
from health_reports import schema
from jsonschema import Draft7Validator

from amazon_support.settings.account_health import health_rules
from amazon_support.sources.performance_report import parse_contact_response, parse_health
from sandbox.amazon_account_health import customer_metrics_report, performance_report
from sandbox.amazon_marketplaces import MARKETPLACES
from sandbox.world import Seller, World, generate

END = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SELLER = Seller("shop", "eu", ("DE", "FR"), "id", "secret", "Atzr|shop-eu", "ASHOP")
IDS = [MARKETPLACES[country].id for country in SELLER.marketplaces]
UK = MARKETPLACES["UK"].id


@pytest.fixture(scope="module")
def world() -> World:
    return generate(seed=5, until=END, days=100, sellers=[SELLER], orders_per_day=20)


@pytest.fixture(scope="module")
def orders(world: World) -> list[dict[str, Any]]:
    return sorted(world.orders["shop", "eu"], key=lambda order: order["createdTime"])


def closed(part: Any) -> Any:
    """The schema without room for what it does not name; it demands some names that it does not describe."""
    if isinstance(part, list):
        return [closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    found = {key: closed(value) for key, value in part.items() if key != "examples"}
    if part.get("type") == "object" and "properties" in part:
        demanded = dict.fromkeys(part.get("required", ()), {})
        found |= {"properties": demanded | found["properties"], "additionalProperties": False}
    return found


def breaches(document: bytes) -> list[str]:
    errors = Draft7Validator(closed(schema())).iter_errors(json.loads(document))
    return [f"{error.json_path}: {error.message}" for error in errors]


@pytest.mark.parametrize("marketplaces", [IDS, [UK]], ids=["with orders", "without any"])
def test_the_report_keeps_to_amazons_schema(orders: list[dict[str, Any]], marketplaces: list[str]) -> None:
    assert breaches(performance_report(orders, marketplaces, END)) == []


def test_the_wild_spelling_breaks_the_schema_and_is_understood(orders: list[dict[str, Any]]) -> None:
    wild = performance_report(orders, IDS, END, "wild")
    broken = " ".join(breaches(wild))
    for name in ("lateShipmentRateList", "ahrScore", "policyViolationWarnings", "documentRequests", "documentRequest'"):
        assert name in broken
    assert parse_health(json.loads(wild)).unknown == []


@pytest.mark.parametrize("spelling", ["schema", "wild"])
def test_it_tells_every_metric_of_every_marketplace_asked_for(orders: list[dict[str, Any]], spelling: Any) -> None:
    parsed = parse_health(json.loads(performance_report(orders, [*IDS, UK], END, spelling)))
    only_seen = {"product_review_violations", "policy_violation_warnings"}
    expected = set(health_rules().metrics) - (only_seen if spelling == "schema" else {"unit_on_time_delivery_rate"})
    for marketplace in (*IDS, UK):
        assert expected <= {metric.name for metric in parsed.metrics if metric.marketplace == marketplace}
    assert [status.marketplace for status in parsed.statuses] == [*IDS, UK]


def test_late_shipments_are_those_of_the_orders(orders: list[dict[str, Any]]) -> None:
    parsed = parse_health(json.loads(performance_report(orders, IDS, END)))
    [metric] = [m for m in parsed.metrics if m.name == "late_shipment_rate" and m.marketplace == IDS[0]]
    assert metric.period_start is not None and metric.period_end is not None
    shipped = [
        order
        for order in orders
        if order["salesChannel"]["marketplaceId"] == IDS[0]
        and metric.period_start <= datetime.fromisoformat(order["createdTime"]) <= metric.period_end
        and order.get("packages")
    ]
    late = [
        order
        for order in shipped
        if order["packages"][0]["shipTime"] > order["fulfillment"]["shipByWindow"]["latestDateTime"]
    ]
    assert len(late) > 3
    assert (metric.denominator, metric.numerator) == (len(shipped), len(late))


def test_violations_pile_up_and_rates_move(orders: list[dict[str, Any]]) -> None:
    days = [parse_health(json.loads(performance_report(orders, IDS, END - n * DAY))) for n in (40, 20, 0)]

    def course(name: str) -> list[Any]:
        return [next(m.value for m in day.metrics if m.name == name and m.marketplace == IDS[0]) for day in days]

    violations = course("listing_policy_violations")
    assert violations == sorted(violations) and violations[0] < violations[-1]
    assert len(set(course("late_shipment_rate"))) == 3


def test_the_same_orders_give_the_same_documents(orders: list[dict[str, Any]]) -> None:
    for make in (performance_report, customer_metrics_report):
        assert make(orders, IDS, END) == make(orders, IDS, END)


def test_contact_response_times_of_a_week_a_month_and_a_quarter(orders: list[dict[str, Any]]) -> None:
    responses = parse_contact_response(customer_metrics_report(orders, IDS, END).decode())
    assert [(response.marketplace, (END - response.period_start) / DAY) for response in responses] == [  # type: ignore
        (marketplace, days) for marketplace in IDS for days in (7, 30, 90)
    ]
    quarter = responses[2]
    assert quarter.share_under_24h is not None and 0.5 < quarter.share_under_24h < 1
    assert quarter.average_hours is not None and 0 < quarter.average_hours < 24
    assert all(response.unreadable == () for response in responses)


def fetched(amazon: Caller, report_type: str) -> bytes:
    body = {"reportType": report_type, "marketplaceIds": IDS}
    report_id = amazon.call("POST", REPORTS, json=body).json()["reportId"]
    amazon.clock.forward(minutes=1)
    report = amazon.get(f"{REPORTS}/{report_id}").json()
    assert report["processingStatus"] == "DONE"
    described = amazon.get(f"{DOCUMENTS}/{report['reportDocumentId']}").json()
    return gzip.decompress(amazon.http.get(described["url"]).content)


def test_both_reports_can_be_ordered(world: World) -> None:
    with running(world) as amazon:
        performance = fetched(amazon, "GET_V2_SELLER_PERFORMANCE_REPORT")
        contact = fetched(amazon, "GET_V1_SELLER_PERFORMANCE_REPORT")
    assert breaches(performance) == []
    assert {status["marketplaceId"] for status in json.loads(performance)["accountStatuses"]} == set(IDS)
    assert len(parse_contact_response(contact.decode())) == 6
