"""Personal data from the command line: what is shown, asked, refused, and written."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from landing import ALIAS, ORDER, land_some_mail, land_some_orders, let_pass, mail, order, order_id, rows
from sqlalchemy import Engine

from amazon_support import doctor, settings, tickets
from amazon_support.cli import main
from amazon_support.mail.archive import Archive
from amazon_support.orchestration import hooks
from amazon_support.warehouse import land

SETTINGS = settings.load()
SECRETS = {"archive": "secret of the tests", "buyers": "key of the tests"}


@pytest.fixture(autouse=True)
def installation(warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A warehouse with one buyer's two orders and a mail, its archive, and a stranger's order."""
    monkeypatch.setenv("AMAZON_SUPPORT_DATA", str(tmp_path))
    monkeypatch.setattr(hooks, "warehouse_url", lambda: None)
    monkeypatch.setattr(hooks, "_secrets", lambda purpose: [SECRETS[purpose]])
    archived = Archive(tmp_path / "archive", SECRETS["archive"]).put(b"a mail")
    stranger = {"buyerName": "Ute Fremd", "buyerEmail": "other99@marketplace.amazon.de"}
    question = mail("question", order_ids=[ORDER], buyer_alias=ALIAS, buyer_name="Mia Muster")
    object.__setattr__(question, "archived_as", archived)
    with warehouse.begin() as connection:
        land_some_orders(connection, order(), order(order_id(2)), order(order_id(3), buyer=stranger))
        land_some_mail(connection, question)
        let_pass(connection)
        for dataset in ("orders", "mail"):
            land.PUBLISH[dataset](connection, SETTINGS)
        tickets.fold(connection, SETTINGS.policy)
    yield tmp_path


