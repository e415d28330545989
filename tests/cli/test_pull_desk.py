"""`pull desk`: an export looked into, or loaded, by hand."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from desk_exports import NOTED, SOLVED, drop
from landing import NOON, ORDER, land_some_mail, let_pass, mail, rows
from sqlalchemy import Engine

from amazon_support import doctor, settings
from amazon_support.cli import main
from amazon_support.warehouse import land

WHO = ("pull", "desk", "--account", "main", "--desk", "bqool")


@pytest.fixture(autouse=True)
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The drop folder, named in settings of one's own."""
    shipped = (settings.home() / "include/settings/desk_files.yaml").read_text()
    inbox = tmp_path / "in"
    folder = f"[{{account: main, desk: bqool, url: {inbox}, format: bqool}}]"
    (tmp_path / "desk_files.yaml").write_text(shipped.replace("folders: []", f"folders: {folder}"))
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_CONN_AMAZON_SUPPORT_ARCHIVE", '{"conn_type": "generic", "password": "secret"}')
    return inbox


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, [*WHO, *arguments])


def test_an_export_is_shown_in_our_words_without_the_buyers(inbox: Path) -> None:
    path = drop(inbox, "a.csv", SOLVED, NOTED)
    answer = run(str(path))
    assert answer.exit_code == 0, answer.output
    assert "solve" in answer.stdout and ORDER in answer.stdout
    assert "Muster" not in answer.stdout
    assert "Mia Muster" in run(str(path), "--with-personal-data").stdout
    lines = [json.loads(line) for line in run(str(path), "--json").stdout.splitlines()]
    assert [line["kind"] for line in lines] == ["solve", "note"]


def test_lines_that_cannot_be_read_are_named(inbox: Path) -> None:
    answer = run(str(drop(inbox, "a.csv", text="Order ID,Date\n1\n")))
    assert (answer.exit_code, "line 2: 1 fields instead of 2" in answer.stderr) == (1, True)


def test_a_folder_is_loaded_once_and_a_file_as_often_as_it_is_named(warehouse: Engine, inbox: Path) -> None:
    with warehouse.begin() as connection:
        land_some_mail(connection, mail("question", at=NOON.replace(hour=9), order_ids=[ORDER]))
        let_pass(connection)
        land.publish_mail(connection, settings.load())
    path = drop(inbox, "a.csv", SOLVED, NOTED)
    landed = [json.loads(run(*more, "--load", "--json").stdout)["rows"] for more in ((), (), (str(path),))]
    assert landed == [2, 0, 2]
    with warehouse.begin() as connection:
        assert rows(connection, "select count(*) from core.ticket_event where source = 'desk:bqool'") == [(2,)]


def test_what_was_called_wrongly_is_told() -> None:
    assert "Name a FILE to look into" in run().stderr
    answer = CliRunner().invoke(main, ["pull", "desk", "--account", "main", "--desk", "zen", "--load"])
    assert "no desk 'zen' of account 'main' in desk_files.yaml; there are: main bqool" in answer.stderr


def test_the_doctor_looks_into_the_folder(warehouse_url: str, inbox: Path) -> None:
    def finding() -> doctor.Finding:
        return next(each for each in doctor.examine() if each.what == "desk bqool")

    assert (finding().ok, finding().advice) == (False, "see desk_files.yaml: the folder must be there, and may be read")
    drop(inbox, "a.csv", SOLVED)
    assert (finding().ok, finding().found) == (True, "account main: 1 exports in its folder")
