"""A task that fails is told to the leads by their channels, as Airflow's callback."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine

from amazon_support.orchestration.notifiers import LeadsNotifier

HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
SETTINGS = {
    "agents": [
        {"name": "Ana Lima", "email": "ana@example.com"},
        {"name": "Lea Long", "email": "lea@example.com", "chat": "chat_lea"},
    ]
}
ASSIGNMENT = {"assignment": {"teams": [{"name": "all", "agents": ["Ana Lima"], "lead": "Lea Long"}]}}


@pytest.fixture(autouse=True)
def crew(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "agents.yaml").write_text(yaml.safe_dump(SETTINGS))
    (tmp_path / "assignment.yaml").write_text(yaml.safe_dump(ASSIGNMENT))
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(tmp_path))


def fails(task_id: str = "fold_tickets", run_type: str = "scheduled") -> None:
    context = {
        "dag_run": SimpleNamespace(
            run_type=run_type, data_interval_start=HOUR - timedelta(hours=1), data_interval_end=HOUR
        ),
        "ti": SimpleNamespace(dag_id="support_hourly", task_id=task_id),
    }
    LeadsNotifier()(context)


def queued(warehouse: Engine) -> list[tuple[Any, ...]]:
    with warehouse.connect() as connection:
        query = "select channel, recipient, plain from pii.outbox order by channel, outbox_id"
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_the_lead_reads_which_task_failed_once(warehouse: Engine) -> None:
    for _ in range(2):
        fails()
    chat, mail = queued(warehouse)
    assert (chat[1], "1 trouble in the pipeline" in chat[2]) == ("chat_lea", True)
    assert (mail[1], "support_hourly.fold_tickets failed" in mail[2]) == ("lea@example.com", True)


def test_each_task_is_told_by_itself(warehouse: Engine) -> None:
    fails("fold_tickets")
    fails("write_worklists")
    assert [row[0] for row in queued(warehouse)] == ["chat", "chat", "email", "email"]


@pytest.mark.parametrize("run_type", ["manual", "backfill"])
def test_nobody_is_told_of_a_run_that_is_not_live(warehouse: Engine, run_type: str) -> None:
    fails(run_type=run_type)
    assert queued(warehouse) == []
