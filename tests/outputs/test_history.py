"""Mail from before an account went live is history: kept, and nobody's task."""

import pytest
from output_rows import NOON, before, clock, event, insert, settings, ticket, waiting, worklist
from sqlalchemy import Connection

from amazon_support.outputs.alerts import raise_alerts
from amazon_support.outputs.summary import summary
from amazon_support.outputs.worklist import write_worklists
from amazon_support.settings import Policy


@pytest.fixture
def live(connection: Connection) -> Connection:
    """A warehouse whose account has been live for ten days."""
    insert(connection, "core.account_start", account="main", live_since=before(days=10))
    return connection


def told(connection: Connection) -> tuple[list[tuple[str, bool]], int]:
    """What the agent's worklist holds (ticket, whether it has a time), and how many alerts are queued."""
    write_worklists(connection, settings(), as_of=NOON)
    items = [(item.ticket_id, item.due_at is not None) for item in worklist(connection)]
    return items, raise_alerts(connection, settings(), as_of=NOON)


def test_an_old_question_makes_nobody_late(live: Connection) -> None:
    waiting(live, "DE:order:old", before(days=60))
    assert told(live) == ([], 0)
    counts = summary(live, Policy(), as_of=NOON)
    assert (counts.breached, counts.at_risk, counts.waiting_since) == (0, 0, None)
    assert counts.tickets == {"new": 1}, "it is kept"


def test_a_question_from_then_on_does(live: Connection) -> None:
    waiting(live, "DE:order:first", before(days=10))
    assert told(live) == ([("DE:order:first", True)], 1)
    assert summary(live, Policy(), as_of=NOON).breached == 1


def test_an_account_of_which_nothing_is_noted_has_no_history(live: Connection) -> None:
    waiting(live, "DE:order:other", before(days=60))
    live.exec_driver_sql("delete from core.account_start")
    assert told(live) == ([("DE:order:other", True)], 1)


def test_an_old_ticket_is_listed_again_once_something_happens(live: Connection) -> None:
    ticket(live, "DE:order:old", periods=[("new", before(days=60))])
    clock(live, "DE:order:old", before(days=60))
    event(live, "DE:order:old", before(days=1), kind="buyer_message", actor="buyer")
    assert told(live)[0] == [("DE:order:old", False)]


def test_old_mail_that_nobody_recognised_waits_for_no_decision(live: Connection) -> None:
    for name, days in (("-:mail:0123456789abcdef", 60), ("-:mail:0123456789abcdee", 1)):
        ticket(live, name, "unknown_mail", periods=[("new", before(days=days))])
        event(live, name, before(days=days))
    assert [name for name, _ in told(live)[0]] == ["-:mail:0123456789abcdee"]
    assert summary(live, Policy(), as_of=NOON).mail_to_decide == 1


def test_what_the_hour_would_have_shown_stays_when_more_happens_later(live: Connection) -> None:
    ticket(live, "DE:order:old", periods=[("new", before(days=60))])
    event(live, "DE:order:old", before(hours=-1), kind="buyer_message", actor="buyer")
    assert told(live)[0] == []
