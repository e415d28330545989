"""Seller performance reports: GET_V2_SELLER_PERFORMANCE_REPORT (JSON) and GET_V1_SELLER_PERFORMANCE_REPORT (XML).

Both tell how things stand when they are made, whatever window is asked for, as Amazon's do. Figures come from the
orders; what orders do not tell (claims, feedback, how fast buyers were answered) is drawn from their ids, so that the
same orders give the same figures. Policy violations pile up with the orders, so that a trend shows.

Sources: schema accountHealthReport-2020-11-18; how real documents differ from it: public readers of the report.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, Literal
from zlib import crc32

from sandbox.amazon_call import parse_time

Order = dict[str, Any]
Spelling = Literal["schema", "wild"]

# Days that each metric looks back, and how many of the last days it leaves out. Source: the schema's examples.
WINDOWS = {
    "orderDefectRate": (60, 15),
    "lateShipmentRate": (30, 0),
    "preFulfillmentCancellationRate": (7, 1),
    "validTrackingRate": (30, 9),
    "onTimeDeliveryRate": (30, 9),
    "invoiceDefectRate": (7, 22),
    "violations": (180, 0),
}
CONTACT_WINDOWS = (7, 30, 90)  # days
VIOLATIONS = (
    "listingPolicyViolations",
    "productAuthenticityCustomerComplaints",
    "productConditionCustomerComplaints",
    "productSafetyCustomerComplaints",
    "receivedIntellectualPropertyComplaints",
    "restrictedProductPolicyViolations",
    "suspectedIntellectualPropertyViolations",
    "foodAndProductSafetyIssues",
    "otherPolicyViolations",
    "documentRequests",
)
ORDERS_A_VIOLATION = {"listingPolicyViolations": 40, "productConditionCustomerComplaints": 150}


def performance_report(
    orders: Iterable[Order], marketplaces: Sequence[str], now: datetime, spelling: Spelling = "schema"
) -> bytes:
    """The JSON document.

    Args:
        orders: of the account and region, in the JSON shape of Orders API 2026-01-01, oldest first.
        marketplaces: Amazon's ids of those asked for.
        spelling: "schema", or "wild": with the names and statuses that the schema does not know.
    """
    placed = _placed(orders, now)
    metrics = [_metrics(marketplace, placed.get(marketplace, []), now) for marketplace in marketplaces]
    statuses = [
        {"marketplaceId": each["marketplaceId"], "status": "AT_RISK" if _is_bad(each["orderDefectRate"]) else "NORMAL"}
        for each in metrics
    ]
    document = {"accountStatuses": statuses, "performanceMetrics": metrics}
    return json.dumps(_wild(document) if spelling == "wild" else document).encode()


def customer_metrics_report(orders: Iterable[Order], marketplaces: Sequence[str], now: datetime) -> bytes:
    """The XML document, with as much of it as tells of contact response times.

    That each marketplace has an element of its own, which names it, is an assumption.
    """
    placed = _placed(orders, now)
    reports = [_contact_xml(marketplace, placed.get(marketplace, []), now) for marketplace in marketplaces]
    body = "".join(reports)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<sellerPerformanceReports>{body}</sellerPerformanceReports>'.encode()
    )


# ---------- orders


def _placed(orders: Iterable[Order], now: datetime) -> dict[str, list[Order]]:
    """Orders placed until now by marketplace id."""
    found: dict[str, list[Order]] = {}
    for order in takewhile(lambda order: parse_time(order["createdTime"]) <= now, orders):
        found.setdefault(order["salesChannel"].get("marketplaceId", ""), []).append(order)
    return found


def _within(orders: list[Order], start: datetime, end: datetime) -> list[Order]:
    return [order for order in orders if start <= parse_time(order["createdTime"]) <= end]


def _fulfilled(orders: list[Order], by: str) -> list[Order]:
    return [order for order in orders if order.get("fulfillment", {}).get("fulfilledBy") == by]


def _happened(order: Order, what: str, one_in: int) -> bool:
    return crc32(f"{order['orderId']} {what}".encode()) % one_in == 0


def _shipments(orders: list[Order], now: datetime) -> list[Order]:
    """Those sent until now."""
    return [order for order in orders if (sent := _sent(order)) and sent <= now]


def _sent(order: Order) -> datetime | None:
    times = [parse_time(package["shipTime"]) for package in order.get("packages", ()) if "shipTime" in package]
    return min(times, default=None)


def _shipped_late(order: Order) -> bool:
    sent, ship_by = _sent(order), order["fulfillment"].get("shipByWindow", {}).get("latestDateTime")
    return bool(sent and ship_by and sent > parse_time(ship_by))


# ---------- JSON


def _metrics(marketplace: str, orders: list[Order], now: datetime) -> dict[str, Any]:
    own = _fulfilled(orders, "MERCHANT")
    metrics: dict[str, Any] = {
        "marketplaceId": marketplace,
        "orderDefectRate": {
            "afn": _order_defects(_fulfilled(orders, "AMAZON"), "afn", now),
            "mfn": _order_defects(own, "mfn", now),
        },
        "lateShipmentRate": _late_shipments(own, now),
        "preFulfillmentCancellationRate": _cancellations(own, now),
        "validTrackingRate": _valid_tracking(own, now),
        "onTimeDeliveryRate": _on_time(own, now, "onTimeDeliveryRate"),
        "unitOnTimeDeliveryRate": _on_time(own, now, "unitOnTimeDeliveryRate"),
        "invoiceDefectRate": _invoices(orders, now),
    }
    violations = {name: _violations(name, orders, now) for name in VIOLATIONS}
    rates = [rate for rate in metrics.values() if isinstance(rate, dict)]
    warned = any(map(_is_bad, [*rates, *violations.values()]))
    late = _is_bad(metrics["lateShipmentRate"])
    return {
        **metrics,
        **violations,
        "warningStates": [{"warningType": "lateShipment", "status": "BAD"}] if late else [],
        "accountHealthRating": {
            "ahrStatus": "WARNED" if warned else "GREAT",
            "reportingDateRange": _range(*_window("violations", now)),
        },
    }


def _order_defects(orders: list[Order], fulfilment: str, now: datetime) -> dict[str, Any]:
    window = _window("orderDefectRate", now)
    found = _within(orders, *window)
    kinds = {"claims": 120, "chargebacks": 500, "negativeFeedback": 90}
    counts = {kind: sum(_happened(order, kind, one_in) for order in found) for kind, one_in in kinds.items()}
    with_defects = sum(any(_happened(order, kind, one_in) for kind, one_in in kinds.items()) for order in found)
    metric = _rate(window, with_defects, len(found), 0.01, "LESS_THAN")
    return {
        **metric,
        "fulfillmentType": fulfilment,
        "orderCount": len(found),
        "orderWithDefects": {"count": with_defects, "status": metric["status"]},
        **{kind: {"count": count, "status": "NONE"} for kind, count in counts.items()},
    }


def _late_shipments(orders: list[Order], now: datetime) -> dict[str, Any]:
    window = _window("lateShipmentRate", now)
    shipped = _shipments(_within(orders, *window), now)
    late = sum(map(_shipped_late, shipped))
    metric = _rate(window, late, len(shipped), 0.04, "LESS_THAN")
    return {**metric, "orderCount": len(shipped), "lateShipmentCount": late}


def _cancellations(orders: list[Order], now: datetime) -> dict[str, Any]:
    window = _window("preFulfillmentCancellationRate", now)
    found = _within(orders, *window)
    cancelled = sum(order["fulfillment"]["fulfillmentStatus"] == "CANCELLED" for order in found)
    metric = _rate(window, cancelled, len(found), 0.025, "LESS_THAN")
    return {**metric, "orderCount": len(found), "cancellationCount": cancelled}


def _valid_tracking(orders: list[Order], now: datetime) -> dict[str, Any]:
    window = _window("validTrackingRate", now)
    shipments = _shipments(_within(orders, *window), now)
    valid = sum(not _happened(order, "no scan", 40) for order in shipments)
    metric = _rate(window, valid, len(shipments), 0.95, "GREATER_THAN")
    return {**metric, "shipmentCount": len(shipments), "validTrackingCount": valid}


def _on_time(orders: list[Order], now: datetime, name: str) -> dict[str, Any]:
    window = _window("onTimeDeliveryRate", now)
    shipments = _shipments(_within(orders, *window), now)
    on_time = sum(not _happened(order, "delivered late", 15) for order in shipments)
    metric = _rate(window, on_time, len(shipments), 0.9, "GREATER_THAN")
    if name == "unitOnTimeDeliveryRate":
        return {**metric, "totalUnitCount": len(shipments), "unitOnTimeDeliveryCount": on_time}
    return {**metric, "shipmentCountWithValidTracking": len(shipments), "onTimeDeliveryCount": on_time}


def _invoices(orders: list[Order], now: datetime) -> dict[str, Any]:
    window = _window("invoiceDefectRate", now)
    business = [order for order in _within(orders, *window) if "AMAZON_BUSINESS" in order.get("programs", ())]
    missing = sum(_happened(order, "no invoice", 30) for order in business)
    metric = _rate(window, missing, len(business), 0.05, "LESS_THAN")
    return {
        **metric,
        "orderCount": len(business),
        "invoiceDefect": {"count": missing, "status": metric["status"]},
        "missingInvoice": {"count": missing, "status": "NONE"},
        "lateInvoice": {"count": 0, "status": "NONE"},
    }


def _violations(name: str, orders: list[Order], now: datetime) -> dict[str, Any]:
    window = _window("violations", now)
    per_violation = ORDERS_A_VIOLATION.get(name)
    count = len(_within(orders, *window)) // per_violation if per_violation else 0
    return {
        "reportingDateRange": _range(*window),
        "defectsCount": count,
        "status": "BAD" if count else "GOOD",
        "targetValue": 0,
        "targetCondition": "EQUALS",
    }


def _rate(window: tuple[datetime, datetime], part: int, whole: int, target: float, condition: str) -> dict[str, Any]:
    rate = part / whole if whole else 0
    met = rate < target if condition == "LESS_THAN" else rate > target
    return {
        "reportingDateRange": _range(*window),
        "status": "GOOD" if met or not whole else "BAD",  # as Amazon says of a rate with nothing behind it
        "rate": rate,
        "targetValue": target,
        "targetCondition": condition,
    }


def _is_bad(metric: dict[str, Any]) -> bool:
    return any(part.get("status") == "BAD" for part in (metric, metric.get("afn", {}), metric.get("mfn", {})))


def _window(metric: str, now: datetime) -> tuple[datetime, datetime]:
    """Whole days in UTC, today not among them."""
    days, left_out = WINDOWS[metric]
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=left_out)
    return midnight - timedelta(days=days), midnight - timedelta(minutes=1)


def _range(start: datetime, end: datetime) -> dict[str, str]:
    return {"reportingDateFrom": f"{start:%Y-%m-%dT%H:%MZ}", "reportingDateTo": f"{end:%Y-%m-%dT%H:%MZ}"}


# ---------- as documents of real accounts differ from the schema


def _wild(document: dict[str, Any]) -> dict[str, Any]:
    metrics = [_wild_metrics(metrics) for metrics in document["performanceMetrics"]]
    return {**document, "performanceMetrics": metrics}


def _wild_metrics(metrics: dict[str, Any]) -> dict[str, Any]:
    wild = {name: value for name, value in metrics.items() if name != "unitOnTimeDeliveryRate"}  # US only
    late = metrics["lateShipmentRate"]
    wild["lateShipmentRateList"] = [late]
    wild["documentRequest"] = wild.pop("documentRequests")
    wild["customerProductReviewsPolicyViolations"] = metrics["otherPolicyViolations"]
    wild["policyViolationWarnings"] = {
        "warningsCount": 0,
        "reportingDateRange": metrics["otherPolicyViolations"]["reportingDateRange"],
    }
    rating = metrics["accountHealthRating"]
    wild["accountHealthRating"] = {**rating, "ahrScore": 250 if rating["ahrStatus"] == "WARNED" else 1000}
    wild["validTrackingRate"] = {
        **metrics["validTrackingRate"],
        "status": metrics["validTrackingRate"]["status"].replace("BAD", "AT RISK"),
    }
    return wild


# ---------- XML


def _contact_xml(marketplace: str, orders: list[Order], now: datetime) -> str:
    periods = "".join(_response_times(orders, now, days) for days in CONTACT_WINDOWS)
    return (
        f"<sellerPerformanceReport><marketplaceId>{marketplace}</marketplaceId>"
        "<performanceChecklist><contactResponseTime><status>Good</status></contactResponseTime></performanceChecklist>"
        f"<buyerSellerContactResponseTimeMetrics>{periods}</buyerSellerContactResponseTimeMetrics>"
        "</sellerPerformanceReport>"
    )


def _response_times(orders: list[Order], now: datetime, days: int) -> str:
    """One order in eight has a question; of 30 hours that an answer may take, the last five mean: never."""
    start, end = now - timedelta(days=days), now
    hours = [
        crc32(order["orderId"].encode()) % 30 for order in _within(orders, start, end) if _happened(order, "asks", 8)
    ]
    answered = [each for each in hours if each < 25]
    average = sum(answered) / len(answered) if answered else 0
    return (
        f"<responseTimeMetrics><timeFrame><start>{start:%Y-%m-%dT%H:%M:%SZ}</start>"
        f"<end>{end:%Y-%m-%dT%H:%M:%SZ}</end></timeFrame>"
        f"<averageResponseTimeInHours>{average:.1f}</averageResponseTimeInHours>"
        f"<responseUnder24Hours>{sum(each < 24 for each in answered)}</responseUnder24Hours>"
        f"<responseTimeGreaterThan24Hours>{sum(each >= 24 for each in answered)}</responseTimeGreaterThan24Hours>"
        f"<noResponseForContactsOlderThan24Hours>{len(hours) - len(answered)}</noResponseForContactsOlderThan24Hours>"
        "</responseTimeMetrics>"
    )
