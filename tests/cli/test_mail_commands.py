"""`mail import` and `mail archive rotate`, from the command to the facts."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from amazon_support.cli import main
from amazon_support.mail.archive import Archive
from amazon_support.orchestration import hooks

MAIL = b"""From: Jo Invented - Amazon Marketplace <abc123def456gh@marketplace.amazon.de>
Subject: Anfrage von Amazon-Kunde Jo Invented (Bestellung: 302-1234567-7654321)
Date: Sun, 01 Mar 2026 08:00:00 +0000
Message-ID: <one@eu-west-1.amazonses.com>

Wo bleibt mein Paket?
"""


@pytest.fixture(autouse=True)
def archive_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Sets the secrets of the archive, newest first."""
    monkeypatch.setenv("AMAZON_SUPPORT_ARCHIVE", str(tmp_path / "archive"))

    def set_secrets(secret: str, *previous: str) -> None:
        fields = {"conn_type": "generic", "password": secret, "extra": {"previous": list(previous)}}
        monkeypatch.setenv("AIRFLOW_CONN_AMAZON_SUPPORT_ARCHIVE", json.dumps(fields))

    set_secrets("one")
    return set_secrets


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, arguments)


def test_mail_from_files_becomes_facts(warehouse: Engine, tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(MAIL)
    (tmp_path / "bad.eml").write_bytes(b"")
    answers = [run("mail", "import", str(tmp_path), "--account", "main", "--mailbox", "export") for _ in range(2)]
    assert [answer.exit_code for answer in answers] == [0, 0], answers[0].output
    assert answers[0].stdout.splitlines() == [
        "        1  buyer_message",
        "        1  mails; 0 known before, 1 left out",
    ]
    assert answers[1].stdout.splitlines() == ["        0  mails; 1 known before, 1 left out"]
    assert "Left out: " in answers[0].stderr and "bad.eml, mail 1: no mail" in answers[0].stderr
    with warehouse.connect() as connection:
        facts = connection.exec_driver_sql("select mailbox, kind, ticket_key from core.mail").all()
        assert [tuple(fact) for fact in facts] == [("export", "buyer_message", "DE:order:302-1234567-7654321")]
        assert connection.exec_driver_sql("select count(*) from core.account_start").scalar() == 1


def test_an_account_that_is_not_there_is_named(warehouse_url: str, tmp_path: Path) -> None:
    answer = run("mail", "import", str(tmp_path), "--account", "mian")
    assert answer.exit_code == 2
    assert "no account 'mian' in accounts.yaml; there are: ['main']" in answer.output


def test_rotation_leaves_one_secret_enough(archive_connection: Any) -> None:
    name = hooks.archive().put(MAIL)
    archive_connection("two", "one")
    assert run("mail", "archive", "rotate").stdout == "1 mails, 1 sealed again\n"
    archive_connection("two")
    assert hooks.archive().get(name) == MAIL


def test_rotation_fails_and_names_what_it_cannot_open(archive_connection: Any, tmp_path: Path) -> None:
    name = Archive(tmp_path / "archive", "forgotten").put(MAIL)
    answer = run("mail", "archive", "rotate")
    assert answer.exit_code == 1
    assert f"cannot be opened: {name}" in answer.stderr
    assert "1 mails need a secret that is not given" in answer.stderr


def test_a_missing_secret_is_told_in_a_line(archive_connection: Any) -> None:
    archive_connection("")
    answer = run("mail", "archive", "rotate")
    assert (answer.exit_code, "No secret for the mail archive" in answer.stderr) == (1, True)
