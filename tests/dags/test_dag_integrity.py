"""Every DAG parses fast and carries what people and the scheduler need."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from airflow.sdk.exceptions import ParamValidationError

from amazon_support.settings import home

DAG_FILES = {
    "mail_reread.py": ["mail_reread"],
    "orders_history.py": ["orders_history"],
    "orders_wanted.py": ["orders_wanted"],
    "support_daily.py": ["support_daily"],
    "support_hourly.py": ["support_hourly"],
    "support_messages.py": ["support_messages"],
    "support_retention.py": ["support_retention"],
}
HEAVY = ("great_expectations", "pandas", "sp_api", "alembic")
MAX_LINES = 80


@pytest.fixture(scope="module")
def dags() -> dict:
    """All DAGs, as Airflow's own loader reads them."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(home() / "dags"), bundle_name="dags-folder")
    assert bag.import_errors == {}
    return bag.dags


def test_every_dag_file_is_listed_here() -> None:
    assert sorted(path.name for path in (home() / "dags").glob("*.py")) == sorted(DAG_FILES)


def test_each_file_holds_the_dags_it_is_known_for(dags: dict) -> None:
    assert sorted(dags) == sorted(name for names in DAG_FILES.values() for name in names)


@pytest.mark.parametrize("name", DAG_FILES)
def test_a_dag_file_is_wiring_only(name: str) -> None:
    lines = (home() / "dags" / name).read_text().splitlines()
    assert len(lines) < MAX_LINES
    assert not [line for line in lines if "select " in line.lower() or "http" in line]


def test_schedules_have_a_real_data_interval(dags: dict) -> None:
    for dag in dags.values():
        # A bare cron string would give every run an interval of zero length.
        if type(dag.timetable).__name__ not in ("CronDataIntervalTimetable", "DeltaDataIntervalTimetable"):
            assert type(dag.timetable).__name__ == "NullTimetable", dag.dag_id
            if dag.dag_id != "orders_wanted":  # which is for no window
                with pytest.raises(ParamValidationError, match="window_start"):  # it must be given then
                    dag.params.validate()


def test_a_window_of_history_is_the_longest_that_amazon_reports_at_once(dags: dict) -> None:
    assert dags["orders_history"].timetable.delta == timedelta(days=30)


def test_dags_say_who_owns_them_and_what_to_do(dags: dict) -> None:
    from amazon_support.orchestration.defaults import Tag

    for dag in dags.values():
        assert dag.doc_md
        assert "When a task is red" in dag.doc_md
        assert set(dag.tags) <= set(Tag)
        assert dag.catchup is False
        assert dag.max_active_runs == 1
        assert dag.dagrun_timeout


def test_tasks_have_owner_retries_timeout_and_a_pool_that_exists(dags: dict) -> None:
    pools = json.loads((home() / "include/settings/pools.json").read_text())
    for dag in dags.values():
        for task in dag.tasks:
            where = f"{dag.dag_id}.{task.task_id}"
            assert task.owner == "support", where
            assert task.pool in pools, where
            assert task.execution_timeout, where
            assert task.retries >= 2, where
            assert task.retry_policy, where


def test_a_verdict_on_a_run_stands_but_a_summary_whose_worker_died_is_made_again() -> None:
    from airflow.sdk import RetryAction

    from amazon_support.orchestration.defaults import RETRY_POLICY
    from amazon_support.orchestration.tasks import RunFailed

    assert RETRY_POLICY.evaluate(RunFailed("Failed: mail.pull_0."), 1, 4).action is RetryAction.FAIL


def test_a_failed_account_stops_neither_the_others_nor_stays_unseen(dags: dict) -> None:
    for dag in dags.values():
        for task in dag.tasks:
            if task.task_id.endswith((".check", ".publish", "summary")):
                assert task.trigger_rule == "all_done", f"{dag.dag_id}.{task.task_id}"
        if any(task.task_id.endswith(".pull") for task in dag.tasks):
            (last,) = dag.leaves
            assert last.task_id == "summary", "the last task must decide the run's verdict"


def test_the_hour_asks_for_the_orders_that_its_own_mail_names(dags: dict) -> None:
    asked = dags["support_hourly"].get_task("missing_orders.list_sources")
    assert asked.upstream_task_ids == {"mail.publish"}
    assert asked.trigger_rule == "all_done", "what one mailbox could not bring holds up nothing"


def test_a_pull_that_must_wait_gives_its_worker_back(dags: dict) -> None:
    pulls = [task for dag in dags.values() for task in dag.tasks if task.task_id.endswith(".pull")]
    assert {task.task_type for task in pulls if task.pool == "amazon_api"} == {"WaitingTask"}


PARSE = """
import importlib.util, sys
for path in sys.argv[1].split(","):
    spec = importlib.util.spec_from_file_location("dag_under_test", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    print(path, *[name for name in sys.argv[2:] if name in sys.modules])
"""


def test_parsing_imports_nothing_heavy() -> None:
    files = ",".join(str(home() / "dags" / name) for name in DAG_FILES)
    answer = subprocess.run([sys.executable, "-c", PARSE, files, *HEAVY], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == files.split(",")


def test_plugins_folder_has_nothing_that_airflow_would_load_under_a_bare_name() -> None:
    top = {path.name for path in (home() / "plugins").iterdir() if not path.name.startswith("__")}
    assert top <= {".airflowignore", "amazon_support", "support_desk.py"}
    assert "amazon_support/" in (home() / "plugins/.airflowignore").read_text()


def test_airflow_knows_the_connection_type() -> None:
    from amazon_support.orchestration.provider import get_provider_info

    (connection_type,) = get_provider_info()["connection-types"]
    assert connection_type["connection-type"] == "amazon_sp_api"
    assert list(connection_type["conn-fields"]) == [
        "refresh_token", "client_id", "client_secret", "region", "endpoint", "token_url",
    ]  # fmt: skip
    assert Path(home() / "plugins/amazon_support/orchestration/hooks.py").exists()
