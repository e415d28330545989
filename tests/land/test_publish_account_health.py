"""Account health becomes a history that is only added to; the newest report is judged and compared with the past."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from health_reports import (
    DAY,
    DE,
    SETTINGS,
    US,
    amazons_example,
    contact_xml,
    document,
    land_contact,
    land_health,
    period_xml,
    rate,
    violations,
)
from landing import NOON, everything_in, let_pass, rows
from sqlalchemy import Connection, text

from amazon_support.warehouse import land, run_step

Day = Callable[..., None]


def publish(connection: Connection) -> int:
    let_pass(connection)
    return land.publish_account_health(connection, SETTINGS)


@pytest.fixture
def on_day(connection: Connection) -> Day:
    """Lands and publishes what Amazon says some days after noon of the tests."""

    def bring(number: int, status: str = "NORMAL", **metrics: Any) -> None:
        land_health(connection, document(DE, status, **metrics), at=NOON + number * DAY)
        publish(connection)

    return bring


def now(connection: Connection, columns: str, metric: str = "late_shipment_rate") -> list[tuple[Any, ...]]:
    return rows(
        connection, f"select {columns} from mart.account_health where metric = :metric order by 1", metric=metric
    )


def as_of(connection: Connection, days: float) -> dict[str, tuple[Any, ...]]:
    found = run_step(connection, "marts/account_health.sql", {"as_of": NOON + days * DAY}).mappings()
    return {row["metric"]: (row["value"], row["trend"], row["is_good"]) for row in found}


# ---------- facts


def test_amazons_own_example_becomes_facts(connection: Connection) -> None:
    example = amazons_example()
    batch_id = land_health(connection, example)
    assert publish(connection) == 1
    assert rows(
        connection,
        "select account, marketplace, period_days, measured_at, unit, value, numerator, denominator, target_value, "
        "target_condition, target_source, status, severity, detail, batch_id from core.account_metric "
        "where metric = 'late_shipment_rate'",
    ) == [
        (
            "main",
            "US",
            30,
            NOON,
            "share",
            Decimal("0.03203973037"),
            27896,
            870669,
            Decimal("0.04"),
            "LESS_THAN",
            "amazon",
            "GOOD",
            0,
            example["performanceMetrics"][0]["lateShipmentRate"],
            batch_id,
        )
    ]
    assert rows(connection, "select marketplace, status, is_good from core.account_status order by 1") == [
        ("CA", "NORMAL", True),
        ("MX", "SUSPENDED", False),
        ("US", "AT_RISK", False),
    ]
    assert rows(connection, "select count(*), count(distinct metric) from core.account_metric") == [(29, 23)]


def test_what_amazon_sent_is_kept_whole(connection: Connection) -> None:
    report = {**document(colour="red\0"), "notes": [1]}
    land_health(connection, report)
    [(kept,)] = rows(connection, "select document from raw.account_health_received")
    assert kept == {**document(colour="red"), "notes": [1]}


def test_contact_response_times_become_facts(connection: Connection) -> None:
    named = f"<marketplaceId>{DE}</marketplaceId>"
    land_contact(connection, contact_xml(period_xml(), marketplace=named))
    land_contact(connection, contact_xml(period_xml(average="7")))
    publish(connection)
    assert rows(
        connection,
        "select marketplace, region, measured_at - period_start, average_hours, under_24h, over_24h, none_after_24h, "
        "share_under_24h from core.contact_response order by 1",
    ) == [
        ("DE", "eu", timedelta(days=7, hours=12), Decimal("5.25"), 18, 1, 1, Decimal("0.9")),
        (None, "eu", timedelta(days=7, hours=12), 7, 18, 1, 1, Decimal("0.9")),
    ]
    assert rows(connection, "select count(*) from raw.account_health_received where xml like '<?xml%'") == [(2,)]


def test_the_same_metric_twice_in_a_report_counts_once(connection: Connection) -> None:
    land_health(connection, document(lateShipmentRate=rate(0.03), lateShipmentRateList=[rate(0.01)]))
    publish(connection)
    assert now(connection, "value") == [(Decimal("0.03"),)]


# ---------- again, late


def test_a_replay_adds_nothing(connection: Connection) -> None:
    report = document(lateShipmentRate=rate(0.02), orderDefectRate={"afn": rate(0), "mfn": rate(0)})
    for _ in range(2):
        land_health(connection, report)
        land_contact(connection, contact_xml(period_xml()))
        assert publish(connection) == 2
    assert rows(connection, "select count(*) from core.account_metric") == [(4,)]
    assert rows(connection, "select count(*) from core.contact_response") == [(1,)]
    assert publish(connection) == 0


def test_what_was_said_of_an_instant_first_stays(connection: Connection) -> None:
    for value in (0.02, 0.9):
        land_health(connection, document(lateShipmentRate=rate(value)))
        publish(connection)
    assert now(connection, "value, trend") == [(Decimal("0.02"), "new")]


def test_an_older_report_that_is_published_later_becomes_the_past(connection: Connection, on_day: Day) -> None:
    on_day(2, lateShipmentRate=rate(0.03))
    assert now(connection, "value, trend, previous_value") == [(Decimal("0.03"), "new", None)]
    on_day(1, lateShipmentRate=rate(0.01))
    assert now(connection, "value, trend, previous_value") == [(Decimal("0.03"), "worse", Decimal("0.01"))]


def test_accounts_and_marketplaces_are_apart(connection: Connection) -> None:
    land_health(connection, document(US, lateShipmentRate=rate(0.01)), at=NOON - DAY, account="other")
    land_health(connection, document(DE, lateShipmentRate=rate(0.02)), at=NOON - DAY)
    land_health(connection, document(US, lateShipmentRate=rate(0.03)))
    publish(connection)
    assert now(connection, "account, marketplace, value, trend") == [
        ("main", "DE", Decimal("0.02"), "new"),
        ("main", "US", Decimal("0.03"), "new"),
        ("other", "US", Decimal("0.01"), "new"),
    ]


def test_an_empty_history_has_no_health(connection: Connection) -> None:
    assert rows(connection, "select * from mart.account_health") == []


# ---------- judged


@pytest.mark.parametrize(
    ("given", "is_good", "severity"),
    [
        ({"status": "GOOD"}, True, 0),
        ({"status": "NONE"}, True, 0),  # by value and target
        ({"status": "NONE", "rate": 0.05}, False, 1),
        ({"status": None, "rate": 0.04}, False, 1),  # the target must be undercut
        ({"status": None}, True, 0),
        ({"status": "GOOD", "rate": 0.5}, True, 0),  # Amazon's word wins
        ({"status": "BAD"}, False, 2),
        ({"status": "at risk"}, False, 3),
        ({"status": "PURPLE"}, False, 1),
        ({"status": None, "rate": None}, None, None),
        ({"status": "NONE", "rate": 0, "orderCount": 0}, None, None),
    ],
    ids=str,
)
def test_amazons_status_wins_then_value_and_target(
    connection: Connection, on_day: Day, given: dict[str, Any], is_good: bool | None, severity: int | None
) -> None:
    on_day(0, lateShipmentRate=rate(given.pop("rate", 0.02), **given))
    assert now(connection, "is_good, severity") == [(is_good, severity)]


@pytest.mark.parametrize(
    ("spelling", "value", "target", "is_good"),
    [
        ("orderDefectRate", 0.0099, Decimal("0.01"), True),
        ("orderDefectRate", 0.011, Decimal("0.01"), False),
        ("lateShipmentRate", 0.041, Decimal("0.04"), False),
        ("preFulfillmentCancellationRate", 0.024, Decimal("0.025"), True),
        ("validTrackingRate", 0.96, Decimal("0.95"), True),
        ("validTrackingRate", 0.94, Decimal("0.95"), False),
        ("onTimeDeliveryRate", 0.5, None, None),
    ],
)
def test_settings_stand_in_where_amazon_names_no_target(
    connection: Connection, on_day: Day, spelling: str, value: float, target: Decimal | None, is_good: bool | None
) -> None:
    on_day(0, **{spelling: {"rate": value}})
    [(found, source, good)] = rows(
        connection, "select target_value, target_source, is_good from mart.account_health where value is not null"
    )
    assert (found, source, good) == (target, target and "settings", is_good)


def test_amazons_target_wins_over_the_settings(connection: Connection, on_day: Day) -> None:
    on_day(0, lateShipmentRate=rate(0.03, targetValue=0.02, status=None))
    assert now(connection, "target_value, target_source, is_good") == [(Decimal("0.02"), "amazon", False)]


@pytest.mark.parametrize(("count", "is_good"), [(0, True), (1, False)])
def test_violations_must_be_none(connection: Connection, on_day: Day, count: int, is_good: bool) -> None:
    on_day(0, listingPolicyViolations={"defectsCount": count})
    assert now(connection, "is_good", "listing_policy_violations") == [(is_good,)]


# ---------- trends


@pytest.mark.parametrize(
    ("spelling", "values", "trends"),
    [
        ("lateShipmentRate", (0.02, 0.03, 0.03, 0.01), ["new", "worse", "same", "better"]),
        ("orderDefectRate", (0.0, 0.002, 0.001), ["new", "worse", "better"]),
        ("validTrackingRate", (0.97, 0.98, 0.98, 0.96), ["new", "better", "same", "worse"]),
        ("unitOnTimeDeliveryRate", (0.9, 0.8), ["new", "worse"]),
    ],
)
def test_which_way_is_better_depends_on_the_metric(
    connection: Connection, on_day: Day, spelling: str, values: tuple[float, ...], trends: list[str]
) -> None:
    found = []
    for number, value in enumerate(values):
        on_day(number, **{spelling: {"rate": value, "status": "GOOD"}})
        [(trend, is_worse)] = rows(connection, "select trend, is_worse from mart.account_health where unit = 'share'")
        assert is_worse == (trend == "worse")
        found.append(trend)
    assert found == trends


def test_a_status_alone_has_a_trend(connection: Connection, on_day: Day) -> None:
    found = []
    for number, status in enumerate(["NORMAL", "AT_RISK", "DEACTIVATED", "DEACTIVATED", "AT_RISK", "NORMAL"]):
        on_day(number, status)
        found += now(connection, "trend, is_worse, is_good", "account_status")
    assert found == [
        ("new", False, True),
        ("worse", True, False),
        ("worse", True, False),
        ("same", False, False),
        ("better", False, False),
        ("better", False, True),
    ]


def test_a_better_value_with_a_worse_status_is_worse(connection: Connection, on_day: Day) -> None:
    """Amazon has tightened the target."""
    on_day(0, lateShipmentRate=rate(0.03))
    on_day(1, lateShipmentRate=rate(0.025, targetValue=0.02, status="BAD"))
    assert now(connection, "trend, is_worse, is_good") == [("better", True, False)]


def test_a_missed_day_is_bridged(connection: Connection, on_day: Day) -> None:
    on_day(0, lateShipmentRate=rate(0.03))
    on_day(1, listingPolicyViolations=violations(0))
    on_day(5, lateShipmentRate=rate(0.02))
    assert now(connection, "trend, previous_measured_at") == [("better", NOON)]


def test_a_warning_that_is_no_longer_there_is_over(connection: Connection, on_day: Day) -> None:
    on_day(0, warningStates=[{"warningType": "spamming", "status": "BAD"}])
    assert now(connection, "is_good, severity", "warning_spamming") == [(False, 2)]
    on_day(1, warningStates=[])
    assert now(connection, "is_good", "warning_spamming") == []
    on_day(2, warningStates=["spamming"])
    assert now(connection, "is_good, trend", "warning_spamming") == [(False, "better")]


def test_fulfilments_and_periods_have_trends_of_their_own(connection: Connection, on_day: Day) -> None:
    on_day(0, orderDefectRate={"afn": rate(0.001), "mfn": rate(0.002)})
    on_day(1, orderDefectRate={"afn": rate(0.002), "mfn": rate(0.001)})
    assert now(connection, "fulfilment, trend", "order_defect_rate") == [("AMAZON", "worse"), ("MERCHANT", "better")]


def test_any_past_instant_can_be_asked_for(connection: Connection, on_day: Day) -> None:
    for number, value in enumerate([0.02, 0.05, 0.03]):
        on_day(number, lateShipmentRate=rate(value, status=None))
    status = (None, "same", True)
    assert as_of(connection, -1) == {}
    assert as_of(connection, 0)["late_shipment_rate"] == (Decimal("0.02"), "new", True)
    assert as_of(connection, 1.9) == {"late_shipment_rate": (Decimal("0.05"), "worse", False), "account_status": status}
    assert list(as_of(connection, 1)) == ["late_shipment_rate", "account_status"]  # the worst first
    assert as_of(connection, 99)["late_shipment_rate"] == (Decimal("0.03"), "better", True)


# ---------- batches


def test_rows_in_quarantine_stay_out(connection: Connection) -> None:
    batch_id = land_health(connection, document(lateShipmentRate=rate(0.02), listingPolicyViolations=violations(0)))
    land_contact(connection, contact_xml(period_xml()))
    connection.execute(
        text(
            "insert into ops.quarantine (account, dataset, batch_id, row_key, rule) select account, 'account_health', "
            "batch_id, row_key, 'tested' from raw.account_health_reading where row_key like '%late%' "
            "or kind = 'contact_response'"
        )
    )
    publish(connection)
    assert rows(connection, "select metric from core.account_metric where batch_id = :id order by 1", id=batch_id) == [
        ("account_status",),
        ("listing_policy_violations",),
    ]
    assert rows(connection, "select count(*) from core.contact_response") == [(0,)]


def test_nothing_is_published_unchecked(connection: Connection) -> None:
    land_health(connection, document())
    assert land.publish_account_health(connection, SETTINGS) == 0
    assert "NORMAL" not in everything_in(connection, "core")
