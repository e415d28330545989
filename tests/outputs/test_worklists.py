"""What is on an agent's worklist, in which section and order, as of which hour."""

import json
import re
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from output_rows import (
    ANA,
    NOON,
    ORDER,
    after,
    before,
    clock,
    event,
    goods,
    insert,
    order,
    settings,
    ticket,
    waiting,
    worklist,
)
from sqlalchemy import Connection, Engine, text

from amazon_support.outputs.items import duration
from amazon_support.outputs.worklist import WorklistCounts, read_worklists, write_worklists
from amazon_support.settings import Agent


def listed(connection: Connection, as_of: datetime = NOON) -> list[Any]:
    write_worklists(connection, settings(), as_of=as_of)
    return worklist(connection, as_of)


def sections(connection: Connection, as_of: datetime = NOON) -> list[str]:
    return [item.section for item in listed(connection, as_of)]


def reasons(connection: Connection) -> list[str]:
    return [item.reason for item in listed(connection)]


def held(connection: Connection, ticket_id: str, since: datetime) -> None:
    """A ticket on hold since then, whose stakeholder is to be asked again after two days."""
    ticket(connection, ticket_id, periods=[("on_hold", since, "hold")])
    clock(connection, ticket_id, since, metric="stakeholder_follow_up", hours=48)


# ---------- reply now


def test_replies_are_listed_by_time_left_with_the_reason(connection: Connection) -> None:
    waiting(connection, "DE:order:relaxed", before(hours=14))
    waiting(connection, "DE:order:late", before(hours=27, minutes=10))
    waiting(connection, "DE:order:soon", before(hours=23, minutes=5))
    items = listed(connection)
    assert [(item.ticket_id, item.reason, item.seconds_left) for item in items] == [
        ("DE:order:late", "Breached 3 h 10 min ago", -11400),
        ("DE:order:soon", "At risk: due in 55 min", 3300),
        ("DE:order:relaxed", "Due in 10 h", 36000),
    ]
    assert {item.section for item in items} == {"reply_now"}


def test_due_at_this_very_instant_is_not_late_yet(connection: Connection) -> None:
    waiting(connection, "DE:order:exact", before(hours=24))
    waiting(connection, "DE:order:second", before(hours=24, seconds=1))
    assert reasons(connection) == ["Breached less than 1 min ago", "At risk: due in less than 1 min"]


def test_neither_hold_nor_solving_hides_a_buyer_who_waits(connection: Connection) -> None:
    for status in ("on_hold", "solved", "closed"):
        ticket_id = ticket(connection, f"DE:order:{status}", periods=[(status, before(hours=5))])
        clock(connection, ticket_id, before(hours=25))
    assert reasons(connection) == ["Breached 1 h ago, on hold", "Breached 1 h ago, solved without a reply"]


def test_how_a_buyer_asks_to_cancel_is_told(connection: Connection) -> None:
    for number, ticket_type in enumerate(("contact_buyer", "contact_buyer", "cancellation"), 1):
        waiting(connection, f"DE:order:{number}", before(hours=number), ticket_type=ticket_type)
    wish = {"kind": "buyer_message", "detail": '{"asks": "cancellation"}'}
    event(connection, "DE:order:1", before(hours=1), **wish)
    event(connection, "DE:order:2", before(hours=9), **wish)  # answered since
    assert reasons(connection) == [
        "Due in 21 h, asks to cancel through Amazon: does not count",
        "Due in 22 h",
        "Due in 23 h, asks to cancel in a message: cancelling counts",
    ]


def test_a_running_clock_takes_the_ticket_out_of_its_own_section(connection: Connection) -> None:
    ticket(connection, "DE:order:claim", "a_to_z_claim")
    clock(connection, "DE:order:claim", before(hours=2))
    assert sections(connection) == ["reply_now"]


def test_an_open_ticket_without_clock_and_section_is_not_lost(connection: Connection) -> None:
    waiting(connection, "DE:order:clock", before(hours=2))
    ticket(connection, "DE:order:unread", periods=[("new", before(hours=4), "unread")])
    assert [(i.ticket_id, i.section, i.reason, i.due_at) for i in listed(connection)][1:] == [
        ("DE:order:unread", "reply_now", "New for 4 h", None)
    ]


