"""Real runs of the DAGs: neither logs nor task results hold anything of the buyer, before and after the removal."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from landing import NOON, iso
from marked_buyer import DAY, MARKS, marked_mail, marked_order, traces
from sqlalchemy import Engine

from amazon_support.mail.archive import Archive
from amazon_support.settings import home
from sandbox.amazon import TOKEN_PATH, create_app
from sandbox.amazon_faults import Faults
from sandbox.http import serve
from sandbox.mail_servers import ImapServer, imap_server
from sandbox.world import SandboxMail, Seller, World

DAG_RUNS = Path(__file__).parents[1] / "orchestration" / "dag_runs.py"
HOUR = timedelta(hours=1)
LATER = NOON + 70 * DAY
FERNET_KEY = "3Jg3v9B1lYz2gkP9Y1m0vF0cQ0o8H6o4o3m7l0w2n1A="


@dataclass(frozen=True)
class Looked:
    """What was found of the buyer after the hourly run, and after the removal; what the tasks became."""

    before: dict[str, list[str]]
    after: dict[str, list[str]]
    printed: str
    states: list[dict[str, dict[str, str]]]


def write_settings(folder: Path) -> None:
    shipped = yaml.safe_load((home() / "include/settings/marketplaces.yaml").read_text())["marketplaces"]
    account = {
        "name": "main",
        "amazon_connections": ["amazon_sp_api_main"],
        "mailboxes": [{"connection": "imap_main"}],
        "marketplaces": {site["country"]: "disabled" for site in shipped if site["country"] != "DE"},
    }
    (folder / "accounts.yaml").write_text(yaml.safe_dump({"accounts": [account]}))


def connections(amazon: str, mail: ImapServer) -> dict[str, str]:
    login = mail.users["main"]
    found: dict[str, dict[str, Any]] = {
        "amazon_sp_api_main": {
            "conn_type": "amazon_sp_api",
            "extra": {
                "region": "eu", "refresh_token": "Atzr|eu", "client_id": "id", "client_secret": "secret",
                "endpoint": amazon, "token_url": amazon + TOKEN_PATH,
            },
        },
        "imap_main": {
            "conn_type": "imap", "host": mail.host, "port": mail.port, "login": login.user,
            "password": login.password, "extra": {"use_ssl": False},
        },
    }  # fmt: skip
    return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(fields) for name, fields in found.items()}


def run_dag(environment: dict[str, str], name: str, span: timedelta, end: datetime) -> tuple[Any, str]:
    window = f"{name}={iso(end - span)}/{iso(end)}"
    ended = subprocess.run(
        [sys.executable, str(DAG_RUNS), iso(end), window], env=environment, capture_output=True, text=True
    )
    printed = ended.stdout + ended.stderr
    assert ended.returncode == 0, printed[-3000:]
    return json.loads(ended.stdout.splitlines()[-1]), printed


@pytest.fixture(scope="module")
def looked(module_warehouse: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looked]:
    folder = tmp_path_factory.mktemp("runs")
    write_settings(folder)
    world = World(
        sellers=(Seller("main", "eu", ("DE",), "id", "secret", "Atzr|eu", "AMAIN"),),
        orders={("main", "eu"): []},
        mails=[],
    )
    faults = Faults()
    faults.next("searchOrders", body={"orders": [marked_order()], "pagination": {}})
    ahead = NOON - datetime.now(UTC)
    app = create_app(world, rate_factor=1000, faults=faults, clock=lambda: datetime.now(UTC) + ahead)
    arrived = marked_mail(at=NOON - HOUR / 2)
    with serve(app) as amazon, imap_server({"main": [SandboxMail("main", arrived.received_at, arrived.raw)]}) as mail:
        environment = {
            **os.environ,
            **connections(amazon, mail),
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(home() / "dags"),
            "AIRFLOW__CORE__FERNET_KEY": FERNET_KEY,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AMAZON_SUPPORT_SETTINGS": str(folder),
            "AMAZON_SUPPORT_DATA": str(folder / "data"),
            "AMAZON_SUPPORT_WAREHOUSE": module_warehouse.url.render_as_string(hide_password=False),
        }
        archive = Archive(folder / "data" / "archive", hashlib.sha256(f"archive:{FERNET_KEY}".encode()).hexdigest())
        hourly, printed = run_dag(environment, "support_hourly", HOUR, NOON)
        before = traces(module_warehouse, archive, folder)
        retention, more = run_dag(environment, "support_retention", DAY, LATER)
    yield Looked(before, traces(module_warehouse, archive, folder), (printed + more).lower(), [hourly, retention])


@pytest.mark.slow
def test_the_runs_are_green(looked: Looked) -> None:
    states = {state for run in looked.states for tasks in run.values() for state in tasks.values()}
    assert states <= {"success", "skipped"}


@pytest.mark.slow
def test_logs_task_results_and_files_never_hold_anything_of_the_buyer(looked: Looked) -> None:
    assert {mark for marks in looked.before.values() for mark in marks} >= {"zebulon", "quittenmarmelade"}
    assert [place for place in looked.before if not place.startswith(("pii.", "archive"))] == []
    assert [mark for mark in MARKS if mark in looked.printed] == []


@pytest.mark.slow
def test_after_the_removal_nothing_holds_anything_of_the_buyer(looked: Looked) -> None:
    assert looked.after == {}
