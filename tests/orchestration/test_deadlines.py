"""Worklists that are late: Airflow's deadline alert tells the leads, once, and nobody of what is past."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from landing import rows
from sqlalchemy import Engine

from amazon_support import settings
from amazon_support.orchestration.deadlines import late_list, tell_of_late_list
from amazon_support.outputs import alerts

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)  # the callback asks the real clock
HOUR, LATE = timedelta(hours=1), timedelta(minutes=20)


@pytest.fixture(autouse=True)
def lead(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "agents.yaml").write_text("agents: [{name: Lea, email: lea@shop.example}]\n")
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(tmp_path))


def missed(run_type: str = "scheduled", end: datetime = NOW) -> dict[str, Any]:
    """What Airflow gives with the missed deadline of the run for the hour before `end`."""
    run = {
        "run_type": run_type,
        "data_interval_start": (end - HOUR).isoformat().replace("+00:00", "Z"),
        "data_interval_end": end.isoformat().replace("+00:00", "Z"),
    }
    return json.loads(json.dumps({"dag_run": run, "deadline": {"deadline_time": (end + LATE).isoformat()}}))


def written(warehouse: Engine, hour: datetime) -> None:
    with warehouse.begin() as connection:
        alerts.note_hour(connection, as_of=hour, now=hour)


def told(warehouse: Engine) -> list[Any]:
    with warehouse.begin() as connection:
        return [plain for (plain,) in rows(connection, "select plain from pii.outbox")]


def test_it_is_due_when_the_policy_says_so_however_late_the_run_was_queued() -> None:
    alert = late_list(HOUR)
    assert alert.interval == HOUR + LATE
    assert alert.reference.reference_name == "DagRunLogicalDateDeadline"
    assert alert.callback.path == "amazon_support.orchestration.deadlines.tell_of_late_list"


def test_the_policy_may_be_another(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policy.yaml").write_text("policy: {list_late_after: 45m}\n")
    assert late_list(HOUR).interval == timedelta(minutes=105)


def test_the_leads_are_told_once_also_by_whoever_notices_later(warehouse: Engine) -> None:
    written(warehouse, NOW - HOUR)
    answer = asyncio.run(tell_of_late_list(context=missed()))
    assert answer.startswith("1 messages queued")
    (mail,) = told(warehouse)
    assert "No worklist since" in mail
    asyncio.run(tell_of_late_list(context=missed()))
    with warehouse.begin() as connection:
        assert alerts.raise_troubles(connection, settings.load(), as_of=NOW + 2 * LATE) == 0


def test_a_run_that_failed_after_its_lists_were_written_is_no_late_list(warehouse: Engine) -> None:
    written(warehouse, NOW)
    assert "nobody is told" in asyncio.run(tell_of_late_list(context=missed()))
    assert told(warehouse) == []


@pytest.mark.parametrize(("run_type", "end"), [("backfill", NOW), ("manual", NOW), ("scheduled", NOW - 4 * HOUR)])
def test_of_backfills_manual_and_past_runs_nobody_is_told(warehouse: Engine, run_type: str, end: datetime) -> None:
    written(warehouse, end - HOUR)
    assert "nobody is told" in asyncio.run(tell_of_late_list(context=missed(run_type, end)))
    assert told(warehouse) == []
