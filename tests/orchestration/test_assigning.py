"""The hourly job's own steps for who does what: only the newest hour assigns, each desk's folder is one source."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from desk_exports import SOLVED, drop
from landing import rows
from sqlalchemy import Engine
from ticket_histories import event, record

from amazon_support.orchestration import tasks
from amazon_support.sources.errors import BadCredentials

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)  # the tasks ask the real clock
HOUR = timedelta(hours=1)
RULES = "assignment:\n  rules:\n    - {name: all, tickets: {}, agents: [Support]}\n"
FOLDERS = "desk_files:\n  formats: [{name: own, columns: {at: [Date], order_id: [Order ID]}}]\n  folders:\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of one's own; a secret for the hashes of buyers."""
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_CONN_AMAZON_SUPPORT_ARCHIVE", '{"conn_type": "generic", "password": "secret"}')
    return tmp_path


def in_a_run(monkeypatch: pytest.MonkeyPatch, run_type: str = "scheduled", end: datetime = NOW) -> dict[str, Any]:
    run = SimpleNamespace(run_type=run_type, data_interval_start=end - HOUR, data_interval_end=end)
    context: dict[str, Any] = {"dag_run": run, "params": {}}
    monkeypatch.setattr(tasks, "get_current_context", lambda: context)
    return context


def ask(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        record(connection, [event(NOW - 30 * HOUR / 60, "buyer_message")])


def agents(warehouse: Engine) -> list[tuple[Any, ...]]:
    with warehouse.begin() as connection:
        return rows(connection, "select agent, since from mart.ticket_agent")


def test_a_live_run_assigns_and_folds_again(warehouse: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "assignment.yaml").write_text(RULES)
    ask(warehouse)
    in_a_run(monkeypatch)
    done = tasks.fold_tickets()
    assert (done["touched"], done["assigned"], done["waiting"]) == (1, 1, 0)
    assert agents(warehouse) == [("Support", NOW)]
    with warehouse.begin() as connection:
        assert rows(connection, "select status from mart.ticket_status order by from_at") == [("new",), ("open",)]
        assert rows(connection, "select * from ops.ticket_touched") == []
    assert tasks.fold_tickets()["assigned"] == 0


@pytest.mark.parametrize(("run_type", "end"), [("manual", NOW), ("backfill", NOW), ("scheduled", NOW - 4 * HOUR)])
def test_a_run_that_is_not_the_newest_state_assigns_nothing(
    warehouse: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch, run_type: str, end: datetime
) -> None:
    (folder / "assignment.yaml").write_text(RULES)
    ask(warehouse)
    in_a_run(monkeypatch, run_type, end)
    assert tasks.fold_tickets()["assigned"] == 0
    assert agents(warehouse) == []


def test_each_folder_of_an_enabled_account_is_a_source(folder: Path) -> None:
    assert tasks.list_desk_folders() == []
    (folder / "accounts.yaml").write_text(
        "accounts:\n  - {name: shop, regions: [eu]}\n  - {name: old, enabled: false}\n"
    )
    here = "    - {{account: {}, desk: {}, url: /in, format: own}}\n"
    (folder / "desk_files.yaml").write_text(
        FOLDERS + here.format("shop", "bqool") + here.format("shop", "zendesk") + here.format("old", "bqool")
    )
    assert tasks.list_desk_folders() == [
        {"account": "shop", "desk": "bqool"},
        {"account": "shop", "desk": "zendesk"},
    ]


def test_a_folder_named_by_a_connection_is_read(
    warehouse: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drop(tmp_path / "in", "a.csv", SOLVED)
    (folder / "desk_files.yaml").write_text(
        FOLDERS + "    - {account: main, desk: bqool, connection: exports, format: own, after_reading: delete}\n"
    )
    context = in_a_run(monkeypatch)
    with pytest.raises(BadCredentials, match="no Airflow connection exports"):
        tasks.read_desk_folder({"account": "main", "desk": "bqool"})
    monkeypatch.setenv("AIRFLOW_CONN_EXPORTS", json.dumps({"conn_type": "fs", "extra": {"path": f"{tmp_path}/in"}}))
    assert tasks.read_desk_folder({"account": "main", "desk": "bqool"})["rows"] == 1
    assert context["map_name"] == "main bqool"
    assert not list((tmp_path / "in").iterdir())
