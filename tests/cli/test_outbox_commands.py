"""The outbox from the command line."""

import json

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from amazon_support.cli import main

INSERT = """
insert into ops.outbox (message_key, kind, recipient, subject, html, plain, message_id, available_at, dead_at,
    last_error)
values ('one', 'alert', 'ana@shop.example', 'Alert', '', 'Words', '<1@x>', '2026-03-10 12:00Z', null, null),
    ('two', 'alert', 'yuki@shop.example', 'Alert', '', 'Words', '<2@x>', '2026-03-10 12:00Z', '2026-03-10 13:00Z',
    '550 no such user')
"""


@pytest.fixture
def filled(warehouse: Engine) -> Engine:
    with warehouse.begin() as connection:
        connection.execute(text(INSERT))
    return warehouse


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["outbox", *arguments])


def states(warehouse: Engine) -> list[str]:
    with warehouse.connect() as connection:
        return list(connection.execute(text("select state from ops.outbox order by outbox_id")).scalars())


def test_the_list_names_nobody_unless_asked_to(filled: Engine) -> None:
    lines = run("list").output.splitlines()
    assert [line.split()[:5] for line in lines] == [
        ["id", "kind", "by", "to", "state"],
        ["1", "alert", "email", "…@shop.example", "waiting"],
        ["2", "alert", "email", "…@shop.example", "dead"],
    ]
    assert lines[2].endswith("550 no such user")
    assert "yuki@shop.example" in run("list", "--with-personal-data").output
    assert [row["outbox_id"] for row in json.loads(run("list", "--dead", "--json").stdout)] == [2]


def test_one_message_is_shown(filled: Engine) -> None:
    assert "Words" not in run("show", "1").output
    assert "Words" in run("show", "1", "--with-personal-data").output
    unknown = run("show", "9")
    assert unknown.exit_code == 1
    assert "There is no message 9 in the outbox" in unknown.output


def test_dead_letters_wait_again_and_what_waits_can_be_cancelled(filled: Engine) -> None:
    assert run("retry").exit_code == 2
    assert run("retry", "--all-dead").output == "1 go out with the next delivery.\n"
    assert states(filled) == ["waiting", "waiting"]
    assert run("cancel", "1", "2", "7").output == "2 of 3 are cancelled; what was sent stays sent.\n"
    assert states(filled) == ["cancelled", "cancelled"]


def test_holding_is_shown_set_and_lifted(filled: Engine) -> None:
    assert "not held" in run("hold").output
    assert ": a move. 1 messages wait." in run("hold", "--reason", "a move").output
    assert ": a move." in run("hold").output
    assert ": a move." in run("list").stderr
    assert run("release").output == "The hold is lifted.\n"
    assert run("release").output == "Sending was not held.\n"