def test_what_waits_for_others_is_not_listed(connection: Connection) -> None:
    ticket(connection, "DE:order:pending", periods=[("pending", before(days=3), "reply")])
    ticket(connection, "DE:order:held", periods=[("on_hold", before(days=2), "hold")])
    ticket(connection, "DE:order:closed", periods=[("closed", before(days=2), "auto_close")])
    assert listed(connection) == []


# ---------- the other sections


def test_every_section_in_its_order(connection: Connection) -> None:
    silent = [("pending", before(days=8)), ("solved", before(minutes=30), "auto_solve")]
    ticket(connection, "DE:order:silent", periods=silent)
    ticket(connection, "-:mail:0123456789abcdef", "unknown_mail")
    order(connection)
    held(connection, "DE:order:held", before(days=2, minutes=1))
    ticket(connection, "DE:case:1234", "case_update")
    ticket(connection, "DE:case:5678", "performance_notification")
    for number, kind in enumerate(["refund", "cancellation", "return_request", "chargeback", "a_to_z_claim"]):
        ticket(connection, f"DE:order:{number}", kind)
    ticket(connection, "DE:order:two_stars", "negative_feedback", periods=[("open", before(hours=1))])
    ticket(connection, "DE:order:three_stars", "neutral_feedback", periods=[("open", before(hours=2))])
    waiting(connection, "DE:order:question", before(hours=1))
    items = listed(connection)
    assert [item.position for item in items] == list(range(1, 15))
    assert [item.section for item in items] == [
        "reply_now",
        *["feedback"] * 2,
        *["claims_returns_cancellations"] * 5,
        "performance_notifications",
        "cases_to_chase",
        "on_hold_to_chase",
        "orders_to_ship",
        "mail_to_decide",
        "solved_automatically",
    ]
    assert [item.ticket_id for item in items if item.section == "feedback"] == [
        "DE:order:three_stars",
        "DE:order:two_stars",
    ]


def test_a_stakeholder_is_chased_after_two_days(connection: Connection) -> None:
    held(connection, f"DE:order:{ORDER}", before(days=2, hours=5))
    held(connection, "DE:order:just_due", before(days=2))
    (item,) = listed(connection)
    assert (item.section, item.due_at) == ("on_hold_to_chase", before(hours=5))
    assert item.reason == "On hold for 2 d 5 h: chase the stakeholder"


def test_a_case_is_chased_48_hours_after_its_last_movement(connection: Connection) -> None:
    for case, moved in (("1", before(hours=50)), ("2", before(hours=5))):
        ticket(connection, f"DE:case:{case}", "case_update", periods=[("new", before(days=9))])
        clock(connection, f"DE:case:{case}", before(days=9), moved, metric="case_follow_up", hours=48)
        clock(connection, f"DE:case:{case}", moved, after(hours=1), 2, metric="case_follow_up", hours=48)
        clock(connection, f"DE:case:{case}", after(hours=1), None, 3, metric="case_follow_up", hours=48)
    assert [(item.reason, item.seconds_left) for item in listed(connection)] == [
        ("No movement for 2 d 2 h: chase it", -7200),
        ("Last movement 5 h ago", 43 * 3600),
    ]


@pytest.mark.parametrize(
    ("kind", "metric"),
    [("a_to_z_claim", "a_to_z_deadline"), ("performance_notification", "notification_deadline")],
)
def test_a_notice_is_due_when_it_says(connection: Connection, kind: str, metric: str) -> None:
    ticket(connection, "DE:case:2", kind, periods=[("new", before(hours=6))])
    clock(connection, ticket(connection, "DE:case:1", kind), before(hours=3), metric=metric, hours=30)
    assert [(i.ticket_id, i.due_at, i.reason) for i in listed(connection)] == [
        ("DE:case:1", after(hours=27), "New for 3 h"),
        ("DE:case:2", None, "New for 6 h"),
    ]


def test_a_clock_that_is_paused_is_due_as_if_it_went_on_now(connection: Connection) -> None:
    case = ticket(connection, "DE:case:1", "case_update", periods=[("new", before(hours=20))])
    clock(connection, case, before(hours=20), metric="case_follow_up", hours=48)
    connection.execute(text("update mart.sla_clock set pauses = 1, due_at = null, target_seconds = 48 * 3600"))
    insert(
        connection, "mart.sla_pause", account="main", ticket_id=case, ticket_key=case, metric="case_follow_up", cycle=1,
        from_at=before(hours=10), until_at="infinity", cause="hold", elapsed_seconds=10 * 3600, is_rest=False,
        paused_before_seconds=0, due_at=after(hours=28),
    )  # fmt: skip
    assert [item.due_at for item in listed(connection)] == [after(hours=38)]


