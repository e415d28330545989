"""How tickets, orders and answers stand as of an instant: whole ones raise nothing, each fault its rule."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from landing import NOON, ORDER, iso, land_some_mail, land_some_orders, mail, order, order_id, rows
from sqlalchemy import Connection, Engine
from ticket_histories import event, record

from amazon_support import settings, tickets
from amazon_support.outputs import worklist
from amazon_support.quality import DAILY, HOURLY, check, check_standing
from amazon_support.quality.standing import parameters
from amazon_support.tickets import compliance
from amazon_support.warehouse import land, run_step

SETTINGS = settings.load()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def broken(warehouse: Engine, dataset: str = "") -> dict[str, str | None]:
    """Broken rules as of NOON, with the causes they name."""
    checks = [each for each in (*HOURLY, *DAILY) if each.dataset == dataset or not dataset]
    results = check_standing(warehouse, checks, SETTINGS, as_of=NOON)
    return {f"{result.dataset} {result.rule}": result.cause for result in results if result.is_broken}


@pytest.fixture
def desk(warehouse: Engine) -> Engine:
    """An order, a question about it that waits, one of yesterday that was answered; worklists and compliance."""
    with warehouse.begin() as connection:
        land_some_orders(connection, order())
        land_some_mail(
            connection,
            mail("yesterday", at=NOON - 30 * HOUR, order_ids=[ORDER]),
            mail("answer", "reply_copy", at=NOON - 22 * HOUR, order_ids=[ORDER]),
            mail("today", at=NOON - HOUR, order_ids=[ORDER]),
        )
    for dataset in ("orders", "mail"):
        check(warehouse, dataset, SETTINGS, as_of=NOON)
        with warehouse.begin() as connection:
            land.PUBLISH[dataset](connection, SETTINGS)
    with warehouse.begin() as connection:
        tickets.fold(connection, SETTINGS.policy, tickets.Promises.of(SETTINGS))
        compliance.write_compliance(connection, SETTINGS, as_of=NOON)
        worklist.write_worklists(connection, SETTINGS, as_of=NOON, since=NOON - HOUR)
    return warehouse


def test_whole_answers_raise_nothing(desk: Engine) -> None:
    with desk.begin() as connection:
        counts = "select count(*) from mart.sla_clock union all select count(*) from mart.worklist_item"
        assert min(rows(connection, counts)) > (0,), "otherwise there is nothing to check"
        assert rows(connection, "select ended from mart.compliance_day where metric = 'amazon_reply'") == [(1,)]
    assert broken(desk) == {}


FAULTS = {
    "ticket_event not_in_the_future": "update core.ticket_event set occurred_at = '2126-01-01' where kind = 'reply'",
    "ticket_event event_has_a_ticket": "delete from mart.ticket",
    "ticket_event periods_follow_each_other": "update mart.ticket_status set until_at = until_at - interval '1 minute' "
    "where isfinite(until_at)",
    "links landed_order_is_known": "delete from core.amazon_order",
    "links order_has_items": "delete from core.amazon_order_item",
    "links not_more_shipped_than_ordered": "update core.amazon_order_item_progress set quantity_shipped = quantity + 1",
    "links order_of_ticket_is_known": "update core.ticket_event set order_id = '302-0000000-0000000'",
    "marts compliance_adds_up": "update mart.compliance set met = met + 1",
    "marts waiting_ticket_has_a_clock": "delete from mart.sla_clock where stopped_at is null",
    "marts worklist_item_has_a_ticket": "update mart.worklist_item set ticket_id = 'gone' where ticket_id is not null",
}


@pytest.mark.parametrize(("rule", "fault"), FAULTS.items(), ids=FAULTS)
def test_each_fault_is_caught_by_its_rule(desk: Engine, rule: str, fault: str) -> None:
    with desk.begin() as connection:
        assert connection.exec_driver_sql(fault).rowcount
    found = broken(desk, rule.split()[0])
    assert rule in found
    assert found[rule]
    with desk.begin() as connection:
        assert rule.split()[1] in str(rows(connection, "select sentence from mart.data_quality_trouble"))


def test_an_event_that_waits_for_the_fold_is_no_fault(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        record(connection, [event(NOON - HOUR, "buyer_message")])
    assert broken(warehouse) == {}


def test_what_came_after_the_instant_is_not_ahead_of_it(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        record(connection, [event(NOON + 20 * DAY, "buyer_message")])
        connection.exec_driver_sql("update core.ticket_event set landed_at = occurred_at + interval '1 minute'")
    assert broken(warehouse) == {}


# ---------- every history

KINDS = [
    "buyer_message", "reply", "notice", "assign", "hold", "solve", "no_response_needed", "unread", "delivery_failure",
    "note", "close",
]  # fmt: skip
GAPS = [timedelta(0), timedelta(minutes=5), 3 * HOUR, 25 * HOUR, 8 * DAY, 40 * DAY]
HISTORIES = st.lists(
    st.lists(st.tuples(st.sampled_from(GAPS), st.sampled_from(KINDS), st.booleans()), min_size=1, max_size=8),
    min_size=1,
    max_size=8,
)


@options(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories=HISTORIES, hours=st.integers(0, 90 * 24))
def test_no_history_raises_a_false_alarm(connection: Connection, histories: Any, hours: int) -> None:
    told = []
    for number, steps in enumerate(histories):
        at = NOON + number * HOUR
        for place, (gap, kind, is_automatic) in enumerate(steps):
            at += gap
            fields = {"source_id": f"{number} {place}", "source_order": place, "is_automatic": is_automatic}
            told.append(event(at, kind, key=f"T{number}", **fields))
    as_of = NOON + timedelta(hours=hours)
    with connection.begin_nested() as example:
        record(connection, told)
        tickets.fold(connection, SETTINGS.policy, tickets.Promises.of(SETTINGS))
        compliance.write_compliance(connection, SETTINGS, as_of=as_of)
        worklist.write_worklists(connection, SETTINGS, as_of=as_of, since=as_of - HOUR)
        for query in ("standing_ticket_event", "standing_marts"):
            for row in run_step(connection, f"quality/{query}.sql", parameters(SETTINGS, as_of)).mappings():
                numbers = {name: row[name] for name in row if f"{name}_because" in row}
                assert numbers
                assert not {name: number for name, number in numbers.items() if number}
        example.rollback()


# ---------- a day against the days before


def orders_of_day(connection: Connection, days_ago: int, count: int) -> None:
    placed = iso(NOON - days_ago * DAY - 2 * HOUR)
    changed = iso(NOON - HOUR / 2)
    land_some_orders(
        connection,
        *(order(order_id(days_ago * 10_000 + n), createdTime=placed, lastUpdatedTime=changed) for n in range(count)),
    )


def mails_of_day(connection: Connection, days_ago: int, count: int) -> None:
    at = NOON - days_ago * DAY - 2 * HOUR
    land_some_mail(connection, *(mail(f"{days_ago} {n}", "order_notice", at=at) for n in range(count)))


OF_A_DAY: dict[str, Callable[[Connection, int, int], None]] = {"orders": orders_of_day, "mail": mails_of_day}


@pytest.mark.parametrize("dataset", ["orders", "mail"])
@pytest.mark.parametrize(
    ("usual", "today", "is_caught"),
    [
        ([40, 40, 40], 0, True),
        ([40, 40, 40], 3, True),
        ([40, 40, 40], 5, False),
        ([40, 40, 40], 300, False),
        ([40, 40, 40], 450, True),
        ([40, 0, 40, 40, 400], 40, False),
        ([5, 5, 5], 0, False),  # a small shop
        ([5, 5, 5], 301, True),
        ([40, 40], 0, False),  # too young to judge
    ],
)
def test_the_volume_of_a_day_against_the_same_weekday(
    warehouse: Engine, dataset: str, usual: list[int], today: int, is_caught: bool
) -> None:
    with warehouse.begin() as connection:
        for week, count in enumerate(usual, 1):
            OF_A_DAY[dataset](connection, 7 * week, count)
        OF_A_DAY[dataset](connection, 1, 500)  # another weekday says nothing
        OF_A_DAY[dataset](connection, 0, today)
        connection.exec_driver_sql("update ops.batch set checked_at = landed_at")
        land.PUBLISH[dataset](connection, SETTINGS)
    assert (f"{dataset} volume_as_usual" in broken(warehouse, dataset)) == is_caught


@pytest.mark.parametrize(("unknown", "is_caught"), [(3, False), (4, True)])
def test_the_share_of_mail_that_nobody_recognised(warehouse: Engine, unknown: int, is_caught: bool) -> None:
    with warehouse.begin() as connection:
        kinds = ["unknown"] * unknown + ["order_notice"] * (10 - unknown)
        land_some_mail(connection, *(mail(str(n), kind, at=NOON - HOUR) for n, kind in enumerate(kinds)))
        connection.exec_driver_sql("update ops.batch set checked_at = landed_at")
        land.PUBLISH["mail"](connection, SETTINGS)
    cause = broken(warehouse, "mail").get("mail most_mail_recognised_of_a_day")
    assert cause == ("4 of 10 mails of a day" if is_caught else None)
