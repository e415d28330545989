"""Landed rows are checked where they are: bad ones are set aside by name, the rest goes on."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import pytest
from landing import (
    NOON,
    ORDER,
    everything_in,
    iso,
    item,
    land_some_mail,
    land_some_orders,
    mail,
    named,
    order,
    order_id,
    rows,
)
from sqlalchemy import Engine, make_url, text

from amazon_support import settings
from amazon_support.mail import explain
from amazon_support.mail.facts import Kind
from amazon_support.quality import BatchVerdict, QualityError, check, suites
from amazon_support.warehouse import engine, land

SETTINGS = settings.load()


def checked(warehouse: Engine, dataset: str = "orders") -> list[BatchVerdict]:
    return check(warehouse, dataset, SETTINGS, as_of=NOON)


def set_aside(warehouse: Engine) -> list[tuple[Any, ...]]:
    with warehouse.begin() as connection:
        return rows(connection, "select row_key, rule from ops.quarantine order by 1, 2")


def landed(warehouse: Engine, land_some: Callable[..., int], *things: Any, **more: Any) -> int:
    with warehouse.begin() as connection:
        return land_some(connection, *things, **more)


def published(warehouse: Engine, dataset: str = "orders") -> int:
    step = {"orders": land.publish_orders, "mail": land.publish_mail}[dataset]
    with warehouse.begin() as connection:
        return step(connection, SETTINGS)


# ---------- rules


@pytest.fixture(scope="module")
def bad_orders() -> dict[str, tuple[dict[str, Any], str]]:
    """By row key: an order with one thing wrong, and the rule that it breaks."""
    a_day_and_more = iso(NOON + timedelta(hours=25))
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"createdTime": "yesterday"}, "created_time_readable"),
        ({"createdTime": "2026-03-10T11:00:00"}, "created_time_readable"),
        ({"createdTime": None}, "created_time_readable"),
        ({"lastUpdatedTime": "2026-02-30T11:00:00Z"}, "updated_time_readable"),
        ({"lastUpdatedTime": 5}, "updated_time_readable"),
        ({"lastUpdatedTime": iso(NOON - timedelta(days=3))}, "created_before_updated"),
        ({"lastUpdatedTime": a_day_and_more}, "not_in_the_future"),
        ({"salesChannel": {"marketplaceId": "A000"}}, "marketplace_known"),
        ({"salesChannel": "web"}, "marketplace_known"),
        ({"salesChannel": None}, "marketplace_known"),
        ({"orderItems": []}, "has_items"),
        ({"orderItems": None}, "has_items"),
        ({"orderItems": {"orderItemId": "1"}}, "has_items"),
        ({"orderItems": [item(None)]}, "items_have_their_own_id"),
        ({"orderItems": [item("1"), item("1")]}, "items_have_their_own_id"),
        ({"orderItems": [item("1", -1)]}, "quantities_valid"),
        ({"orderItems": [item("1", "two")]}, "quantities_valid"),
        ({"orderItems": [item("1", 1.5)]}, "quantities_valid"),
        ({"orderItems": [item("1", fulfillment={"quantityFulfilled": -1})]}, "quantities_valid"),
        ({"orderItems": [item("1", proceeds={"proceedsTotal": {"amount": "1,50"}})]}, "amounts_numeric"),
        ({"proceeds": {"grandTotal": {"amount": "free"}}}, "amounts_numeric"),
        ({"proceeds": {"grandTotal": {"amount": "NaN"}}}, "amounts_numeric"),
        ({"proceeds": {"grandTotal": {"amount": "1e400"}}}, "amounts_numeric"),
    ]
    bad = {order_id(n): (order(order_id(n), **wrong), rule) for n, (wrong, rule) in enumerate(wrongs, start=1)}
    bad["?1"] = (order(None), "order_id_shape")
    bad["302-1"] = (order("302-1"), "order_id_shape")
    return bad


def test_each_bad_order_is_set_aside_by_its_rule_and_the_good_ones_are_published(
    warehouse: Engine, bad_orders: dict[str, tuple[dict[str, Any], str]]
) -> None:
    good = [order(order_id(number)) for number in range(1000, 1100)]
    landed(warehouse, land_some_orders, *good, *(bad for bad, _ in bad_orders.values()))
    [verdict] = checked(warehouse)
    assert set_aside(warehouse) == sorted((key, rule) for key, (_, rule) in bad_orders.items())
    assert (verdict.rows, verdict.quarantined, verdict.rejected_because) == (125, 25, None)
    assert published(warehouse) == 1
    with warehouse.begin() as connection:
        assert rows(connection, "select count(*), count(*) filter (where order_id < :bad) from core.amazon_order",
                    bad=order_id(1000)) == [(100, 0)]  # fmt: skip


@pytest.mark.parametrize(
    "fine",
    [
        {"createdTime": iso(NOON), "lastUpdatedTime": iso(NOON)},
        {"lastUpdatedTime": iso(NOON + timedelta(hours=24))},
        {"lastUpdatedTime": "2026-03-10T12:00:00.123+01:00"},
        {"orderId": "D01-1234567-1234567"},
        {"proceeds": None, "fulfillment": None, "buyer": None, "recipient": None},
        {"orderItems": [item("1", 0, proceeds=None)]},
        {"proceeds": {"grandTotal": {"amount": "-3"}}},
    ],
    ids=str,
)
def test_unusual_orders_pass(warehouse: Engine, fine: dict[str, Any]) -> None:
    landed(warehouse, land_some_orders, order(**fine))
    [verdict] = checked(warehouse)
    assert (verdict.quarantined, verdict.rejected_because) == (0, None)
    assert published(warehouse) == 1
    with warehouse.begin() as connection:
        assert rows(connection, "select count(*) from core.amazon_order") == [(1,)]


def test_what_only_warns_is_recorded_and_published(warehouse: Engine) -> None:
    strange = {
        "fulfillment": {"fulfillmentStatus": "LOST", "shipByWindow": {"latestDateTime": "soon"}},
        "packages": [{"shipTime": "then"}, {"shipTime": "2026-03-09T10:00:00Z"}],
    }
    batch_id = landed(warehouse, land_some_orders, order(**strange), order(order_id(2)))
    [verdict] = checked(warehouse)
    assert verdict.broken_rules == {"status_known": 1, "other_times_readable": 1}
    published(warehouse)
    with warehouse.begin() as connection:
        assert rows(
            connection,
            "select rule, severity, row_count, failed_count from ops.check_result where batch_id = :id and not passed "
            "order by 1",
            id=batch_id,
        ) == [("other_times_readable", "warn", 2, 1), ("status_known", "warn", 2, 1)]
        assert rows(
            connection,
            "select status, ship_by_at, shipped_at = '2026-03-09T10:00:00Z' from core.amazon_order "
            "where order_id = :id",
            id=ORDER,
        ) == [("LOST", None, True)]


def test_every_rule_leaves_a_result(warehouse: Engine) -> None:
    landed(warehouse, land_some_orders, order())
    checked(warehouse)
    with warehouse.begin() as connection:
        found = {rule for (rule,) in rows(connection, "select rule from ops.check_result where passed")}
    expected = suites.orders(list(SETTINGS.by_id)) + suites.batches()
    assert found == {expectation.meta["rule"] for expectation in expected}


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"kind": "love_letter"}, "kind_known"),
        ({"kind": None}, "kind_known"),
        ({"direction": "sideways"}, "direction_valid"),
        ({"confidence": None}, "confidence_present"),
        ({"confidence": 1.5}, "confidence_valid"),
        ({"sent_at": None}, "sent_time_readable"),
        ({"sent_at": "Tue, 10 Mar"}, "sent_time_readable"),
        ({"sent_at": iso(NOON + timedelta(hours=25))}, "not_sent_after_received"),
    ],
    ids=str,
)
def test_a_bad_mail_is_set_aside_and_the_others_are_published(
    warehouse: Engine, wrong: dict[str, Any], rule: str
) -> None:
    landed(warehouse, land_some_mail, mail("bad", **wrong), mail("good", order_ids=[ORDER]))
    [verdict] = checked(warehouse, "mail")
    assert set_aside(warehouse) == [(named("bad"), rule)]
    assert (verdict.quarantined, verdict.rejected_because) == (1, None)
    assert published(warehouse, "mail") == 1
    with warehouse.begin() as connection:
        assert rows(connection, "select mail_id from core.mail") == [(named("good"),)]
        assert rows(connection, "select mail_id from pii.mail") == [(named("good"),)]


def test_a_mail_as_the_reader_explains_it_passes(warehouse: Engine) -> None:
    facts = explain(b"Message-ID: <1@mail.example>\r\nSubject: hello\r\n\r\nNo date, no sender.", received_at=NOON)
    row = land.MailRow(facts.mail_id, 1, NOON, "x.eml", facts.model_dump(mode="json"))
    landed(warehouse, land_some_mail, row)
    [verdict] = checked(warehouse, "mail")
    assert verdict.broken_rules == {}
    published(warehouse, "mail")
    with warehouse.begin() as connection:
        assert rows(connection, "select kind, sent_at from core.mail") == [("unknown", NOON)]


def test_a_mail_without_an_identity_is_set_aside(warehouse: Engine) -> None:
    row = land.MailRow("short", 1, NOON, "x.eml", mail("x").meaning)
    landed(warehouse, land_some_mail, row)
    checked(warehouse, "mail")
    assert set_aside(warehouse) == [("short", "mail_id_shape")]


def test_every_kind_that_the_reader_tells_is_known(warehouse: Engine) -> None:
    landed(warehouse, land_some_mail, *(mail(kind, kind) for kind in get_args(Kind)))
    [verdict] = checked(warehouse, "mail")
    assert verdict.broken_rules == {}


# ---------- whole batches


def test_all_rows_that_break_a_rule_are_named_however_many(warehouse: Engine) -> None:
    bad = [order(order_id(number), orderItems=[]) for number in range(300)]
    landed(warehouse, land_some_orders, *bad, *(order(order_id(number)) for number in range(300, 700)))
    [verdict] = checked(warehouse)
    assert verdict.quarantined == len(set_aside(warehouse)) == 300
    published(warehouse)
    with warehouse.begin() as connection:
        assert rows(connection, "select count(*), min(order_id) from core.amazon_order") == [(400, order_id(300))]


def test_a_mostly_bad_batch_waits_for_a_person_and_other_batches_go_on(warehouse: Engine) -> None:
    bad = [order(order_id(number), createdTime="?") for number in range(6)]
    rejected = landed(warehouse, land_some_orders, *bad, *(order(order_id(number)) for number in range(6, 11)))
    landed(warehouse, land_some_orders, order(order_id(77)), account="other")
    verdicts = checked(warehouse)
    assert [(v.batch_id, v.rejected_because) for v in verdicts if v.rejected_because] == [
        (rejected, "6 of 11 rows broke rejecting rules (created_time_readable 6)")
    ]
    assert published(warehouse) == 1
    with warehouse.begin() as connection:
        assert rows(connection, "select order_id from core.amazon_order") == [(order_id(77),)]
        assert rows(connection, "select published_at from ops.batch where batch_id = :id", id=rejected) == [(None,)]


def test_one_bad_row_does_not_hold_up_the_few_beside_it(warehouse: Engine) -> None:
    bad = [order(order_id(number), createdTime="?") for number in range(2)]
    landed(warehouse, land_some_orders, order(), *bad)
    [verdict] = checked(warehouse)
    assert (verdict.quarantined, verdict.rejected_because) == (2, None)


def test_an_empty_batch_and_one_that_lost_rows_are_rejected(warehouse: Engine) -> None:
    empty = landed(warehouse, land_some_orders)
    lost = landed(warehouse, land_some_orders, order())
    with warehouse.begin() as connection:
        connection.execute(text("update ops.batch set row_count = 2 where batch_id = :id"), {"id": lost})
    reasons = {verdict.batch_id: verdict.rejected_because for verdict in checked(warehouse)}
    assert {batch: reason.split(" ")[0] for batch, reason in reasons.items()} == {
        empty: "batch_has_rows",
        lost: "batch_is_complete",
    }


def test_much_unrecognised_mail_is_a_warning(warehouse: Engine) -> None:
    known = [mail(f"known {number}", "order_notice") for number in range(6)]
    unknown = [mail(f"unknown {number}", "unknown") for number in range(4)]
    landed(warehouse, land_some_mail, *known, *unknown)
    landed(warehouse, land_some_mail, *(known + unknown)[:9])
    much, little = checked(warehouse, "mail")
    assert (much.broken_rules, much.rejected_because) == ({"most_mail_recognised": 1}, None)
    assert little.broken_rules == {}


def test_the_same_key_in_two_batches_is_judged_in_each(warehouse: Engine) -> None:
    bad = landed(warehouse, land_some_orders, order(orderItems=[]))
    landed(warehouse, land_some_orders, order())
    landed(warehouse, land_some_orders, order(), account="other")
    assert {v.batch_id for v in checked(warehouse) if v.quarantined} == {bad}
    published(warehouse)
    with warehouse.begin() as connection:
        assert rows(connection, "select account from core.amazon_order order by 1") == [("main",), ("other",)]


# ---------- again, later, elsewhere


def test_checking_again_changes_nothing(warehouse: Engine) -> None:
    landed(warehouse, land_some_orders, order(), order(order_id(2), orderItems=[]))
    checked(warehouse)
    with warehouse.begin() as connection:
        before = everything_in(connection, "ops")
    assert checked(warehouse) == []
    with warehouse.begin() as connection:
        assert everything_in(connection, "ops") == before


def test_nothing_landed_is_nothing_to_check(warehouse: Engine) -> None:
    assert checked(warehouse) == checked(warehouse, "mail") == []


def test_a_run_that_ended_after_any_step_is_taken_up_by_the_next(warehouse: Engine) -> None:
    landed(warehouse, land_some_orders, order(order_id(1)))
    assert published(warehouse) == 0  # not checked yet
    landed(warehouse, land_some_orders, order(order_id(2)))
    assert len(checked(warehouse)) == 2
    landed(warehouse, land_some_orders, order(order_id(3)))
    assert published(warehouse) == 2
    checked(warehouse)
    assert published(warehouse) == 1
    with warehouse.begin() as connection:
        assert rows(connection, "select count(*) from core.amazon_order") == [(3,)]


def test_a_rule_that_cannot_be_evaluated_stops_the_check(warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    landed(warehouse, land_some_mail, mail("question"))
    monkeypatch.setattr(suites, "mail", lambda: [suites._present("mistyped", suites.WARN, "no_such_column")])
    with pytest.raises(QualityError, match="mistyped"):
        checked(warehouse, "mail")
    with warehouse.begin() as connection:
        assert rows(connection, "select checked_at from ops.batch") == [(None,)]


def test_no_connection_is_left_behind(warehouse: Engine) -> None:
    landed(warehouse, land_some_orders, order())
    checked(warehouse)
    others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    with warehouse.connect() as connection:
        assert rows(connection, others) == [(0,)]


def test_a_password_may_hold_any_character(warehouse_url: str) -> None:
    odd = make_url(warehouse_url).set(username="postgres", password="p$HOME@:/ %s")
    bound = engine(odd.render_as_string(hide_password=False))
    landed(bound, land_some_orders, order())
    assert [verdict.rejected_because for verdict in checked(bound)] == [None]
    bound.dispose()


def test_importing_the_library_does_not_import_great_expectations() -> None:
    code = "import sys, amazon_support.quality; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode == 0


def test_no_usage_data_leave_whoever_imports_great_expectations_first() -> None:
    code = (
        "from amazon_support.quality import suites; suites.mail(); "
        "import os, sys; sys.exit(os.environ['GX_ANALYTICS_ENABLED'] != 'false')"
    )
    environment = {name: value for name, value in os.environ.items() if name != "GX_ANALYTICS_ENABLED"}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0
