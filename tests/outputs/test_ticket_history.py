"""What happened to one ticket, as `tickets show` tells it."""

import json
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, Engine
from ticket_histories import KEY, fold, history, moment, record

from amazon_support import settings, tickets
from amazon_support.cli import main
from amazon_support.outputs.acknowledge import Breach, acknowledge
from amazon_support.outputs.ticket_history import WIDTH, UnknownTicket, render, ticket_history

CURRENT = settings.load()
NOON = moment("2026-03-20 12:00")
STORY = [
    (
        "2026-03-01 08:00",
        "buyer_message",
        {"order_id": "302-1234567-1234567", "detail": {"mail_kind": "buyer_message"}},
    ),
    ("2026-03-01 09:00", "assign", {"actor": "kim", "detail": {"agent": "kim"}}),
    ("2026-03-01 10:00", "change_type", {"actor": "kim", "ticket_type": "cancellation"}),
    ("2026-03-01 11:00", "hold", {"actor": "kim", "detail": {"stakeholder": "carrier"}}),
    ("2026-03-03 08:00", "buyer_message"),
    ("2026-03-03 09:00", "reply", {"actor": "seller"}),
    ("2026-03-04 09:00", "change_type", {"actor": "kim", "ticket_type": "refund"}),
]


def shown(connection: Connection, when: str = "2026-03-20 12:00", named: str = KEY) -> Any:
    return ticket_history(connection, CURRENT, named, as_of=moment(when))


def activities(connection: Connection, when: str = "2026-03-20 12:00") -> list[tuple[Any, ...]]:
    return [
        (f"{row['at']:%d %H:%M}", row["what"], row["about"], row["status_before"], row["status"], row["is_within_sla"])
        for row in shown(connection, when).timeline
    ]


def test_the_timeline_tells_every_activity_newest_first(connection: Connection) -> None:
    fold(connection, *STORY)
    assert activities(connection) == [
        ("10 09:00", "auto_solve", None, "pending", "solved", None),
        ("04 09:00", "change_type", "refund", None, None, None),
        ("03 09:00", "reply", None, "open", "pending", False),
        ("03 08:00", "buyer_message", None, "on_hold", "open", False),
        ("01 11:00", "hold", "carrier", "open", "on_hold", True),
        ("01 10:00", "change_type", "cancellation", None, None, None),
        ("01 09:00", "assign", "kim", "new", "open", True),
        ("01 08:00", "buyer_message", "buyer_message", None, "new", True),
    ]


def test_page_by_page_it_tells_the_same(connection: Connection) -> None:
    fold(connection, *STORY)
    whole = shown(connection)
    pages = [
        ticket_history(connection, CURRENT, KEY, as_of=NOON, skip=skip, at_most=3)
        for skip in range(0, len(whole.timeline), 3)
    ]
    assert [row for page in pages for row in page.timeline] == whole.timeline
    assert [page.has_older for page in pages] == [True, True, False]


def test_as_of_an_instant_it_knows_nothing_later(connection: Connection) -> None:
    fold(connection, *STORY)
    assert [what for _, what, *_ in activities(connection, "2026-03-01 10:00")] == [
        "change_type", "assign", "buyer_message",
    ]  # fmt: skip
    assert shown(connection, "2026-03-01 10:00").ticket["status"] == "open"


def test_what_was_refused_says_why(connection: Connection) -> None:
    fold(connection, *STORY)
    refused = [(row["what"], row["refused"]) for row in shown(connection).timeline if row["refused"]]
    assert refused == [("change_type", "fixed_type")]


def test_an_alert_is_part_of_it(connection: Connection) -> None:
    fold(connection, *STORY)
    connection.exec_driver_sql(
        "insert into ops.alert values ('main', %s, 1, 'at_risk', 'kim@shop.example', '2026-03-02T04:00:00Z')", (KEY,)
    )
    [alert] = [row for row in shown(connection).timeline if row["what"] == "alert"]
    assert (alert["about"], alert["status"]) == ("at_risk", None)


def test_who_saw_to_a_breach_is_part_of_it(connection: Connection) -> None:
    fold(connection, ("2026-03-01 08:00", "buyer_message"))
    acknowledge(connection, Breach("main", "reply", KEY, 1, "Kim Katz"), at=moment("2026-03-02 09:00"))
    [fact] = [row for row in shown(connection).timeline if row["what"] == "acknowledge"]
    assert (fact["actor"], fact["about"], fact["is_automatic"]) == ("Kim Katz", "reply", False)


