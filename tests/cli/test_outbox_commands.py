"""The outbox from the command line."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text
from ticket_histories import KEY, fold

from amazon_support import settings
from amazon_support.cli import main
from amazon_support.orchestration import hooks
from amazon_support.outputs.acknowledge import Breach

INSERT = """
insert into pii.outbox (message_key, kind, recipient, subject, html, plain, message_id, available_at, dead_at,
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
        return list(connection.execute(text("select state from pii.outbox order by outbox_id")).scalars())


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
    assert ": a move. 1 message waits." in run("hold", "--reason", "a move").output
    assert ": a move." in run("hold").output
    assert ": a move." in run("list").stderr
    assert run("release").output == "The hold is lifted.\n"
    assert run("release").output == "Sending was not held.\n"


def test_a_dry_run_lists_what_would_be_sent_and_writes_nothing(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        fold(connection, ("2026-03-09 10:00", "buyer_message"))
    found = run("dry-run", "--as-of", "2026-03-10T12:00Z")
    assert [line.split()[1:4] for line in found.output.splitlines()[1:]] == [
        ["worklist", "email", "…@example.com"],
        ["alert", "email", "…@example.com"],
    ]
    assert "1 breached" in run("dry-run", "--as-of", "2026-03-10T12:00Z", "--with-personal-data").output
    assert states(warehouse) == []
    with warehouse.connect() as connection:
        assert connection.execute(text("select count(*) from mart.worklist_item")).scalar_one() == 0


def preview(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["outputs", "preview", "worklist", "--as-of", "2026-03-10T12:00Z", *arguments])


@pytest.mark.parametrize(
    ("lang", "subject"),
    [
        ("en", "Worklist 12:00 UTC: 1 late, 0 at risk, 1 in all"),
        ("de", "Arbeitsliste 12:00 UTC: 1 überfällig, 0 gefährdet, 1 insgesamt"),
    ],
)
def test_a_worklist_is_looked_at_before_it_is_sent(warehouse: Engine, tmp_path: Path, lang: str, subject: str) -> None:
    with warehouse.begin() as connection:
        fold(connection, ("2026-03-09 10:00", "buyer_message"))
    agent, page = settings.load().agents[0].name, tmp_path / "list.html"
    assert preview("--agent", agent, "--lang", lang).output.startswith(f"{subject}\n\n")
    assert preview("--agent", agent, "--lang", lang, "--html", str(page)).output == f"Written: {page}\n"
    assert page.read_text().startswith("<!doctype html>")
    assert states(warehouse) == []
    with warehouse.connect() as connection:
        assert connection.execute(text("select count(*) from mart.worklist_item")).scalar_one() == 0


def test_a_list_that_nobody_gets_is_told_with_those_there_are(warehouse: Engine) -> None:
    missed = preview("--agent", "Nobody")
    assert missed.exit_code == 1
    assert f"there are: {settings.load().agents[0].name}" in missed.stderr
    assert preview().exit_code == 2


def test_a_breach_is_acknowledged_by_its_link(warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "a-key")
    links = hooks.acknowledgement_links()
    token = links.token(Breach("main", "reply", KEY, 1, "Support"), at=datetime.now(UTC))
    outputs = [CliRunner().invoke(main, ["alerts", "ack", given]).output for given in (f"https://x/y/{token}", token)]
    assert [output.partition(KEY)[0] for output in outputs] == ["No more alerts about ", "Acknowledged before: "]
    refused = CliRunner().invoke(main, ["alerts", "ack", token[:-2]])
    assert refused.exit_code == 1
    assert "not one of ours" in refused.output
    with warehouse.connect() as connection:
        told = connection.execute(text("select ticket_id, acknowledged_by from core.alert_acknowledgement")).all()
    assert [tuple(row) for row in told] == [(KEY, "Support")]


def test_the_doctor_sees_what_was_given_up_and_what_is_held(filled: Engine) -> None:
    def found() -> dict[str, object]:
        findings = json.loads(CliRunner().invoke(main, ["doctor", "--json"]).stdout)
        return next(finding for finding in findings if finding["what"] == "outbox")

    assert found()["found"] == "given up: 2"
    run("cancel", "2")
    assert found()["ok"]
    run("hold", "--reason", "a move")
    assert "All sending is held since" in str(found()["found"])