def test_mail_to_decide_says_where_the_mail_is(connection: Connection) -> None:
    ticket(connection, "-:mail:0123456789abcdef", "unknown_mail", periods=[("new", before(hours=4))])
    clock(connection, "-:mail:0123456789abcdef", before(hours=4), metric="mail_decision", hours=48)
    event(connection, "-:mail:0123456789abcdef", before(hours=4), source_id="0123456789abcdef01")
    insert(
        connection, "core.mail", account="main", mail_id="0123456789abcdef01", mailbox="imap_default", folder="INBOX",
        kind="unknown", confidence=0, signals=[], direction="inbound", order_ids=[], sent_at=before(hours=4),
        received_at=before(hours=4), attachment_count=0, archived_as="a",
    )  # fmt: skip
    (item,) = listed(connection)
    assert item.reason == "Decide within 44 h, mail of 10 Mar 08:00 UTC in imap_default/INBOX"
    assert item.due_at == after(hours=44)


def test_mail_to_decide_names_the_conversations_it_may_belong_to(connection: Connection) -> None:
    ticket(connection, "-:mail:0123456789abcdef", "unknown_mail", periods=[("new", before(hours=4))])
    candidates = ["DE:order:302-1234567-0000002", "DE:buyer:0123456789abcdef", "DE:order:302-1234567-0000001"]
    event(
        connection, "-:mail:0123456789abcdef", before(hours=4), source_id="0123456789abcdef01",
        detail=json.dumps({"reason": "ambiguous_reply", "candidates": candidates}),
    )  # fmt: skip
    insert(
        connection, "core.mail", account="main", mail_id="0123456789abcdef01", mailbox="imap_default", folder="INBOX",
        kind="reply_copy", confidence=1, signals=[], direction="outbound", order_ids=[], sent_at=before(hours=4),
        received_at=before(hours=4), attachment_count=0, archived_as="a",
    )  # fmt: skip
    (item,) = listed(connection)
    assert item.reason.endswith(", may belong to 302-1234567-0000002, 302-1234567-0000001")


def test_orders_to_ship_by_ship_by_time(connection: Connection) -> None:
    order(connection, "302-1234567-0000001", ship_by_at=after(hours=6))
    order(connection, "302-1234567-0000002", ship_by_at=before(hours=1), status="PARTIALLY_SHIPPED")
    order(connection, "302-1234567-0000003", ship_by_at=None)
    order(connection, "302-1234567-0000004", fulfilled_by="AMAZON")
    order(connection, "302-1234567-0000005", status="SHIPPED", shipped_at=before(hours=1))
    order(connection, "302-1234567-0000006", status="CANCELLED")
    assert [(item.order_id[-1], item.reason) for item in listed(connection)] == [
        ("2", "Ship-by time passed 1 h ago"),
        ("1", "Ship within 6 h"),
        ("3", "Ordered 2 d ago, ship-by time unknown: only a report has told of this order"),
    ]


def test_solved_automatically_since_the_last_list(connection: Connection) -> None:
    for minutes in (0, 59, 60):
        ticket(connection, f"DE:order:{minutes}", periods=[("solved", before(minutes=minutes), "auto_solve")])
    ticket(connection, "DE:order:by_hand", periods=[("solved", before(minutes=5), "solve")])
    assert [item.ticket_id for item in listed(connection)] == ["DE:order:59", "DE:order:0"]
    write_worklists(connection, settings(), as_of=NOON, since=before(hours=2))
    assert len(worklist(connection)) == 3


def test_an_item_brings_the_facts_of_its_order(connection: Connection) -> None:
    order(connection, status="SHIPPED", shipped_at=before(days=1))
    for number in range(1, 8):
        goods(connection, f"Teapot {number}", number=number)
    waiting(connection, f"DE:order:{ORDER}", before(hours=2), order_id=ORDER)
    (item,) = listed(connection)
    assert (item.order_status, item.fulfilled_by, str(item.total_amount), item.currency) == (
        "SHIPPED", "MERCHANT", "24.9000", "EUR",
    )  # fmt: skip
    assert item.items.startswith("2 × Teapot 1 (TEAPOT), 2 × Teapot 2")
    assert item.items.endswith("2 × Teapot 5 (TEAPOT) and 2 more")


