"""An executor for bench/scheduler_load.py, loaded by a real scheduler: pulls end at once, every other task really runs.

A pull makes the calls to the api-server that a task makes (it runs, its result, it has ended; not the one with its
fields), but no process of its own is started and Amazon is not asked. The scheduler's loops are timed.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.executors.base_executor import BaseExecutor
from airflow.executors.local_executor import LocalExecutor
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.sdk.api.client import Client

LOOPS = "SCHEDULER_LOOPS"  # a file: start of each loop, seconds of its decisions, tasks it queued
PULL = "orders.pull"
really_run = BaseExecutor.run_workload
really_schedule = SchedulerJobRunner._do_scheduling


class InstantPulls(LocalExecutor):
    """LocalExecutor, whose processes are forked from here and so know run_workload below."""


def run_workload(workload: Any, *, server: str | None = None, **options: Any) -> int:
    """As the executor's, for every task but the pulls."""
    task = getattr(workload, "ti", None)
    if task is None or task.task_id != PULL:
        return really_run(workload, server=server, **options)
    with Client(base_url=server, token=workload.token) as client:
        client.task_instances.start(task.id, os.getpid(), datetime.now(UTC))
        result = {"account": "", "region": "", "orders": 0}
        client.xcoms.set(task.dag_id, task.run_id, task.task_id, "return_value", result, task.map_index)
        client.task_instances.succeed(task.id, datetime.now(UTC), [], [], f"pull {task.map_index}")
    return 0


def timed_scheduling(self: SchedulerJobRunner, session: Any) -> int:
    """What the scheduler decides in one loop, with its time written down."""
    began = time.monotonic()
    queued = really_schedule(self, session)
    with Path(os.environ[LOOPS]).open("a", encoding="utf-8") as loops:
        loops.write(f"{began} {time.monotonic() - began} {queued}\n")
    return queued


BaseExecutor.run_workload = staticmethod(run_workload)  # type: ignore[method-assign,assignment]
SchedulerJobRunner._do_scheduling = timed_scheduling  # type: ignore[method-assign]
