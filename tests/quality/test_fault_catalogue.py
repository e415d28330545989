"""The catalogue of faults: what may go wrong with what Amazon, mailboxes and desks bring, and the rule that catches it.

Each fault is landed as the pull would land it, for an account of its own, by the library's own steps; the datasets are
then checked once, as the hourly job does.
"""

from typing import Any

import pytest
from desk_exports import SOLVED, as_csv, read
from faults import DAY, DESK, HOUR, LINES, LOOKALIKE, ORDERS
from feedback_rows import land_report, line
from health_reports import DE, document, rate
from landing import NOON, WINDOW, iso, land_some_mail, land_some_orders, mail, order, order_id
from report_lines import flat_file, land_some_lines, report_line
from sqlalchemy import Connection, Engine

from amazon_support import settings, tickets
from amazon_support.outputs import worklist
from amazon_support.quality import DAILY, HOURLY, check, check_standing
from amazon_support.sources.errors import BadDocument
from amazon_support.sources.performance_report import parse_health
from amazon_support.sources.positions import note_pulled
from amazon_support.tickets import compliance
from amazon_support.warehouse import land
from amazon_support.window import Window

SETTINGS = settings.load()
MAILS: dict[str, tuple[dict[str, Any], str]] = {
    "kind nobody knows": ({"kind": "gossip"}, "kind_known"),
    "direction nobody knows": ({"direction": "sideways"}, "direction_valid"),
    "confidence missing": ({"confidence": None}, "confidence_present"),
    "confidence over one": ({"confidence": 7}, "confidence_valid"),
    "date unreadable": ({"sent_at": "yesterday"}, "sent_time_readable"),
    "sent after it arrived": ({"sent_at": iso(NOON + 2 * DAY)}, "not_sent_after_received"),
    "months under way": ({"sent_at": iso(NOON - 90 * DAY)}, "not_long_under_way"),
    "order id with a look-alike dash": ({"order_ids": [LOOKALIKE]}, "order_ids_shaped"),
}

FEEDBACK: dict[str, tuple[dict[str, Any], str]] = {
    "six stars": ({"rating": 6}, "rating_valid"),
    "order id with a look-alike dash": ({"order_id": LOOKALIKE}, "order_id_shape"),
    "day and month changed places": ({"rated_on": NOON.date() + 60 * DAY}, "not_in_the_future"),
    "older than what was asked for": ({"rated_on": NOON.date() - 120 * DAY}, "rated_within_the_span"),
}


def caught(warehouse: Engine, dataset: str) -> dict[str, set[str]]:
    """By account the rules that were broken."""
    return {v.account: set(v.broken_rules) for v in check(warehouse, dataset, SETTINGS, as_of=NOON)}


def assert_caught(found: dict[str, set[str]], faults: dict[str, tuple[Any, str]]) -> None:
    missed = {fault: (rule, found.get(fault)) for fault, (_, rule) in faults.items() if rule not in found[fault]}
    assert missed == {}


def test_the_catalogue_is_long_enough() -> None:
    assert sum(map(len, (ORDERS, LINES, MAILS, FEEDBACK, DESK))) >= 50


