"""The command line: right from any directory, exit codes for scripts, no traceback for what a person can mend."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from amazon_support import doctor
from amazon_support.cli import main
from amazon_support.warehouse.embedded import EmbeddedServer

MAIL = b"""From: Jo Invented - Amazon Marketplace <abc123def456gh@marketplace.amazon.de>
To: support+de@shop.example
Subject: Anfrage von Amazon-Kunde Jo Invented (Bestellung: 302-1234567-7654321)
Date: Sun, 01 Mar 2026 08:00:00 +0000
Message-ID: <one@eu-west-1.amazonses.com>
X-Space-Notification-Type: BBC_MESSAGE_SENT_TO_MERCHANT
Content-Type: text/plain; charset=utf-8

Bestellnummer 302-1234567-7654321:

------------- Anfang der Nachricht -------------

Wo bleibt mein Paket?

------------- Ende der Nachricht -------------
"""
EXPLAINED = {
    "kind", "confidence", "signals", "account", "marketplace", "order_ids", "case_id", "buyer_name", "buyer_alias",
    "direction", "sent_at", "language", "no_response_link", "attachments", "text",
}  # fmt: skip


MIGRATIONS = Path(__file__).parents[2] / "include/sql/migrations"


@pytest.fixture
def run() -> CliRunner:
    return CliRunner()


@pytest.fixture
def mail_file(tmp_path: Path) -> Path:
    file = tmp_path / "one.eml"
    file.write_bytes(MAIL)
    return file


def test_it_runs_from_any_directory(tmp_path: Path, mail_file: Path) -> None:
    command = [sys.executable, "-m", "amazon_support", "mail", "explain", mail_file.name, "--json"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    explained = json.loads(answer.stdout)
    assert explained.keys() >= EXPLAINED
    assert (explained["kind"], explained["marketplace"], explained["direction"]) == ("buyer_message", "DE", "inbound")
    assert explained["order_ids"] == ["302-1234567-7654321"]
    assert explained["text"] == "Wo bleibt mein Paket?"
    assert explained["sent_at"].startswith("2026-03-01T08:00:00")


def test_a_mail_is_explained_from_standard_input_too(run: CliRunner) -> None:
    answer = run.invoke(main, ["mail", "explain", "-"], input=MAIL)
    assert answer.exit_code == 0
    assert "buyer_message" in answer.output
    assert "\x1b" not in answer.output, "no colour where there is no terminal"


def test_a_file_that_is_not_there_is_a_wrong_call(run: CliRunner, tmp_path: Path) -> None:
    assert run.invoke(main, ["mail", "explain", str(tmp_path / "none.eml")]).exit_code == 2


@pytest.mark.parametrize("command", [[], ["demo"], ["up"], ["db", "upgrade"], ["doctor"], ["mail", "explain"]])
def test_every_command_says_what_it_is_for(run: CliRunner, command: list[str]) -> None:
    answer = run.invoke(main, [*command, "--help"])
    assert answer.exit_code == 0
    assert len(answer.output.splitlines()) > 3


def test_the_warehouse_is_made_and_brought_to_the_newest_schema(
    run: CliRunner, postgres: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMAZON_SUPPORT_WAREHOUSE", postgres.url("made_by_command"))
    newest = max(file.name for file in MIGRATIONS.glob("*.sql"))[:4]
    for _ in range(2):
        assert run.invoke(main, ["db", "create"]).output == "The database made_by_command is there.\n"
        assert run.invoke(main, ["db", "upgrade"]).output == f"The warehouse is at revision {newest}.\n"


def test_psql_speaks_to_the_warehouse(warehouse_url: str) -> None:
    command = [sys.executable, "-m", "amazon_support", "db", "psql", "-Atc", "select count(*) from ops.batch"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (0, "0\n"), answer.stderr


def test_a_warehouse_that_does_not_answer_is_one_line(run: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAZON_SUPPORT_WAREHOUSE", "postgresql://somebody:geheim@127.0.0.1:9/nowhere")
    answer = run.invoke(main, ["db", "upgrade"])
    assert answer.exit_code == 1
    assert answer.output.startswith("Error: The warehouse at ")
    assert "does not answer" in answer.output
    assert "geheim" not in answer.output


def test_a_wrong_setting_is_one_line(run: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policy.yaml").write_text("policy:\n  first_import: soon\n")
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(tmp_path))
    finding = doctor.examine()[0]
    assert (finding.what, finding.ok) == ("settings", False)
    assert "policy.yaml:2:" in finding.found


def test_the_doctor_lines_its_findings_up_and_says_what_to_do() -> None:
    findings = [doctor.Finding("settings", True, "fine"), doctor.Finding("smtp", False, "no connection", "add one")]
    assert doctor.render(findings, colour=False).splitlines() == [
        "ok    settings  fine",
        "FAIL  smtp      no connection",
        "                -> add one",
    ]
    assert "\x1b[31mFAIL" in doctor.render(findings, colour=True)