# ---------- whose, and where


def test_an_agent_has_the_marketplaces_of_the_settings(connection: Connection) -> None:
    waiting(connection, "DE:order:1", before(hours=2))
    waiting(connection, "JP:order:2", before(hours=2))
    waiting(connection, "US:order:3", before(hours=2))
    yuki = Agent(name="Yuki Tan", email="yuki@shop.example", marketplaces=("JP",))
    jonas = Agent(name="Jonas Weber", email="jonas@shop.example", marketplaces=("DE", "JP"))
    counts = write_worklists(connection, settings(yuki, jonas), as_of=NOON)
    assert [item.ticket_id for item in worklist(connection, agent="Yuki Tan")] == ["JP:order:2"]
    assert [item.ticket_id for item in worklist(connection, agent="Jonas Weber")] == ["DE:order:1", "JP:order:2"]
    assert counts == WorklistCounts(items=3, agents=2, uncovered=1)


def test_what_has_no_known_marketplace_is_everybodys(connection: Connection) -> None:
    ticket(connection, "-:mail:0123456789abcdef", "unknown_mail")
    waiting(connection, "XX:order:1", before(hours=2))
    agents = [Agent(name=name, email="a@shop.example", marketplaces=("JP",)) for name in ("Ana Lima", "Yuki Tan")]
    write_worklists(connection, settings(*agents), as_of=NOON)
    assert len(worklist(connection, agent="Ana Lima")) == len(worklist(connection, agent="Yuki Tan")) == 2


@pytest.mark.parametrize(
    ("ticket_id", "kind", "page"),
    [
        ("DE:order:1", "other_query", "https://app.bqool.com/"),
        ("JP:order:1", "other_query", "https://sellercentral.amazon.co.jp/messaging/inbox"),
        ("DE:order:1", "negative_feedback", "https://sellercentral.amazon.de/feedback-manager/index.html"),
        ("DE:order:1", "a_to_z_claim", "https://sellercentral.amazon.de/gp/a-z-guarantee.html"),
        ("DE:order:1", "return_request", f"https://sellercentral.amazon.de/orders-v3/order/{ORDER}"),
        ("DE:case:1", "performance_notification", "https://sellercentral.amazon.de/performance/notifications"),
        ("DE:case:1", "case_update", "https://sellercentral.amazon.de/cu/case-lobby"),
        ("-:mail:1", "unknown_mail", None),
    ],
)
def test_the_link_opens_the_right_page_of_the_right_tool(
    connection: Connection, ticket_id: str, kind: str, page: str | None
) -> None:
    ticket(connection, ticket_id, kind, order_id=ORDER)
    assert [item.link for item in listed(connection)] == [page]


@pytest.mark.parametrize(
    ("ticket_id", "kind", "case_id", "page"),
    [
        ("JP:case:77", "contact_buyer", "77", "/messaging/inbox?fi=caseId&ss=77&cc=77"),
        ("DE:case:77", "case_update", "77", "/cu/case-dashboard/view-case?caseID=77"),
        ("JP:case:77", "contact_buyer", "7&x=/../", "/messaging/inbox"),
    ],
)
def test_the_link_opens_the_case_itself(
    connection: Connection, ticket_id: str, kind: str, case_id: str, page: str
) -> None:
    ticket(connection, ticket_id, kind, case_id=case_id)
    [link] = [item.link for item in listed(connection)]
    assert link.partition(".amazon")[2].partition("/")[2] == page[1:]


def test_an_order_is_shipped_in_seller_central_and_its_id_cannot_bend_the_link(connection: Connection) -> None:
    order(connection)
    order(connection, "302-1/../../evil?x=", ship_by_at=after(hours=9))
    links = [(item.desk, item.link) for item in listed(connection)]
    assert links[0] == ("seller_central", f"https://sellercentral.amazon.de/orders-v3/order/{ORDER}")
    assert "evil" not in links[1][1]


