"""The jobs' own steps for messages: only the newest hour tells anybody, and a failed source is among what it tells."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from landing import rows
from sqlalchemy import Engine
from ticket_histories import event, record

from amazon_support import tickets
from amazon_support.orchestration import tasks
from amazon_support.outputs import outbox_desk
from amazon_support.settings import Policy

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)  # the tasks ask the real clock
HOUR = timedelta(hours=1)
AGENTS = "agents: [{name: Ana, email: ana@shop.example, chat: chat_ana}]\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings and data of one's own; a secret for the links."""
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(tmp_path))
    monkeypatch.setenv("AMAZON_SUPPORT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("AIRFLOW_CONN_AMAZON_SUPPORT_ARCHIVE", '{"conn_type": "generic", "password": "secret"}')
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/")
    (tmp_path / "agents.yaml").write_text(AGENTS)
    return tmp_path


def in_a_run(monkeypatch: pytest.MonkeyPatch, run_type: str = "scheduled", end: datetime = NOW, **states: str) -> None:
    """A run of which tasks ended so; a double underscore stands for a point."""
    run = SimpleNamespace(run_type=run_type, data_interval_start=end - HOUR, data_interval_end=end)
    named = {name.replace("__", "."): state for name, state in states.items()}
    asked = SimpleNamespace(get_task_states=lambda dag_id, run_ids: {"run": named} if named else {})
    context = {"dag_run": run, "params": {}, "run_id": "run", "ti": asked, "dag": SimpleNamespace(dag_id="dag")}
    monkeypatch.setattr(tasks, "get_current_context", lambda: context)


def a_breach(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        record(connection, [event(NOW - 30 * HOUR, "buyer_message")])
        tickets.fold(connection, Policy())


def queued(warehouse: Engine) -> Counter[tuple[str, str]]:
    with warehouse.begin() as connection:
        return Counter(rows(connection, "select kind, channel from pii.outbox"))  # type: ignore[arg-type]


def test_the_newest_hour_tells_each_person_once(warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    a_breach(warehouse)
    in_a_run(monkeypatch, orders__pull_0="failed", mail__pull_0="success", summary="upstream_failed")
    assert [tasks.write_worklists()["queued"] for _ in range(2)] == [3, 0]
    assert queued(warehouse) == {("worklist", "email"): 1, ("alert", "email"): 1, ("alert", "chat"): 1}
    with warehouse.begin() as connection:
        (plain,) = rows(connection, "select plain from pii.outbox where kind = 'alert' and channel = 'email'")[0]
        assert rows(connection, "select as_of from ops.hour_done") == [(NOW,)]
    assert "orders.pull of amazon_sp_api_default failed" in plain
    assert "summary" not in plain, "what could not begin is no news beside what failed"
    assert "https://airflow.example/support/acknowledge/" in plain


@pytest.mark.parametrize(("run_type", "end"), [("manual", NOW), ("backfill", NOW), ("scheduled", NOW - 4 * HOUR)])
def test_other_runs_tell_nobody(
    warehouse: Engine, monkeypatch: pytest.MonkeyPatch, run_type: str, end: datetime
) -> None:
    a_breach(warehouse)
    in_a_run(monkeypatch, run_type, end, orders__pull_0="failed")
    assert tasks.write_worklists()["queued"] == 0
    assert tasks.watch() == tasks.alert_health() == {"queued": 0}
    assert queued(warehouse) == {}
    with warehouse.begin() as connection:
        assert rows(connection, "select * from ops.hour_done") == []


def test_what_was_sent_stays_known_whatever_window_the_upkeep_is_given(
    warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_breach(warehouse)
    in_a_run(monkeypatch)
    tasks.write_worklists()
    with warehouse.begin() as connection:
        connection.exec_driver_sql("update pii.outbox set sent_at = now(), emptied_at = now()")
    in_a_run(monkeypatch, "manual", end=NOW + timedelta(days=400))
    assert tasks.keep_up()["messages"] == 0
    in_a_run(monkeypatch)
    assert tasks.write_worklists()["queued"] == 0


def test_without_a_mail_server_mail_waits_and_chat_is_tried(warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    a_breach(warehouse)
    in_a_run(monkeypatch)
    tasks.write_worklists()
    assert tasks.deliver() == {"sent": 0, "failed": 1, "dead": 0}
    with warehouse.begin() as connection:
        failed = rows(connection, "select channel, attempts, last_error from pii.outbox where attempts > 0")
    assert failed == [("chat", 1, "there is no Airflow connection chat_ana: see agents.yaml")]


def test_while_sending_is_held_nothing_is_tried(warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    a_breach(warehouse)
    in_a_run(monkeypatch)
    with warehouse.begin() as connection:
        outbox_desk.hold(connection, "a move", at=NOW)
    assert tasks.write_worklists()["queued"] == 3
    assert tasks.deliver() == {"sent": 0, "failed": 0, "dead": 0}


def test_a_chat_that_never_takes_a_message_is_told_to_the_lead_by_mail(
    warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    service: dict[str, Any] = {"conn_type": "apprise", "extra": {"config": {"path": "json://127.0.0.1:1/x"}}}
    monkeypatch.setenv("AIRFLOW_CONN_CHAT_ANA", json.dumps(service))
    a_breach(warehouse)
    in_a_run(monkeypatch)
    tasks.write_worklists()
    with warehouse.begin() as connection:
        rows(connection, "update pii.outbox set attempts = 9 where channel = 'chat' returning 1")
    assert tasks.deliver() == {"sent": 0, "failed": 0, "dead": 1}
    in_a_run(monkeypatch, end=datetime.now(UTC) + HOUR)
    assert tasks.watch()["queued"] == 2
    with warehouse.begin() as connection:
        plain = rows(connection, "select plain from pii.outbox where channel = 'email' order by outbox_id desc limit 1")
    assert "1 message could not be delivered" in plain[0][0]


def test_a_job_that_failed_is_told_to_the_leads(warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for run_type in ("manual", "scheduled", "scheduled"):
        in_a_run(monkeypatch, run_type, feedback__pull_0="failed", feedback__check="success")
        with pytest.raises(tasks.RunFailed, match=r"Failed: feedback\.pull_0"):
            tasks.summarise()
    assert queued(warehouse) == {("alert", "email"): 1, ("alert", "chat"): 1}
    with warehouse.begin() as connection:
        plain = rows(connection, "select plain from pii.outbox where channel = 'email'")[0][0]
    assert "feedback.pull of amazon_sp_api_default failed" in plain
