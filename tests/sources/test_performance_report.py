"""Seller performance reports are read in every spelling known, and nothing odd in them is an error."""

from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from health_reports import (
    DE,
    MX,
    PERIOD,
    US,
    amazons_example,
    contact_xml,
    document,
    period_xml,
    rate,
    schema,
    violations,
)

from amazon_support.settings.account_health import health_rules
from amazon_support.sources.errors import BadDocument
from amazon_support.sources.performance_report import parse_contact_response, parse_health
from amazon_support.warehouse.land.account_health import AccountStatus, Metric


def read(report: dict[str, Any]) -> dict[tuple[str, str | None], Metric]:
    return {(metric.name, metric.fulfilment): metric for metric in parse_health(report).metrics}


def the(name: str, report: dict[str, Any]) -> Metric:
    [metric] = [metric for metric in parse_health(report).metrics if metric.name == name]
    return metric


# ---------- Amazon's own example


def test_all_of_amazons_own_example_is_understood() -> None:
    parsed = parse_health(amazons_example())
    assert parsed.unknown == []
    assert AccountStatus(MX, "SUSPENDED") in parsed.statuses
    assert len(parsed.statuses) == 3
    assert {metric.marketplace for metric in parsed.metrics} == {US}
    assert [metric.unreadable for metric in parsed.metrics] == [()] * len(parsed.metrics)
    assert {(metric.name, metric.fulfilment, metric.value) for metric in parsed.metrics} == {
        (name, fulfilment, None if value is None else Decimal(value))
        for name, fulfilment, value in [
            ("order_defect_rate", "MERCHANT", "0.009"),
            ("order_defect_rate", "AMAZON", "0.009"),
            ("negative_feedback", "MERCHANT", "628"),
            ("negative_feedback", "AMAZON", "628"),
            ("a_to_z_claims", "MERCHANT", "442"),
            ("a_to_z_claims", "AMAZON", "442"),
            ("chargebacks", "MERCHANT", "15"),
            ("chargebacks", "AMAZON", "15"),
            ("late_shipment_rate", None, "0.03203973037"),
            ("cancellation_rate", None, "0.005"),
            ("valid_tracking_rate", None, "0.9529"),
            ("on_time_delivery_rate", None, "0.9529"),
            ("unit_on_time_delivery_rate", None, "0.8848"),
            ("invoice_defect_rate", None, "0.03499611"),
            ("missing_invoices", None, "214"),
            ("late_invoices", None, "101"),
            ("account_health_rating", None, None),
            ("listing_policy_violations", None, "86"),
            ("product_authenticity_complaints", None, "212"),
            ("product_condition_complaints", None, "337"),
            ("product_safety_complaints", None, "165"),
            ("received_ip_complaints", None, "75"),
            ("food_and_product_safety_issues", None, "37"),
            ("other_policy_violations", None, "86"),
            ("document_requests", None, "8"),
            ("warning_spamming_seller_messaging", None, None),
        ]
    }


def test_a_metric_holds_what_amazon_says_of_it() -> None:
    example = amazons_example()
    late = read(example)["late_shipment_rate", None]
    assert late == Metric(
        US,
        "late_shipment_rate",
        unit="share",
        period_start=datetime(2020, 10, 21, tzinfo=UTC),
        period_end=datetime(2020, 11, 19, 23, 59, tzinfo=UTC),
        value=Decimal("0.03203973037"),
        numerator=Decimal(27896),
        denominator=Decimal(870669),
        target_value=Decimal("0.04"),
        target_condition="LESS_THAN",
        status="GOOD",
        detail=example["performanceMetrics"][0]["lateShipmentRate"],
    )
    assert late.period_days == 30


def test_a_part_of_a_rate_has_its_orders_and_period() -> None:
    claims = read(amazons_example())["a_to_z_claims", "AMAZON"]
    assert (claims.unit, claims.denominator, claims.status, claims.period_days) == (
        "count",
        Decimal(539000),
        "NONE",
        60,
    )


def test_the_settings_know_every_metric_of_the_schema() -> None:
    names = schema()["properties"]["performanceMetrics"]["items"]["properties"]
    report = document(**{name: violations(0) for name in names if name not in ("marketplaceId", "warningStates")})
    assert parse_health(report).unknown == []


# ---------- documents that differ from it


