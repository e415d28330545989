"""Mail that was read again: the warehouse ends as if the new rule had always been there."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from landing import ALIAS, BUYER_KEY, NOON, ORDER, land_some_mail, let_pass, mail, named, order_id, rows
from sqlalchemy import Connection, Engine, text

from amazon_support import settings, tickets
from amazon_support.quality import check
from amazon_support.warehouse import land
from amazon_support.warehouse.land import MailRow, batches

SETTINGS = settings.load()
HOUR = timedelta(hours=1)
AS_FIRST_LANDED = {"mailbox": "imap_default", "folder": "INBOX", "uid_validity": 1}


def publish(connection: Connection) -> None:
    let_pass(connection)
    for dataset in ("mail", "mail_reread"):
        land.PUBLISH[dataset](connection, SETTINGS)
    tickets.fold(connection, SETTINGS.policy)


def hourly(connection: Connection, *mails: MailRow) -> None:
    """Each mail comes in an hour of its own."""
    for one in mails:
        land_some_mail(connection, one)
        publish(connection)


def read_again(connection: Connection, *mails: MailRow) -> int:
    pairs = [(AS_FIRST_LANDED, one) for one in mails]
    return land.land_reread(connection, account="main", rows=pairs, buyer_key=BUYER_KEY)


EVERYTHING = {
    "core.mail": "account, mail_id",
    "pii.mail": "account, mail_id",
    "core.ticket_event": "account, source, source_id",
    "mart.ticket": "account, ticket_id",
    "mart.ticket_status": "account, ticket_id, from_at",
    "mart.sla_clock": "account, ticket_id, metric, cycle",
}


def everything(connection: Connection) -> dict[str, list[Any]]:
    """All answers, without the numbers and times of our own book-keeping."""
    ours = "- 'batch_id' - 'event_id' - 'landed_at'"
    return {
        table: rows(connection, f"select to_jsonb(t) {ours} from {table} as t order by {key}")
        for table, key in EVERYTHING.items()
    }


QUESTION = mail("question", order_ids=[ORDER], buyer_alias=ALIAS, buyer_name="Mia Muster")
REPLY = mail("reply", "reply_copy", at=NOON + 2 * HOUR, buyer_name="Mia Muster")
AGAIN = mail("again", at=NOON + 5 * HOUR, order_ids=[ORDER], buyer_alias=ALIAS, buyer_name="Mia Muster")


def misread(row: MailRow, **meaning: Any) -> MailRow:
    """The mail as the old rules understood it."""
    return MailRow(row.mail_id, row.uid, row.received_at, row.archived_as, row.meaning | meaning)


def both_ways(connection: Connection, old: list[MailRow], new: list[MailRow]) -> tuple[Any, Any]:
    """What the warehouse tells when the new rules were always there, and when the mail was read again."""
    told = []
    with connection.begin_nested() as always:
        hourly(connection, *new)
        told.append(everything(connection))
        always.rollback()
    hourly(connection, *old)
    read_again(connection, *(n for o, n in zip(old, new, strict=True) if o != n))
    publish(connection)
    told.append(everything(connection))
    return told[0], told[1]


OLD: dict[str, Callable[[], list[MailRow]]] = {
    "a question that nobody recognised": lambda: [misread(QUESTION, kind="unknown", order_ids=[]), REPLY, AGAIN],
    "a reply taken for Amazon's own": lambda: [QUESTION, misread(REPLY, kind="amazon_information"), AGAIN],
    "an order id that was not found": lambda: [misread(QUESTION, order_ids=[]), REPLY, misread(AGAIN, order_ids=[])],
    "the wrong marketplace": lambda: [misread(QUESTION, marketplace="FR"), REPLY, AGAIN],
    "other words": lambda: [QUESTION, misread(REPLY, text="cut off"), AGAIN],
    "an imitation that was none": lambda: [QUESTION, REPLY, misread(AGAIN, kind="imitation")],
}


@pytest.mark.parametrize("what", OLD)
def test_it_is_as_if_the_new_rule_had_always_been_there(connection: Connection, what: str) -> None:
    always, reread = both_ways(connection, OLD[what](), [QUESTION, REPLY, AGAIN])
    assert reread == always


KINDS = st.sampled_from(["buyer_message", "reply_copy", "unknown", "refund_notice", "return_request", "order_notice"])
ONE_MAIL = st.tuples(KINDS, KINDS, st.integers(1, 2), st.booleans())


@hypothesis(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(ONE_MAIL, min_size=1, max_size=6))
def test_so_it_is_for_any_mail(connection: Connection, history: list[tuple[str, str, int, bool]]) -> None:
    """kind as it was read, kind as it is read now, which order, whether the order was found then."""

    def one(number: int, kind: str, number_of_order: int | None) -> MailRow:
        ids = [order_id(number_of_order)] if number_of_order else []
        buyer = {"buyer_name": f"Mia {number % 2}", "buyer_alias": f"alias{number % 2}abcdef@marketplace.amazon.de"}
        return mail(f"mail {number}", kind, at=NOON + number * HOUR, order_ids=ids, **buyer)

    old = [one(n, kind, which if found else None) for n, (kind, _, which, found) in enumerate(history)]
    new = [one(n, kind, which) for n, (_, kind, which, _) in enumerate(history)]
    with connection.begin_nested() as attempt:
        always, reread = both_ways(connection, old, new)
        attempt.rollback()
    assert reread == always


def test_nothing_changes_before_it_is_published_and_once_published_it_stays(connection: Connection) -> None:
    hourly(connection, misread(QUESTION, kind="unknown"))
    before = everything(connection)
    read_again(connection, QUESTION)
    assert everything(connection) == before
    publish(connection)
    after = everything(connection)
    assert after != before
    publish(connection)
    assert everything(connection) == after


def test_the_newest_reading_counts(connection: Connection) -> None:
    hourly(connection, misread(QUESTION, kind="unknown"))
    read_again(connection, misread(QUESTION, kind="order_notice"))
    read_again(connection, QUESTION)
    publish(connection)
    assert rows(connection, "select kind from core.mail") == [("buyer_message",)]


def test_other_accounts_are_left_alone(connection: Connection) -> None:
    land_some_mail(connection, QUESTION, account="other")
    hourly(connection, misread(QUESTION, kind="unknown"))
    numbers = "select event_id from core.ticket_event where account = 'other'"
    before = rows(connection, numbers)
    read_again(connection, QUESTION)
    publish(connection)
    assert rows(connection, numbers) == before


def test_killed_while_publishing_all_stays_as_it_was(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        hourly(connection, misread(QUESTION, kind="unknown"))
        before = everything(connection)
        read_again(connection, QUESTION)
        let_pass(connection)
    with warehouse.connect() as killed:
        land.publish_reread(killed, SETTINGS)
        killed.rollback()
    with warehouse.begin() as connection:
        assert everything(connection) == before
        assert land.publish_reread(connection, SETTINGS) == 1


def test_mail_that_the_checks_refused_is_released_once_it_is_read_well(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        land_some_mail(connection, misread(QUESTION, kind="nonsense"))
    check(warehouse, "mail", SETTINGS, as_of=NOON + HOUR)
    with warehouse.begin() as connection:
        land.publish_mail(connection, SETTINGS)
        assert rows(connection, "select * from core.mail") == []
        read_again(connection, QUESTION)
    check(warehouse, "mail_reread", SETTINGS, as_of=NOON + HOUR)
    with warehouse.begin() as connection:
        land.publish_reread(connection, SETTINGS)
        assert rows(connection, "select mail_id, kind from core.mail") == [(named("question"), "buyer_message")]
        assert rows(connection, "select * from ops.quarantine") == []


def test_a_reading_that_the_checks_refuse_changes_nothing(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        hourly(connection, QUESTION)
        before = everything(connection)
        read_again(connection, misread(QUESTION, kind="nonsense"))
    check(warehouse, "mail_reread", SETTINGS, as_of=NOON + HOUR)
    with warehouse.begin() as connection:
        land.publish_reread(connection, SETTINGS)
        assert everything(connection) == before
        assert connection.execute(text("select count(*) from ops.quarantine")).scalar_one() == 1
        assert batches.claim(connection, "mail_reread") == ([], 0)
