"""Seller performance reports: Amazon's own example, and small ones that tests vary."""

import json
from datetime import datetime, timedelta
from typing import Any

from landing import NOON
from sqlalchemy import Connection, Engine

from amazon_support import settings
from amazon_support.quality import BatchVerdict, check
from amazon_support.sources.performance_report import parse_contact_response, parse_health
from amazon_support.warehouse import land
from amazon_support.window import Window

# Source: amzn/selling-partner-api-models, schemas/reports.
SCHEMA = settings.home() / "include/sandbox/spapi_models/accountHealthReport-2020-11-18.json"
SETTINGS = settings.load()
US, CA, MX, DE = (SETTINGS.by_country[country].marketplace_id for country in ("US", "CA", "MX", "DE"))
DAY = timedelta(days=1)
PERIOD = {"reportingDateFrom": "2026-02-08T00:00:00Z", "reportingDateTo": "2026-03-09T23:59:59Z"}


def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMA.read_text())
    return found


def amazons_example() -> dict[str, Any]:
    examples = {name: part["examples"] for name, part in schema()["properties"].items()}
    return {"accountStatuses": examples["accountStatuses"][0], "performanceMetrics": examples["performanceMetrics"]}


def rate(value: Any, **changes: Any) -> dict[str, Any]:
    """A rate as documents of real accounts have it; a change of None takes the field away."""
    built = {
        "reportingDateRange": PERIOD,
        "status": "GOOD",
        "targetValue": 0.04,
        "targetCondition": "LESS_THAN",
        "rate": value,
    } | changes
    return {name: part for name, part in built.items() if part is not None}


def violations(count: Any, **changes: Any) -> dict[str, Any]:
    built = {
        "reportingDateRange": PERIOD,
        "status": "GOOD",
        "targetValue": 0,
        "targetCondition": "EQUALS",
        "defectsCount": count,
    } | changes
    return {name: part for name, part in built.items() if part is not None}


def document(marketplace: str = DE, status: str = "NORMAL", **metrics: Any) -> dict[str, Any]:
    return {
        "accountStatuses": [{"marketplaceId": marketplace, "status": status}],
        "performanceMetrics": [{"marketplaceId": marketplace, **metrics}],
    }


def contact_xml(*periods: str, marketplace: str = "") -> str:
    """An XML Customer Metrics Report with the periods; see `period_xml`."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><sellerPerformanceReports><sellerPerformanceReport>{marketplace}'
        "<performanceChecklist><orderDefectRate><status>Good</status></orderDefectRate></performanceChecklist>"
        f"<buyerSellerContactResponseTimeMetrics>{''.join(periods)}</buyerSellerContactResponseTimeMetrics>"
        "</sellerPerformanceReport></sellerPerformanceReports>"
    )


def period_xml(start: str = "2026-03-03T00:00:00Z", end: str = "2026-03-10T00:00:00Z", **counts: Any) -> str:
    given = {"average": "5.25", "under": 18, "over": 1, "none": 1} | counts
    return (
        f"<responseTimeMetrics><timeFrame><start>{start}</start><end>{end}</end></timeFrame>"
        f"<averageResponseTimeInHours>{given['average']}</averageResponseTimeInHours>"
        f"<responseUnder24Hours>{given['under']}</responseUnder24Hours>"
        f"<responseTimeGreaterThan24Hours>{given['over']}</responseTimeGreaterThan24Hours>"
        f"<noResponseForContactsOlderThan24Hours>{given['none']}</noResponseForContactsOlderThan24Hours>"
        "</responseTimeMetrics>"
    )


def day(end: datetime) -> Window:
    return Window(end - DAY, end, live=True)


def land_health(connection: Connection, report: Any, *, at: datetime = NOON, account: str = "main") -> int:
    return land.land_account_health(
        connection, account=account, region="eu", window=day(at), parsed=parse_health(report), document=report
    )


def land_contact(connection: Connection, xml: str, *, at: datetime = NOON) -> int:
    return land.land_contact_response(
        connection, account="main", region="eu", window=day(at), responses=parse_contact_response(xml), xml=xml
    )


def checked(warehouse: Engine) -> list[BatchVerdict]:
    return check(warehouse, "account_health", SETTINGS, as_of=NOON)