@pytest.mark.parametrize(
    ("spelling", "value", "name"),
    [
        ("lateShipmentRate", rate(0.02), "late_shipment_rate"),
        ("lateShipmentRateList", [rate(0.02)], "late_shipment_rate"),
        ("lateShipmentRates", rate(0.02), "late_shipment_rate"),
        ("late_shipment_rate", rate(0.02), "late_shipment_rate"),
        ("LateShipmentRate", rate(0.02), "late_shipment_rate"),
        ("prefulfillmentCancelRate", rate(0.02), "cancellation_rate"),
        ("preFulfillmentCancellationRate", rate(0.02), "cancellation_rate"),
        ("documentRequest", violations(0.02), "document_requests"),
        ("customerProductReviewsPolicyViolations", violations(0.02), "product_review_violations"),
        ("policyViolationWarnings", {"warningsCount": 0.02}, "policy_violation_warnings"),
        ("orderDefectRate", rate(0.02), "order_defect_rate"),
    ],
)
def test_a_metric_is_found_under_its_known_spellings(spelling: str, value: Any, name: str) -> None:
    parsed = parse_health(document(**{spelling: value}))
    assert [(metric.name, metric.value) for metric in parsed.metrics] == [(name, Decimal("0.02"))]
    assert parsed.unknown == []


@pytest.mark.parametrize(
    ("shape", "fulfilment"),
    [
        ({"afn": rate(0.02)}, "AMAZON"),
        ({"fba": rate(0.02)}, "AMAZON"),
        ({"mfn": rate(0.02, fulfillmentType="afn")}, "MERCHANT"),
        ({"FBM": rate(0.02)}, "MERCHANT"),
        (rate(0.02, fulfillmentType="mfn"), "MERCHANT"),
        ([rate(0.02, fulfillmentType="AFN")], "AMAZON"),
        (rate(0.02), None),
        (rate(0.02, fulfillmentType="drone"), None),
    ],
    ids=str,
)
def test_defects_are_split_by_fulfilment_in_every_shape(shape: Any, fulfilment: str | None) -> None:
    [metric] = parse_health(document(orderDefectRate=shape)).metrics
    assert (metric.fulfilment, metric.value) == (fulfilment, Decimal("0.02"))


def test_a_list_may_tell_several_periods_of_one_rate() -> None:
    ten_days = {"reportingDateFrom": "2026-02-28T00:00:00Z", "reportingDateTo": "2026-03-09T23:59:59Z"}
    parsed = parse_health(document(lateShipmentRateList=[rate(0.03), rate(0.01, reportingDateRange=ten_days)]))
    assert [(metric.period_days, metric.value) for metric in parsed.metrics] == [
        (30, Decimal("0.03")),
        (10, Decimal("0.01")),
    ]


def test_the_rating_has_a_score() -> None:
    rating = the("account_health_rating", document(accountHealthRating={"ahrScore": 428, "ahrStatus": "GREAT"}))
    assert (rating.value, rating.unit, rating.status) == (Decimal(428), "score", "GREAT")
    assert the("account_health_rating", document(accountHealthRating={"accountHealthRatingStatus": "WARNED"})).status


@pytest.mark.parametrize(
    ("given", "status"),
    [("BAD", "BAD"), ("at risk", "AT_RISK"), ("At-Risk", "AT_RISK"), ("PURPLE", "PURPLE"), (None, None)],
)
def test_any_status_is_kept_in_upper_case(given: Any, status: str | None) -> None:
    parsed = parse_health(document(lateShipmentRate=rate(0.02, status=given)))
    assert (parsed.metrics[0].status, parsed.unknown) == (status, [])


def test_a_target_may_be_an_object() -> None:
    target = {"value": 0.03, "condition": "LESS_THAN"}
    given = rate(0.02, targetCondition=None, targetValue=target)
    metric = the("late_shipment_rate", document(lateShipmentRate=given))
    assert (metric.target_value, metric.target_condition) == (Decimal("0.03"), "LESS_THAN")


@pytest.mark.parametrize(
    ("value", "target", "share", "share_of_target"),
    [
        (0.02, 0.04, "0.02", "0.04"),
        (2, 4, "0.02", "0.04"),
        (0.5, 2.5, "0.005", "0.025"),
        (98.5, 95, "0.985", "0.95"),
        ("2 %", None, "0.02", None),
        ("0.02", "0.04", "0.02", "0.04"),
        (0.00001, 0.04, "0.00001", "0.04"),
        (98.5, None, "98.5", None),  # no target to tell the unit: left to the checks
    ],
)
def test_rates_are_shares_whichever_unit_the_target_shows(
    value: Any, target: Any, share: str, share_of_target: str | None
) -> None:
    metric = the("late_shipment_rate", document(lateShipmentRate=rate(value, targetValue=target)))
    assert metric.value == Decimal(share)
    assert metric.target_value == (None if share_of_target is None else Decimal(share_of_target))