def run(*arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(main, ["privacy", *arguments], input=answers, catch_exceptions=False)


def held(warehouse: Engine) -> list[tuple[Any, ...]]:
    with warehouse.connect() as connection:
        return rows(connection, "select order_id, buyer_name from pii.order_contact order by 1")


def test_list_shows_what_is_held_in_columns() -> None:
    lines = run("list").output.splitlines()
    assert re.match(r"what +where +rows  oldest \(UTC\)$", lines[0])
    assert any(re.match(r"order contacts +pii.order_contact +3  2026-03-08 12:00$", line) for line in lines)
    assert len({line.index("pii.") for line in lines if "pii." in line}) == 1


def test_remove_counts_first_if_asked_to(warehouse: Engine) -> None:
    before = held(warehouse)
    assert json.loads(run("remove", "--as-of", "2026-06-01", "--dry-run", "--json").stdout) == {
        "orders": 3,
        "tickets": 1,
        "mails": 1,
    }
    assert held(warehouse) == before


def test_remove_says_what_was_removed_and_the_record_keeps_it(installation: Path) -> None:
    done = run("remove", "--as-of", "2026-06-01")
    assert re.search(r"^orders +3$", done.output, re.MULTILINE)
    assert re.search(r"^files +1$", done.output, re.MULTILINE)
    assert not [*(installation / "archive").rglob("*.mail")]
    record = run("record", "--key", ORDER).output
    assert re.search(r"^1 +retention +2026-06-01 00:00 .* main +1 orders, 2 rows$", record, re.MULTILINE)
    assert "Nothing was removed yet." in run("record", "--key", "unknown").output


def test_remove_refuses_a_time_that_lies_ahead() -> None:
    result = run("remove", "--as-of", "2999-01-01")
    assert result.exit_code == 1
    assert "that lies ahead" in result.output


def test_erase_shows_what_there_is_asks_and_does_nothing_without_a_yes(warehouse: Engine) -> None:
    before = held(warehouse)
    result = run("erase", "--order", ORDER, answers="Request 7\nn\n")
    assert result.exit_code == 1
    assert "2 orders, 1 tickets, 1 mails" in result.output
    assert held(warehouse) == before


@pytest.mark.parametrize("who", [["--order", order_id(2)], ["--alias", ALIAS], ["--alias", ALIAS.replace("@", "+x@")]])
def test_erase_takes_all_of_one_buyer_and_nothing_of_others(
    warehouse: Engine, installation: Path, who: list[str]
) -> None:
    result = run("erase", *who, "--because", "Request 7", "--yes")
    assert "Erased as number 1 of the record: 2 orders, 1 tickets, 1 mails, 1 files" in result.output
    assert held(warehouse) == [(order_id(2), None), (order_id(3), "Ute Fremd"), (ORDER, None)]
    with warehouse.connect() as connection:
        assert rows(connection, "select count(*) from pii.mail") == [(0,)]
        assert rows(connection, "select order_id from pii.order_received") == [(order_id(3),)]
    assert not [*(installation / "archive").rglob("*.mail")]
    assert "Request 7" in run("record").output


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["erase"], 2, "Name the buyer by --order or by --alias, one of them."),
        (["erase", "--order", ORDER, "--yes"], 2, "--yes needs --because"),
        (["erase", "--order", "302-0000000-0000000", "--because", "x", "--yes"], 1, "knows nothing of that order"),
        (["erase", "--alias", "noreply@amazon.com", "--because", "x", "--yes"], 1, "for any buyer"),
        (["export", "--order", "302-0000000-0000000"], 1, "knows nothing of order 302-0000000-0000000"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence(arguments: list[str], code: int, told: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, told in result.output) == (code, True), result.output


def test_export_tells_all_that_is_held_of_an_order_and_is_on_record(warehouse: Engine, installation: Path) -> None:
    asked = f"insert into core.review_request values ('main', '{ORDER}', '2026-03-10T12:00Z', 'bqool', null)"
    with warehouse.begin() as connection:
        connection.exec_driver_sql(asked)
    file = installation / "answer.json"
    assert "Written:" in run("export", "--order", ORDER, "--to", str(file)).output
    assert file.stat().st_mode & 0o777 == 0o600
    told = json.loads(file.read_text())
    assert {"Mia Muster", ALIAS} <= {told["buyer"][0]["buyer_name"], told["buyer"][0]["buyer_alias"]}
    assert [each["body"] for each in told["mails"]] == ["Wo ist meine Teekanne?"]
    assert told["order"][0]["ordered_at"] == "2026-03-08 12:00:00 UTC"
    assert [each["requested_at"] for each in told["review_requests"]] == ["2026-03-10 12:00:00 UTC"]
    assert "Ute Fremd" not in file.read_text()
    with warehouse.connect() as connection:
        seen = rows(connection, "select subject, page, seen_at from ops.personal_data_view")
    assert [(subject, page) for subject, page, _ in seen] == [(ORDER, "export")]
    assert abs(seen[0][2] - datetime.now(UTC)).total_seconds() < 3600
    again = run("export", "--order", ORDER, "--to", str(file))
    assert (again.exit_code, "name a file that is not there" in again.output) == (1, True)


def test_roles_are_made_and_shown(warehouse: Engine) -> None:
    result = CliRunner().invoke(main, ["db", "roles"], catch_exceptions=False)
    assert "support_reader  reads answers and facts without personal data" in result.output
    assert "create role" in CliRunner().invoke(main, ["db", "roles", "--sql"]).output
    with warehouse.connect() as connection:
        found = rows(connection, "select rolname from pg_roles where rolname like 'support\\_%' and not rolcanlogin")
    assert len(found) == 3


def test_the_doctor_finds_that_nothing_was_removed_for_more_than_two_days(warehouse: Engine) -> None:
    def finding() -> doctor.Finding:
        return doctor._look("retention", doctor._retention, "unpause it")

    assert finding().found == "nothing was removed yet"
    with warehouse.begin() as connection:
        connection.exec_driver_sql("update ops.batch set landed_at = now() - interval '49 hours'")
    assert (finding().ok, finding().found) == (False, "late: nothing was removed yet")
    run("remove")
    assert finding().ok
    with warehouse.begin() as connection:
        connection.exec_driver_sql("update ops.removal_run set finished_at = now() - interval '49 hours'")
    assert re.match(r"late: personal data was last removed \d", finding().found)