def test_an_account_can_have_another_desk(connection: Connection) -> None:
    ticket(connection, "DE:order:1", account="main")
    ticket(connection, "DE:order:2", account="outlet")
    write_worklists(connection, settings(desks={"DE": "seller_central"}), as_of=NOON)
    assert {(item.account, item.desk, item.link) for item in worklist(connection)} == {
        ("main", "seller_central", "https://sellercentral.amazon.de/messaging/inbox"),
        ("outlet", "bqool", "https://app.bqool.com/"),
    }


# ---------- as of


def test_written_twice_it_is_the_same(connection: Connection) -> None:
    waiting(connection, "DE:order:1", before(hours=2))
    order(connection)
    first = listed(connection)
    assert listed(connection) == first
    assert len(first) == 2


def test_written_twice_at_once_it_is_the_same(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        waiting(connection, "DE:order:1", before(hours=5))
    written = []

    def write() -> None:
        with warehouse.begin() as connection:
            written.append(write_worklists(connection, settings(), as_of=NOON).items)

    with warehouse.begin() as connection:
        write_worklists(connection, settings(), as_of=NOON)
        second = threading.Thread(target=write)
        second.start()
        second.join(timeout=0.5)
        assert written == []  # it waits
    second.join()
    assert written == [1]


def test_a_past_hour_knows_nothing_of_what_came_later(connection: Connection) -> None:
    ticket(connection, "DE:order:1", periods=[("new", before(hours=9)), ("pending", after(minutes=5), "reply")])
    clock(connection, "DE:order:1", before(hours=9), stopped_at=after(minutes=5))
    ticket(connection, "DE:order:2", periods=[("new", after(minutes=1))])
    clock(connection, "DE:order:2", after(minutes=1))
    order(connection, status="SHIPPED", shipped_at=after(hours=1))
    order(connection, "302-1234567-0000002", ordered_at=after(minutes=1))
    assert [item.ticket_id or item.order_id for item in listed(connection)] == ["DE:order:1", ORDER]
    later = [item.ticket_id or item.order_id for item in listed(connection, after(hours=2))]
    assert later == ["DE:order:2", "302-1234567-0000002"]


def test_a_reply_at_the_very_instant_counts(connection: Connection) -> None:
    ticket(connection, "DE:order:1", periods=[("new", before(hours=9)), ("pending", NOON, "reply")])
    clock(connection, "DE:order:1", before(hours=9), stopped_at=NOON)
    assert listed(connection) == []
    assert len(listed(connection, before(seconds=1))) == 1


def test_hours_stand_beside_each_other(connection: Connection) -> None:
    waiting(connection, "DE:order:1", before(hours=2))
    for hour in (before(hours=1), NOON):
        write_worklists(connection, settings(), as_of=hour)
    assert [len(worklist(connection, hour)) for hour in (before(hours=1), NOON)] == [1, 1]


# ---------- words


def test_reason_and_time_left_use_the_same_words(connection: Connection) -> None:
    spans = [1, 59, 60, 61, 3599, 3600, 3660, 47 * 3600 + 59, 48 * 3600, 49 * 3600 + 61, 240 * 3600]
    for seconds in spans:
        waiting(connection, f"DE:order:{seconds}", before(hours=24, seconds=seconds))
    write_worklists(connection, settings(), as_of=NOON)
    (shown,) = read_worklists(connection, settings(), as_of=NOON)
    assert [item.reason for item in shown.items] == [f"Breached {duration(s)} ago" for s in sorted(spans, reverse=True)]
    assert [item.time_left for item in shown.shown][:2] == ["10 d late", "2 d 1 h late"]


def test_the_list_is_free_of_what_the_buyer_said_or_is_called(connection: Connection) -> None:
    insert(
        connection, "pii.order_contact", account="main", order_id=order(connection), buyer_name="Mia Muster",
        buyer_alias="abc@marketplace.amazon.de", last_updated_at=NOON,
    )  # fmt: skip
    waiting(connection, f"DE:order:{ORDER}", before(hours=2), order_id=ORDER, buyer_ref="0a1b2c")
    assert not re.search("Mia|Muster|abc@|0a1b2c", str(listed(connection)))


def test_an_agent_without_work_has_an_empty_list(connection: Connection) -> None:
    assert write_worklists(connection, settings(), as_of=NOON) == WorklistCounts(items=0, agents=0, uncovered=0)
    (empty,) = read_worklists(connection, settings(), as_of=NOON)
    assert (empty.name, empty.items, empty.warn_before) == (ANA.name, (), timedelta(hours=4))