def test_a_rate_with_nothing_behind_it_has_no_value() -> None:
    metric = the("valid_tracking_rate", document(validTrackingRate=rate(0, shipmentCount=0, validTrackingCount=0)))
    assert (metric.value, metric.denominator, metric.status) == (None, 0, "GOOD")


@pytest.mark.parametrize(
    ("warnings", "found"),
    [
        ([], []),
        (None, []),
        ([{"warningType": "spammingSellerMessaging", "status": "BAD"}], [("warning_spamming_seller_messaging", "BAD")]),
        (["lateShipment"], [("warning_late_shipment", "WARNED")]),
        ({"listingPolicyViolations": violations(2, status="BAD")}, [("listing_policy_violations", "BAD")]),
    ],
    ids=str,
)
@pytest.mark.parametrize("spelling", ["warningStates", "warningState"])
def test_warnings_come_in_every_shape(spelling: str, warnings: Any, found: list[tuple[str, str]]) -> None:
    parsed = parse_health(document(**{spelling: warnings}))
    assert [(metric.name, metric.status) for metric in parsed.metrics] == found
    assert parsed.unknown == []


def test_one_marketplace_need_not_be_in_a_list() -> None:
    report = document(lateShipmentRate=rate(0.02))
    flat = {"accountStatus": report["accountStatuses"][0], "performanceMetrics": report["performanceMetrics"][0]}
    assert parse_health(flat) == parse_health(report)


# ---------- what nobody understands


@pytest.mark.parametrize(
    ("report", "unknown"),
    [
        ({**document(), "notes": "x"}, ["notes"]),
        (document(colour="red"), ["performanceMetrics[].colour"]),
        (document(lateShipmentRate=rate(0.02, mood=1)), ["performanceMetrics[].lateShipmentRate.mood"]),
        (document(lateShipmentRate="fine"), ["performanceMetrics[].lateShipmentRate"]),
        (document(lateShipmentRate=[[]]), ["performanceMetrics[].lateShipmentRate[]"]),
        (document(lateShipmentRate=rate("low")), ["performanceMetrics[].lateShipmentRate.rate"]),
        (document(lateShipmentRate=rate(0.02, status=7)), ["performanceMetrics[].lateShipmentRate.status"]),
        (
            document(lateShipmentRate=rate(0.02, targetCondition="ABOUT")),
            ["performanceMetrics[].lateShipmentRate.targetCondition"],
        ),
        (
            document(lateShipmentRate=rate(0.02, reportingDateRange=PERIOD | {"reportingDateTo": "soon", "hours": 1})),
            [
                "performanceMetrics[].lateShipmentRate.reportingDateRange.hours",
                "performanceMetrics[].lateShipmentRate.reportingDateRange.reportingDateTo",
            ],
        ),
        (
            document(orderDefectRate={"afn": rate(0, claims={"count": 1, "why": 2}), "pigeon": {}}),
            ["performanceMetrics[].orderDefectRate.pigeon", "performanceMetrics[].orderDefectRate.afn.claims.why"],
        ),
        (document(warningStates=[3]), ["performanceMetrics[].warningStates[]"]),
        ({"accountStatuses": ["NORMAL"], "performanceMetrics": 4}, ["accountStatuses[]", "performanceMetrics"]),
        (
            {"accountStatuses": [{"marketplaceId": DE, "status": "NORMAL", "since": "x"}]},
            ["accountStatuses[].since"],
        ),
    ],
    ids=str,
)
def test_what_is_not_understood_is_told_by_its_path(report: dict[str, Any], unknown: list[str]) -> None:
    assert sorted(parse_health(report).unknown) == sorted(unknown)


def test_a_path_is_told_once() -> None:
    report = {"performanceMetrics": [{"marketplaceId": place, "colour": 1} for place in (US, MX, DE)]}
    assert parse_health(report).unknown == ["performanceMetrics[].colour"]


@pytest.mark.parametrize(
    ("node", "unit", "value"),
    [(violations(3), "count", 3), (rate(0.25), "share", Decimal("0.25")), ({"status": "BAD"}, None, None)],
    ids=str,
)
def test_a_metric_that_nobody_told_us_of_is_followed_under_amazons_name(node: Any, unit: Any, value: Any) -> None:
    parsed = parse_health(document(greenClaimsPolicy=node))
    [metric] = parsed.metrics
    assert (metric.name, metric.unit, metric.value, metric.detail) == ("green_claims_policy", unit, value, node)
    assert parsed.unknown == ["performanceMetrics[].greenClaimsPolicy"]