def test_activities_belong_to_the_ticket_of_their_time(connection: Connection) -> None:
    fold(
        connection,
        ("2026-01-01 08:00", "buyer_message"),
        ("2026-01-01 09:00", "close"),
        ("2026-03-01 08:00", "buyer_message"),
    )
    assert [row["what"] for row in shown(connection).timeline] == ["close", "buyer_message"]
    assert [row["what"] for row in shown(connection, named=KEY + "#2").timeline] == ["buyer_message"]
    assert shown(connection, named=KEY + "#2").ticket["follow_up_of"] == KEY


def test_of_many_clocks_the_newest_and_those_that_run_are_told(connection: Connection) -> None:
    days = [f"2026-03-{day:02}" for day in range(1, 6)]
    answered = [each for day in days for each in ((f"{day} 08:00", "buyer_message"), (f"{day} 09:00", "reply"))]
    fold(connection, *answered, ("2026-03-05 10:00", "buyer_message"))
    when = moment("2026-03-05 11:00")
    whole = ticket_history(connection, CURRENT, KEY, as_of=when)
    newest = ticket_history(connection, CURRENT, KEY, as_of=when, cycles=2)
    running = [clock for clock in whole.clocks if clock["stopped_at"] is None]
    assert whole.older_cycles == 0
    assert newest.clocks == [clock for clock in whole.clocks if clock in whole.clocks[:2] or clock in running]
    assert newest.older_cycles == len(whole.clocks) - len(newest.clocks) > 0


def test_the_text_gives_the_reason_of_every_stop_pause_and_breach(connection: Connection) -> None:
    fold(connection, *STORY)
    text = render(shown(connection))
    assert max(map(len, text.splitlines())) <= WIDTH
    flat = " ".join(text.split())
    assert "cancellation, DE, order 302-1234567-1234567 (explicit)" in flat
    assert "solved since 2026-03-10 09:00; changes on 2026-04-07 09:00 if nothing else happens" in flat
    assert (
        "amazon_reply 1 met 25 h late started 2026-03-01 08:00; due 2026-03-02 08:00; breached 2026-03-02 08:00" in flat
    )
    assert "stopped 2026-03-03 09:00 by reply" in flat
    assert "paused from 2026-03-01 11:00 by hold until 2026-03-03 08:00" in flat
    assert "2026-03-04 09:00:00 change_type kim refused: fixed_type" in flat
    assert "open -> pending, SLA breached" in flat


def test_an_unknown_ticket_names_those_that_come_near(connection: Connection) -> None:
    fold(connection, *STORY)
    with pytest.raises(UnknownTicket, match=f"There are: {KEY}"):
        shown(connection, named="302-1234567-1234567")
    with pytest.raises(UnknownTicket, match="No ticket"):
        shown(connection, "2026-01-01 00:00")


def test_a_ticket_of_several_accounts_needs_the_account(connection: Connection) -> None:
    for account in ("main", "second"):
        record(connection, history(*STORY, account=account))
    tickets.fold(connection, CURRENT.policy)
    with pytest.raises(UnknownTicket, match=f"main/{KEY}, second/{KEY}"):
        shown(connection)
    assert shown(connection, named=f"second/{KEY}").ticket["account"] == "second"


@pytest.mark.parametrize("with_words", [False, True])
def test_the_command_shows_what_people_wrote_only_when_asked(warehouse: Engine, with_words: bool) -> None:
    with warehouse.begin() as connection:
        fold(connection, ("2026-03-01 08:00", "buyer_message", {"source": "mail", "source_id": "m1"}))
        connection.exec_driver_sql(
            "insert into pii.mail (account, mail_id, body, attachments) values ('main', 'm1', 'Where is it?', '[]')"
        )
    arguments = ["tickets", "show", KEY, "--as-of", "2026-03-01T09:00Z", *["--with-words"] * with_words]
    answer = CliRunner().invoke(main, arguments)
    assert answer.exit_code == 0, answer.output
    assert ("Where is it?" in answer.stdout) is with_words
    as_json = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)
    assert as_json["ticket"]["status"] == "new" and as_json["clocks"][0]["metric"] == "amazon_reply"


def test_the_command_says_what_is_wrong_in_one_line(warehouse_url: str) -> None:
    answer = CliRunner().invoke(main, ["tickets", "show", "DE:order:1"])
    assert answer.exit_code == 1
    assert answer.stderr.startswith("Error: No ticket DE:order:1 at ")
