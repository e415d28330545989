"""Rows that were set aside can be looked at, tried again and given up; nothing is lost, nothing comes twice."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from desk_exports import SOLVED, as_csv, desk_settings, understanding
from feedback_rows import land_report, line
from health_reports import DE, document, rate
from landing import BUYER_KEY, NOON, ORDER, WINDOW, land_some_mail, land_some_orders, mail, named, order, order_id, rows
from report_lines import land_some_lines, report_line
from sqlalchemy import Connection, Engine, text

from amazon_support import settings
from amazon_support.quality import BatchVerdict, check, quarantine, suites
from amazon_support.quality.quarantine import Chosen, Retried
from amazon_support.settings import Settings
from amazon_support.settings.report_formats import report_formats
from amazon_support.sources.desk_files import parse
from amazon_support.sources.feedback_report import parse_feedback
from amazon_support.sources.performance_report import parse_health
from amazon_support.warehouse import land

SETTINGS = settings.load()
WITHOUT_GERMANY = SETTINGS.model_copy(update={"marketplaces": [m for m in SETTINGS.marketplaces if m.country != "DE"]})


def through(warehouse: Engine, dataset: str, given: Settings = SETTINGS) -> None:
    check(warehouse, dataset, given, as_of=NOON)
    with warehouse.begin() as connection:
        land.PUBLISH[dataset](connection, given)


def landed(warehouse: Engine, land_some: Callable[..., Any], *things: Any, **more: Any) -> Any:
    with warehouse.begin() as connection:
        return land_some(connection, *things, **more)


def retried(warehouse: Engine, given: Settings = SETTINGS, **chosen: Any) -> Retried:
    return quarantine.retry(warehouse, given, Chosen(**chosen), as_of=NOON, buyer_key=lambda: BUYER_KEY)


def verdicts(done: Retried) -> list[BatchVerdict]:
    assert done.troubles == []
    return done.verdicts


def waiting(warehouse: Engine, **chosen: Any) -> list[tuple[str, str | None, int]]:
    with warehouse.begin() as connection:
        return [(g.dataset, g.rule, g.rows) for g in quarantine.waiting(connection, Chosen(**chosen))]


def seen(warehouse: Engine, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with warehouse.begin() as connection:
        return rows(connection, query, **parameters)


def mend(warehouse: Engine, wrong: str, right: str) -> None:
    """As if the reader had learned to read it: what was received says it in a way that can be read."""
    with warehouse.begin() as connection:
        connection.execute(
            text("update pii.quarantined_row set content = replace(content, :wrong, :right)"),
            {"wrong": wrong, "right": right},
        )


# ---------- each dataset goes the same path again


def land_health(connection: Connection) -> int:
    report = document(DE, lateShipmentRate=rate(0.02))
    return land.land_account_health(
        connection, account="main", region="eu", window=WINDOW, parsed=parse_health(report), document=report
    )


@pytest.mark.parametrize(
    ("dataset", "land_some", "facts"),
    [
        ("orders", lambda c: land_some_orders(c, order()), "select order_id from core.amazon_order"),
        ("feedback", lambda c: land_report(c, line()), "select order_id from core.feedback"),
        (
            "account_health",
            land_health,
            "select marketplace from core.account_metric where metric = 'late_shipment_rate'",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_what_a_setting_lacked_comes_in_after_it_was_added(
    warehouse: Engine, dataset: str, land_some: Callable[[Connection], Any], facts: str
) -> None:
    landed(warehouse, land_some)
    check(warehouse, dataset, WITHOUT_GERMANY, as_of=NOON)
    through(warehouse, dataset)
    assert seen(warehouse, facts) == []
    assert {rule for _, rule, _ in waiting(warehouse)} == {"marketplace_known"}
    [verdict] = verdicts(retried(warehouse, dataset=dataset))
    assert (verdict.quarantined, verdict.rejected_because) == (0, None)
    assert len(seen(warehouse, facts)) == 1
    assert waiting(warehouse) == []


def test_orders_bring_their_buyers_again(warehouse: Engine) -> None:
    landed(warehouse, land_some_orders, order())
    check(warehouse, "orders", WITHOUT_GERMANY, as_of=NOON)
    through(warehouse, "orders")
    retried(warehouse, rule="marketplace_known")
    assert seen(warehouse, "select buyer_name from pii.order_contact") == [("Mia Muster",)]


def test_mail_comes_in_after_its_rule_was_mended(warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    landed(warehouse, land_some_mail, mail("odd", "buyer_message"), mail("fine"))
    with monkeypatch.context() as strict:
        strict.setattr(suites, "MAIL_ID", f"^{named('fine')}$")
        through(warehouse, "mail")
    assert waiting(warehouse) == [("mail", "mail_id_shape", 1)]
    retried(warehouse, dataset="mail")
    assert seen(warehouse, "select count(*), count(distinct source_id) from core.ticket_event") == [(2, 2)]
    assert waiting(warehouse) == []


def test_a_line_of_the_report_brings_the_whole_order(warehouse: Engine) -> None:
    landed(
        warehouse,
        land_some_lines,
        report_line(sku="POT"),
        report_line(sku="CUP", quantity="two"),
        report_line(order_id(2)),
    )
    through(warehouse, "order_report")
    assert waiting(warehouse) == [("order_report", "line_readable", 1)]
    mend(warehouse, "\ttwo\t", "\t2\t")
    [verdict] = verdicts(retried(warehouse, dataset="order_report"))
    assert (verdict.rows, verdict.broken_rules) == (2, {})
    items = "select order_id, sku, quantity from core.amazon_order_item order by 1, 2"
    assert seen(warehouse, items) == [(order_id(2), "TEAPOT", 1), (ORDER, "CUP", 2), (ORDER, "POT", 1)]
    totals = "select total_amount from core.amazon_order order by order_id"
    assert [float(total) for (total,) in seen(warehouse, totals)] == [24.9, 49.8]


def test_a_checked_line_of_the_report_brings_its_order_too(warehouse: Engine) -> None:
    landed(warehouse, land_some_lines, report_line(sku="POT"), report_line(sku="CUP", quantity="-1"))
    through(warehouse, "order_report")
    with warehouse.begin() as connection:
        connection.execute(text("update raw.order_report_row set quantity = abs(quantity)"))
    retried(warehouse, rule="quantities_valid")
    assert seen(warehouse, "select sku from core.amazon_order_item order by 1") == [("CUP",), ("POT",)]


def test_a_line_of_a_feedback_report_is_read_again_and_proves_nothing_removed(warehouse: Engine) -> None:
    report = "Date\tRating\tComments\tYour Response\tOrder ID\tRater Email\n"
    report += f"01.03.2026\t1\tLate\t\t{ORDER}\ta@b.example\n01.03.2026\tx\tLate\t\t{order_id(2)}\ta@b.example\n"
    parsed = parse_feedback(report, "DE", report_formats().seller_feedback)
    landed(
        warehouse,
        lambda c: land.land_feedback(
            c, account="main", marketplace="DE", window=WINDOW, seen_at=NOON, rows=parsed.rows,
            bad_lines=parsed.bad_lines, heading=parsed.heading,
        ),
    )  # fmt: skip
    through(warehouse, "feedback")
    mend(warehouse, "\tx\t", "\t2\t")
    retried(warehouse, dataset="feedback")
    standing = "select order_id, rating from core.feedback where removed_at is null order by 1"
    assert seen(warehouse, standing) == sorted([(ORDER, 1), (order_id(2), 2)])
    assert waiting(warehouse) == []


def test_a_desks_row_is_understood_by_the_mapping_of_now(warehouse: Engine) -> None:
    landed(warehouse, land_some_mail, mail("question", at=NOON - timedelta(hours=2), order_ids=[ORDER]))
    through(warehouse, "mail")
    given = desk_settings()
    # A word that the mapping does not explain, and a line that has too few fields.
    text_ = as_csv(SOLVED | {"Action": "Sorted out"}, SOLVED | {"Date": "2026-03-10 11:40:00"}).replace(
        "11:40:00", "11:40:00,x"
    )
    parsed = parse(text_.encode(), "export.csv", understanding(given))
    assert len(parsed.bad_lines) == 1
    landed(
        warehouse,
        lambda c: land.land_desk_actions(
            c, account="main", desk="bqool", read_at=NOON, rows=parsed.rows, bad_lines=parsed.bad_lines,
            heading=parsed.heading,
        ),
    )  # fmt: skip
    through(warehouse, "desk_action", given)
    assert {rule for _, rule, _ in waiting(warehouse)} == {"action_known", "line_readable"}
    mend(warehouse, "11:40:00,x", "11:40:00")
    formats = [
        each.model_copy(update={"actions": {**each.actions, "Sorted out": "solve"}})
        for each in given.desk_files.formats
    ]
    given = given.model_copy(update={"desk_files": given.desk_files.model_copy(update={"formats": tuple(formats)})})
    retried(warehouse, given, dataset="desk_action")
    assert waiting(warehouse) == []
    events = "select kind, occurred_at from core.ticket_event where source = 'desk:bqool' order by 2"
    assert [kind for kind, _ in seen(warehouse, events)] == ["solve", "solve"]


# ---------- never lost, never doubled


def test_what_is_still_bad_is_set_aside_again_and_named_once(warehouse: Engine) -> None:
    landed(warehouse, land_some_lines, report_line(), report_line(order_id(2), quantity="two"))
    through(warehouse, "order_report")
    for _ in range(2):
        retried(warehouse, dataset="order_report")
        assert waiting(warehouse) == [("order_report", "line_readable", 1)]
    assert seen(warehouse, "select content like '%two%' from pii.quarantined_row") == [(True,)]
    assert seen(warehouse, "select row_key from ops.quarantine where settled_at is null") == [("line 3",)]


def test_a_second_retry_finds_nothing(warehouse: Engine) -> None:
    landed(warehouse, land_some_orders, order())
    check(warehouse, "orders", WITHOUT_GERMANY, as_of=NOON)
    through(warehouse, "orders")
    retried(warehouse)
    assert retried(warehouse) == Retried()
    assert seen(warehouse, "select count(*) from raw.order_received") == [(2,)]


def test_a_row_with_two_faults_is_one_row(warehouse: Engine) -> None:
    landed(warehouse, land_some_orders, order(orderItems=[], createdTime="then"))
    through(warehouse, "orders")
    assert {rule for _, rule, _ in waiting(warehouse)} == {"has_items", "created_time_readable"}
    [verdict] = verdicts(retried(warehouse, rule="has_items"))
    assert verdict.rows == 1
    assert len(waiting(warehouse)) == 2


def test_a_retry_never_puts_an_older_version_over_a_newer_one(warehouse: Engine) -> None:
    landed(warehouse, land_some_orders, order())
    check(warehouse, "orders", WITHOUT_GERMANY, as_of=NOON)
    through(warehouse, "orders")
    newer = order(lastUpdatedTime="2026-03-10T11:50:00Z", fulfillment={"fulfillmentStatus": "SHIPPED"})
    landed(warehouse, land_some_orders, newer)
    through(warehouse, "orders")
    retried(warehouse)
    assert seen(warehouse, "select status from core.amazon_order") == [("SHIPPED",)]


def test_a_line_kept_without_its_heading_stays_and_says_what_to_do(warehouse: Engine) -> None:
    landed(warehouse, land_some_lines, report_line(), report_line(order_id(2), quantity="two"))
    through(warehouse, "order_report")
    with warehouse.begin() as connection:
        connection.execute(text("update ops.batch set heading = null"))
    [trouble] = retried(warehouse).troubles
    assert "without the heading" in trouble and "again" in trouble
    assert waiting(warehouse) == [("order_report", "line_readable", 1)]


# ---------- rejected batches


def test_a_rejected_batch_is_checked_anew(warehouse: Engine) -> None:
    landed(warehouse, land_some_orders, *(order(order_id(n)) for n in range(20)))
    check(warehouse, "orders", WITHOUT_GERMANY, as_of=NOON)
    assert waiting(warehouse) == [("orders", None, 20)]
    [verdict] = verdicts(retried(warehouse, dataset="orders"))
    assert (verdict.quarantined, verdict.rejected_because) == (0, None)
    assert seen(warehouse, "select count(*) from core.amazon_order") == [(20,)]
    assert waiting(warehouse) == []
    assert seen(warehouse, "select count(*) from ops.check_result where not passed") == [(0,)]


def test_a_rejected_batch_is_published_because_somebody_says_so(warehouse: Engine) -> None:
    bad = [order(order_id(n), orderItems=[]) for n in range(12)]
    batch_id = landed(warehouse, land_some_orders, *bad, *(order(order_id(100 + n)) for n in range(8)))
    check(warehouse, "orders", SETTINGS, as_of=NOON)
    assert quarantine.accept(warehouse, SETTINGS, batch_id, "Amazon sent empty orders that day")
    assert seen(warehouse, "select count(*) from core.amazon_order") == [(8,)]
    assert waiting(warehouse) == [("orders", "has_items", 12)]
    assert not quarantine.accept(warehouse, SETTINGS, batch_id, "again")


def test_what_is_given_up_stays_out_with_the_reason(warehouse: Engine) -> None:
    landed(warehouse, land_some_lines, report_line(), report_line(order_id(2), quantity="two"))
    through(warehouse, "order_report")
    rejected = landed(warehouse, land_some_orders, *(order(order_id(n), orderItems=[]) for n in range(10)))
    through(warehouse, "orders")
    with warehouse.begin() as connection:
        assert quarantine.discard(connection, Chosen(account="main"), "test orders") == (11, [rejected])
    assert waiting(warehouse) == []
    assert retried(warehouse) == Retried()
    assert seen(warehouse, "select count(*) from pii.quarantined_row") == [(0,)]
    assert seen(warehouse, "select distinct settled_as, settled_because from ops.quarantine") == [
        ("discarded", "test orders")
    ]


def test_what_was_received_is_forgotten_after_a_while(warehouse: Engine) -> None:
    landed(warehouse, land_some_lines, report_line(), report_line(order_id(2), quantity="two"))
    [(set_aside_at,)] = seen(warehouse, "select set_aside_at from ops.quarantine")
    with warehouse.begin() as connection:
        assert quarantine.forget(connection, before=set_aside_at) == 0
        assert quarantine.forget(connection, before=set_aside_at + timedelta(seconds=1)) == 1
        [entry] = quarantine.entries(connection, Chosen())
    assert (entry.row_key, entry.content) == ("line 3", None)


def test_what_was_settled_goes_after_a_while_and_what_waits_stays(warehouse: Engine) -> None:
    landed(warehouse, land_some_lines, report_line(), report_line(order_id(2), quantity="two"))
    landed(warehouse, land_some_orders, order(order_id(3), orderItems=[]), order())
    for dataset in ("order_report", "orders"):
        through(warehouse, dataset)
    with warehouse.begin() as connection:
        quarantine.discard(connection, Chosen(dataset="orders"), "test orders")
    retried(warehouse, dataset="order_report")  # set aside again, by its new batch
    [(newest,)] = seen(warehouse, "select max(settled_at) from ops.quarantine")
    with warehouse.begin() as connection:
        assert quarantine.tidy(connection, settled_before=newest - timedelta(days=1), checked_before=NOON) == (0, 0)
        after = newest + timedelta(seconds=1)
        entries, results = quarantine.tidy(connection, settled_before=after, checked_before=NOON + timedelta(days=1))
    assert entries == 2
    assert results > 10
    assert seen(warehouse, "select dataset, settled_at from ops.quarantine") == [("order_report", None)]
    assert seen(warehouse, "select count(*) from pii.quarantined_row") == [(1,)]
    assert seen(warehouse, "select count(*) from ops.check_result") == [(0,)]