@pytest.mark.parametrize("odd", ["nan", float("nan"), float("inf"), True, [], 10**400, "1.234,56", "1e99"], ids=str)
def test_a_number_that_is_none_leaves_the_metric_without_value(odd: Any) -> None:
    metric = the("late_shipment_rate", document(lateShipmentRate=rate(odd, status="BAD", lateShipmentCount=odd)))
    assert (metric.value, metric.numerator, metric.status) == (None, None, "BAD")
    assert sorted(metric.unreadable) == ["numerator", "value"]


@pytest.mark.parametrize("none", [None, [], "", "<html>", 3, True])
def test_what_is_no_object_is_no_report(none: Any) -> None:
    with pytest.raises(BadDocument, match="JSON object"):
        parse_health(none)


@pytest.mark.parametrize(
    "empty", [{}, {"accountStatuses": [], "performanceMetrics": []}, document(lateShipmentRate=None)]
)
def test_an_empty_report_says_nothing(empty: dict[str, Any]) -> None:
    assert (parse_health(empty).metrics, parse_health(empty).unknown) == ([], [])


def test_every_metric_of_the_settings_has_a_name_of_its_own_and_a_direction() -> None:
    better_when_more = {name for name, rule in health_rules().metrics.items() if rule.condition == "GREATER_THAN"}
    assert better_when_more == {
        "valid_tracking_rate",
        "on_time_delivery_rate",
        "unit_on_time_delivery_rate",
        "account_health_rating",
    }


# ---------- contact response times


def test_contact_response_times_are_read_for_each_period() -> None:
    week = period_xml(average="5.25", under=18, over=1, none=1)
    month = period_xml("2026-02-08T00:00:00.000Z", "2026-03-10T00:00:00.000Z", under=90, over=6, none=4)
    assert [asdict(response) for response in parse_contact_response(contact_xml(week, month))] == [
        {
            "marketplace": None,
            "period_start": start,
            "period_end": datetime(2026, 3, 10, tzinfo=UTC),
            "average_hours": Decimal("5.25"),
            "under_24h": under,
            "over_24h": over,
            "none_after_24h": none,
            "share_under_24h": Decimal("0.9"),
            "unreadable": (),
        }
        for start, under, over, none in [
            (datetime(2026, 3, 3, tzinfo=UTC), 18, 1, 1),
            (datetime(2026, 2, 8, tzinfo=UTC), 90, 6, 4),
        ]
    ]


@pytest.mark.parametrize(
    "report",
    [
        contact_xml(period_xml(), marketplace=f"<marketplaceId>{DE}</marketplaceId>"),
        contact_xml(period_xml()).replace(
            "<sellerPerformanceReport>", f'<sellerPerformanceReport marketplaceID="{DE}">'
        ),
        contact_xml(period_xml(), marketplace=f"<marketplaceId> {DE} </marketplaceId>").replace(
            "<sellerPerformanceReports>", '<sellerPerformanceReports xmlns="https://amazon.example/2010">'
        ),
    ],
)
def test_a_report_may_name_its_marketplace(report: str) -> None:
    assert [response.marketplace for response in parse_contact_response(report)] == [DE]


def test_the_share_may_be_given_instead_of_the_count() -> None:
    [response] = parse_contact_response(contact_xml(period_xml(under="97.5 %", over="", none="")))
    assert (response.under_24h, response.share_under_24h, response.over_24h) == (None, Decimal("0.975"), None)


def test_counts_may_be_inside_of_elements() -> None:
    [response] = parse_contact_response(contact_xml(period_xml(over="<rate>5 %</rate><count>1</count>")))
    assert response.over_24h == 1


def test_odd_fields_are_named() -> None:
    [response] = parse_contact_response(contact_xml(period_xml("yesterday", average="fast")))
    assert (response.period_start, response.average_hours) == (None, None)
    assert sorted(response.unreadable) == ["average_hours", "period_start"]


def test_a_report_without_contacts_has_no_response_times() -> None:
    assert parse_contact_response(contact_xml()) == []
    assert parse_contact_response("<sellerPerformanceReport/>") == []


@pytest.mark.parametrize("bad", ["", "no xml", "<html><body>Sorry</body></html>", "<sellerPerformanceReports>", "{}"])
def test_what_is_no_performance_report_is_refused(bad: str) -> None:
    with pytest.raises(BadDocument):
        parse_contact_response(bad)


def test_entities_are_not_resolved(tmp_path: Any) -> None:
    secret = tmp_path / "secret"
    secret.write_text("7")
    entities = f'<!DOCTYPE r [<!ENTITY a "7"><!ENTITY b SYSTEM "{secret.as_uri()}">]>'
    xml = entities + contact_xml(period_xml(under="&a;", over="&b;")).split("?>", 1)[1]
    [response] = parse_contact_response(xml)
    assert (response.under_24h, response.over_24h) == (None, None)
