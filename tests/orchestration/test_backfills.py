"""`airflow backfill create` makes the runs that docs/backfill.md promises, of every DAG that pulls."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from amazon_support import backfill_plan
from amazon_support.settings import home
from amazon_support.window import Window

SPANS = {
    "orders_history": ("2026-01-01", "2026-03-15"),
    "support_hourly": ("2026-03-10T10:00:00+00:00", "2026-03-10T12:00:00+00:00"),
    "support_daily": ("2026-03-10T00:00:00+00:00", "2026-03-11T12:00:00+00:00"),
    "mail_reread": ("2026-03-10", "2026-03-11"),
}


@pytest.fixture(scope="module")
def backfills(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("backfills")
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home() / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
    }
    spans = [f"{dag}={start}/{end}" for dag, (start, end) in SPANS.items()]
    answer = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "backfill_runs.py"), *spans],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout + answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def hours(runs: list[list[str]]) -> list[tuple[str, float]]:
    """Beginning and length of each."""
    moments = [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end, *_ in runs]
    return [(f"{start:%m-%d %H}", (end - start).total_seconds() / 3600) for start, end in moments]


def test_history_goes_in_windows_of_thirty_days_from_the_day_that_is_asked_for(backfills: dict[str, Any]) -> None:
    assert hours(backfills["orders_history"]) == [("01-01 00", 720), ("01-31 00", 720), ("03-02 00", 720)]


def test_hours_and_days_are_whole(backfills: dict[str, Any]) -> None:
    assert hours(backfills["support_hourly"]) == [("03-10 10", 1), ("03-10 11", 1), ("03-10 12", 1)]
    assert hours(backfills["support_daily"]) == [("03-10 03", 24), ("03-11 03", 24)]


@pytest.mark.parametrize("dag", backfill_plan.INTERVALS)
def test_the_plan_beforehand_knows_them(backfills: dict[str, Any], dag: str) -> None:
    start, last = (datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in SPANS[dag])
    span = Window(start, last + timedelta(seconds=1), live=False)
    planned = [(window.start, window.end) for window in backfill_plan.runs(dag, span)]
    assert planned == [
        (datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end, *_ in backfills[dag]
    ]


def test_they_are_backfills_and_so_write_to_nobody(backfills: dict[str, Any]) -> None:
    kinds = {run[2] for name in ("orders_history", "support_hourly", "support_daily") for run in backfills[name]}
    assert kinds == {"backfill"}


def test_only_an_hour_has_a_deadline(backfills: dict[str, Any]) -> None:
    deadlines = [run[3] for run in backfills["support_hourly"]]
    assert deadlines == [f"2026-03-10T{hour}:20:00+00:00" for hour in (11, 12, 13)]
    assert {run[3] for name in ("orders_history", "support_daily") for run in backfills[name]} == {None}


def test_mail_has_no_schedule_and_airflow_says_so(backfills: dict[str, Any]) -> None:
    assert "mail_reread" in backfills["mail_reread"]["refused"]
