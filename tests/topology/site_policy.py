"""Airflow's airflow_local_settings.py of the cluster: what a site may do to all tasks without touching a DAG.

Nobody waits a minute for a retry. A task stops at a line where a file asks it to, so that a fault meets it just there:
`stops/<task>.<moment>` becomes `….reached`, holding the task's process id, and the task goes on when that is removed.
`stops/<task>.<moment>.<run type>` stops that of one run where several run at once.

Moments: `begin` before its first line; `commit` before the first commit of its work (its turns within Amazon's rates
are not its work); `end` when all of it is done and committed, and Airflow does not know.
"""

import os
import sys
import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

STOPS = Path(os.environ["AIRFLOW_HOME"]) / "stops"
LAST_HOUR = STOPS / "last_hour"  # no run is made for a later one, however long the tests take

COLD = STOPS / "cold"  # workers start quickly, their tasks slowly

_task: str | None = None  # that this process runs; None in processes that only read DAGs
_run_type: str | None = None  # of its run: scheduled, manual, backfill


def dag_policy(dag: Any) -> None:
    dag.max_active_runs = 4  # so that an hour can run twice at once
    if LAST_HOUR.exists():
        dag.end_date = datetime.fromisoformat(LAST_HOUR.read_text())


def task_policy(task: Any) -> None:
    task.retries, task.retry_delay, task.retry_exponential_backoff = 6, timedelta(seconds=1), 0
    _let_tasks_stop()


def _let_tasks_stop() -> None:
    from airflow.sdk.execution_time import task_runner
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    if hasattr(task_runner, "execute_without_stops"):
        return
    task_runner.execute_without_stops = task_runner._execute_task  # type: ignore[attr-defined]
    task_runner._execute_task = _execute  # type: ignore[assignment]
    event.listen(Engine, "before_cursor_execute", _note_work)
    event.listen(Engine, "rollback", lambda connection: connection.info.pop("work", None))
    event.listen(Engine, "commit", _stop_before_commit)


def _execute(context: Any, ti: Any, log: Any) -> Any:
    global _task, _run_type
    from airflow.sdk.execution_time import task_runner

    _task, _run_type = ti.task_id, context["dag_run"].run_type.value
    _stop("begin")
    result = task_runner.execute_without_stops(context, ti, log)  # type: ignore[attr-defined]
    _stop("end")
    return result


def _note_work(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
    if "ops.rate_bucket" not in statement:
        connection.info["work"] = True


def _stop_before_commit(connection: Any) -> None:
    if connection.info.pop("work", None):
        _stop("commit")


def _stop(moment: str) -> None:
    for wanted in (STOPS / f"{_task}.{moment}", STOPS / f"{_task}.{moment}.{_run_type}"):
        reached = wanted.with_name(f"{wanted.name}.reached")
        with suppress(FileNotFoundError):
            wanted.rename(reached)  # of several instances of a task one
            reached.write_text(str(os.getpid()))
            while reached.exists():
                time.sleep(0.05)


def _warm_up(**_: Any) -> None:
    """What every task imports, once for all tasks of this worker: they are forked from it."""
    import great_expectations  # noqa: F401
    import pandas  # noqa: F401
    import sp_api.api  # noqa: F401
    from airflow.dag_processing import dagbag  # noqa: F401
    from airflow.sdk.execution_time import task_runner  # noqa: F401

    from amazon_support import quality, tickets  # noqa: F401
    from amazon_support.orchestration import groups  # noqa: F401
    from amazon_support.outputs import alerts, outbox, summary, worklist  # noqa: F401
    from amazon_support.sources import mailbox, missing_orders, orders  # noqa: F401


if "celery" in sys.argv and not COLD.exists():
    from celery.signals import worker_init

    worker_init.connect(_warm_up, weak=False)
