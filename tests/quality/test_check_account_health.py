"""Account health is checked where it landed: what cannot be is set aside, what is odd is kept and told."""

from typing import Any

import pytest
from health_reports import (
    DE,
    SETTINGS,
    US,
    amazons_example,
    checked,
    contact_xml,
    document,
    land_contact,
    land_health,
    period_xml,
    rate,
    violations,
)
from landing import rows
from sqlalchemy import Engine

from amazon_support.quality import BatchVerdict, suites
from amazon_support.settings.account_health import health_rules
from amazon_support.warehouse import land


def verdict(warehouse: Engine, report: Any) -> BatchVerdict:
    """Of a metric report, or of contact response times in XML."""
    with warehouse.begin() as connection:
        land_contact(connection, report) if isinstance(report, str) else land_health(connection, report)
    [found] = checked(warehouse)
    return found


def set_aside(warehouse: Engine) -> list[tuple[Any, ...]]:
    with warehouse.begin() as connection:
        return rows(connection, "select row_key, rule from ops.quarantine order by 1")


def test_amazons_own_example_passes(warehouse: Engine) -> None:
    found = verdict(warehouse, amazons_example())
    assert (found.rows, found.broken_rules, found.rejected_because) == (29, {}, None)


def test_contact_response_times_pass_named_or_not(warehouse: Engine) -> None:
    named = f"<marketplaceId>{DE}</marketplaceId>"
    for xml in (contact_xml(period_xml(), marketplace=named), contact_xml(period_xml(), period_xml(start=""))):
        found = verdict(warehouse, xml)
        assert (found.broken_rules, found.rejected_because) == ({}, None)


@pytest.mark.parametrize(
    ("report", "key", "rule"),
    [
        (document("A000"), "A000/account_status/-/-", "marketplace_known"),
        (document(""), "-/account_status/-/-", "marketplace_known"),
        (document(lateShipmentRate=rate(98.5, targetValue=None)), f"{DE}/late_shipment_rate/-/30", "share_valid"),
        (document(lateShipmentRate=rate(-0.1)), f"{DE}/late_shipment_rate/-/30", "share_valid"),
        (
            document(listingPolicyViolations=violations(-1)),
            f"{DE}/listing_policy_violations/-/30",
            "count_valid",
        ),
        (
            contact_xml(period_xml(over=-1)),
            "-/contact_response/2026-03-03T00:00:00+00:00/2026-03-10T00:00:00+00:00",
            "count_valid",
        ),
        (
            contact_xml(period_xml(under="140 %")),
            "-/contact_response/2026-03-03T00:00:00+00:00/2026-03-10T00:00:00+00:00",
            "share_valid",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_is_set_aside(warehouse: Engine, report: Any, key: str, rule: str) -> None:
    verdict(warehouse, report)
    assert (key, rule) in set_aside(warehouse)


def test_one_bad_metric_does_not_hold_up_the_others(warehouse: Engine) -> None:
    report = document(lateShipmentRate=rate(7, targetValue=None), validTrackingRate=rate(0.98))
    found = verdict(warehouse, report)
    assert (found.rows, found.quarantined, found.rejected_because) == (3, 1, None)
    with warehouse.begin() as connection:
        land.publish_account_health(connection, SETTINGS)
        assert rows(connection, "select metric from mart.account_health order by 1") == [
            ("account_status",),
            ("valid_tracking_rate",),
        ]


@pytest.mark.parametrize(
    ("report", "broken"),
    [
        (document(lateShipmentRate=rate(0.02, status="PURPLE")), {"status_known": 1}),
        (document(DE, "ON_HOLIDAY"), {"status_known": 1}),
        (document(lateShipmentRate=rate("low")), {"other_fields_readable": 1}),
        (
            document(lateShipmentRate=rate(0.02, reportingDateRange={"reportingDateFrom": "x"})),
            {"period_readable": 1},
        ),
        (contact_xml(period_xml("x")), {"period_readable": 1}),
        (contact_xml(period_xml(average="x")), {"other_fields_readable": 1}),
        (document(lateShipmentRate=rate(0.02, reportingDateRange=None)), {}),
        (document(greenClaims=violations(2)), {}),
    ],
    ids=str,
)
def test_what_is_odd_warns_and_is_published(warehouse: Engine, report: Any, broken: dict[str, int]) -> None:
    found = verdict(warehouse, report)
    assert (found.broken_rules, found.quarantined, found.rejected_because) == (broken, 0, None)
    with warehouse.begin() as connection:
        assert land.publish_account_health(connection, SETTINGS) == 1


def test_a_report_of_which_nothing_is_understood_waits_for_a_person(warehouse: Engine) -> None:
    assert (
        verdict(warehouse, {"healthOfAccounts": []}).rejected_because
        == "batch_has_rows (landed rows at least 1 expected)"
    )
    with warehouse.begin() as connection:
        assert rows(connection, "select document from raw.account_health_received") == [({"healthOfAccounts": []},)]


def test_every_rule_leaves_a_result(warehouse: Engine) -> None:
    verdict(warehouse, document(US, lateShipmentRate=rate(0.02)))
    with warehouse.begin() as connection:
        found = {rule for (rule,) in rows(connection, "select rule from ops.check_result where passed")}
    expected = suites.account_health(list(SETTINGS.by_id), health_rules().statuses.known) + suites.batches()
    assert found == {expectation.meta["rule"] for expectation in expected}
