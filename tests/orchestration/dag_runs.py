"""Runs whole DAGs, in the order given, in a process of their own with a metadata database of their own.

Called with the instant that the process takes for now, and with DAGs and their windows, each as `name=start/end`.
The last line of what it prints is JSON: by DAG, the state of each task; mapped ones have their number, and a DAG that
runs again has the states of its last run.
"""

import json
import sys
from datetime import UTC, datetime


def main(began_at: str, *runs: str) -> None:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk.definitions.mappedoperator import MappedOperator
    from airflow.utils.db import initdb

    from amazon_support.orchestration import tasks
    from amazon_support.settings import home

    # The clock goes on from there: pulls wait for reports.
    ahead = datetime.fromisoformat(began_at) - datetime.now(UTC)
    tasks._now = lambda: datetime.now(UTC) + ahead  # type: ignore[assignment]
    initdb()
    dags = DagBag(dag_folder=str(home() / "dags"), bundle_name="dags-folder").dags
    states = {}
    for run in runs:
        name, _, window = run.partition("=")
        start, _, end = window.partition("/")
        for task in dags[name].tasks:
            # Nobody waits for tries that must fail as well.
            if isinstance(task, MappedOperator):
                task.partial_kwargs.update(retries=0, retry_policy=None)
            else:
                task.retries, task.retry_policy = 0, None
        dags[name].deadline = None  # Airflow 3.3.2 cannot test a DAG that has one
        done = dags[name].test(run_conf={"window_start": start, "window_end": end})
        tis = done.get_task_instances()
        states[name] = {f"{ti.task_id}_{ti.map_index}".removesuffix("_-1"): ti.state for ti in tis}
    print(json.dumps(states))


if __name__ == "__main__":
    main(*sys.argv[1:])