def test_faults_of_orders(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        for fault, (orders, _) in ORDERS.items():
            land_some_orders(connection, *orders, account=fault)
    assert_caught(caught(warehouse, "orders"), ORDERS)


def test_faults_of_the_all_orders_report(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        for fault, (wrong, _) in LINES.items():
            land_some_lines(connection, report_line() | wrong, account=fault)
        land_some_lines(connection, *(report_line(order_id(n // 2)) for n in range(10)), account="each line twice")
    found = caught(warehouse, "order_report")
    assert_caught(found, {**LINES, "each line twice": (None, "line_not_repeated")})


def test_faults_of_mail(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        for fault, (wrong, _) in MAILS.items():
            land_some_mail(
                connection, mail(fault, **wrong) if "kind" not in wrong else mail(fault, wrong["kind"]), account=fault
            )
        many = [mail(str(n), "unknown") for n in range(10)]
        land_some_mail(connection, *many, account="nobody recognises the mail")
    found = caught(warehouse, "mail")
    assert_caught(found, {**MAILS, "nobody recognises the mail": (None, "most_mail_recognised")})


def test_faults_of_feedback(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        for fault, (wrong, _) in FEEDBACK.items():
            land_report(connection, line(**wrong), account=fault)
        land_report(connection, line(), line(line_number=3), account="order twice")
        land_report(connection, line(), account="site nobody knows", marketplace="XX")
    more = {"order twice": (None, "one_line_an_order"), "site nobody knows": (None, "marketplace_known")}
    assert_caught(caught(warehouse, "feedback"), {**FEEDBACK, **more})


def test_faults_of_desks_exports(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        for fault, (wrong, _) in DESK.items():
            rows = read(as_csv(SOLVED | wrong)).rows
            land.land_desk_actions(connection, account=fault, desk="bqool", read_at=NOON, rows=rows)
    assert_caught(caught(warehouse, "desk_action"), DESK)


@pytest.mark.parametrize(
    ("fault", "report", "rule"),
    [
        ("percent for a share", document(DE, lateShipmentRate=rate(7)), "share_valid"),
        ("word for a figure", document(DE, lateShipmentRate=rate("low")), "other_fields_readable"),
        ("status nobody knows", document(DE, lateShipmentRate=rate(0.02, status="PURPLE")), "status_known"),
        ("report of nothing", {"healthOfAccounts": []}, "batch_has_rows"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_faults_of_account_health(warehouse: Engine, fault: str, report: Any, rule: str) -> None:
    with warehouse.begin() as connection:
        parsed = parse_health(report)
        where = {"account": fault, "region": "eu", "window": WINDOW}
        land.land_account_health(connection, **where, parsed=parsed, document=report)
    assert rule in caught(warehouse, "account_health")[fault]


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("lacks the columns quantity", flat_file({k: v for k, v in report_line().items() if k != "quantity"})),
        ("is an error page", "<html><body>503</body></html>"),
        ("is empty", " "),
    ],
)
def test_what_is_no_report_is_refused(connection: Connection, fault: str, text: str) -> None:
    with pytest.raises(BadDocument, match=fault):
        land_some_lines(connection, text)


# ---------- faults that show beside other batches


def report_of_day(connection: Connection, day: int, lines: int) -> None:
    end = NOON + day * DAY
    window = Window(end - DAY, end, live=False)
    times = {"purchase-date": iso(end - DAY), "last-updated-date": iso(end - HOUR)}
    many = (report_line(order_id(n), **times) for n in range(lines))
    land_some_lines(connection, *many, window=window)


@pytest.mark.parametrize(("lines", "is_caught"), [(2500, True), (40, False)], ids=["a hundred times", "as usual"])
def test_volume_against_the_same_weekday(warehouse: Engine, lines: int, is_caught: bool) -> None:
    with warehouse.begin() as connection:
        for week in (1, 2, 3):
            report_of_day(connection, -7 * week, 25)
        report_of_day(connection, 0, lines)
    verdicts = check(warehouse, "order_report", SETTINGS, as_of=NOON)
    assert ["batch_of_usual_size" in verdict.broken_rules for verdict in verdicts] == [False] * 3 + [is_caught]


def test_a_duplicated_window(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        for _ in range(2):
            land_some_lines(connection, report_line())
    first, second = check(warehouse, "order_report", SETTINGS, as_of=NOON)
    assert (set(first.broken_rules), set(second.broken_rules)) == (set(), {"batch_not_landed_before"})


def test_thirty_clean_days_raise_nothing(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        for day in range(-29, 1):
            at = NOON + day * DAY
            report_of_day(connection, day, 20 + day % 7)
            orders = (
                order(order_id(n), createdTime=iso(at - DAY), lastUpdatedTime=iso(at - HOUR / 2)) for n in range(15)
            )
            land_some_orders(connection, *orders, window=Window(at - HOUR, at, live=True))
            land_some_mail(connection, *(mail(f"{day} {n}", at=at) for n in range(12)))
            land_report(connection, line(rated_on=(at - 3 * DAY).date()), seen_at=at)
            spans = {("orders", "eu"): DAY, ("feedback", "DE"): 90 * DAY, ("account_health", "eu"): DAY}
            for (source, scope), span in spans.items():
                note_pulled(connection, "main", source, scope, Window(at - span, at, live=True))
    for dataset in ("orders", "order_report", "mail", "feedback"):
        for verdict in check(warehouse, dataset, SETTINGS, as_of=NOON):
            assert (verdict.broken_rules, verdict.rejected_because) == ({}, None)
        with warehouse.begin() as connection:
            land.PUBLISH[dataset](connection, SETTINGS)
    for day in range(-28, 1, 4):
        at = NOON + day * DAY
        with warehouse.begin() as connection:
            tickets.fold(connection, SETTINGS.policy, tickets.Promises.of(SETTINGS))
            compliance.write_compliance(connection, SETTINGS, as_of=at)
            worklist.write_worklists(connection, SETTINGS, as_of=at, since=at - HOUR)
        results = check_standing(warehouse, (*HOURLY, *DAILY), SETTINGS, as_of=at)
        assert {result.rule for result in results} >= {"pulled_lately", "not_in_the_future", "compliance_adds_up"}
        assert [result.sentence for result in results if result.is_broken] == []
    with warehouse.begin() as connection:
        assert connection.exec_driver_sql("select count(*) from mart.ticket").scalar_one() > 300
        assert connection.exec_driver_sql("select sentence from mart.data_quality_trouble").all() == []
