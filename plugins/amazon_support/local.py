"""Everything the pipeline needs on one machine, without docker: PostgreSQL from a wheel, Airflow's own processes.

Used by `up` (your own data) and `demo` (invented data). For more than one machine see docker-compose.yaml.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import psutil

from amazon_support.settings import home
from amazon_support.warehouse import migrate
from amazon_support.warehouse.embedded import EmbeddedServer
from amazon_support.warehouse.engine import URL_VARIABLE

COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
START_TIMEOUT = 240  # seconds for all of Airflow to answer
Progress = Callable[[str], None]


class LocalError(Exception):
    """A part of the local installation does not start; the message says which, and where its log is."""


class LocalStack:
    """A folder with a warehouse, Airflow's database and home, logs, and the processes that run on them.

    Args:
        folder: everything is kept below it; nothing else is written to.
        port: of Airflow's pages, the first time; any other if it is taken. 0: any.
    """

    def __init__(self, folder: Path, *, port: int = 8080) -> None:
        self.folder = folder.resolve()
        self._wanted_port = port
        self.logs = self.folder / "logs"
        self._state_file = self.folder / "stack.json"

    # ---------- life

    def prepare(self, progress: Progress) -> None:
        """Starts PostgreSQL and brings both databases to their newest schema.

        Raises: LocalError naming the part that failed and its log.
        """
        progress("Starting PostgreSQL")
        self._start_postgres()
        progress("Preparing the warehouse and Airflow's database")
        preparing = self.spawn("airflow-migrate", [*_airflow(), "db", "migrate"])
        migrate.upgrade(self.warehouse_url)
        self._finish(preparing)
        self._finish(
            self.spawn("airflow-pools", [*_airflow(), "pools", "import", str(home() / "include/settings/pools.json")])
        )

    def start(self, progress: Progress) -> None:
        """Starts Airflow on a prepared stack and waits until it answers.

        Raises: LocalError naming the part that failed and its log.
        """
        progress("Starting Airflow")
        for component in COMPONENTS:
            self.spawn(component, [*_airflow(), component], keep=True)
        self.wait(self.healthy, "Airflow", START_TIMEOUT)

    def stop(self, grace: float = 20) -> None:
        """Stops every process of this folder, PostgreSQL last.

        Args:
            grace: seconds to end what they are doing; then they are killed.
        """
        state = self._state()
        processes = [process for name, pid in state.get("processes", {}).items() if (process := _alive(pid, name))]
        _signal(processes, signal.SIGTERM)
        _, left = psutil.wait_procs(processes, timeout=grace)
        _signal(left, signal.SIGKILL)
        if (self.folder / "pg" / "postmaster.pid").exists():
            EmbeddedServer(self.folder).stop_now()
        self._remember(processes={})

    def spawn(
        self, name: str, command: list[str], *, keep: bool = False, bare: bool = False
    ) -> subprocess.Popen[bytes]:
        """Starts a process of its own group, its output in logs/<name>.log.

        Args:
            keep: stop() will end it. bare: without Airflow's environment, which needs the databases.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=None if bare else self.env(),
                start_new_session=True,
            )
        if keep:
            self._remember(processes={**self._state().get("processes", {}), name: process.pid})
        return process

    def wait(self, ready: Callable[[], bool], what: str, timeout: float) -> None:
        """Waits until `ready`, and notices when a process of the stack has died meanwhile."""
        deadline = time.monotonic() + timeout
        while not ready():
            for name, pid in self._state().get("processes", {}).items():
                if not _alive(pid, name):
                    raise LocalError(f"{name} stopped; its log: {self.logs / name}.log")
            if time.monotonic() > deadline:
                raise LocalError(f"{what} did not answer within {timeout:.0f} s; logs: {self.logs}")
            time.sleep(0.3)

    # ---------- where things are

    @property
    def airflow_url(self) -> str:
        return f"http://127.0.0.1:{self._setting('airflow_port', lambda: free_port(self._wanted_port))}"

    @property
    def password(self) -> str:
        """Password of Airflow's user `admin`."""
        return str(self._setting("password", lambda: secrets.token_urlsafe(9)))

    @property
    def warehouse_url(self) -> str:
        return str(self._state()["warehouse_url"])

    @property
    def is_running(self) -> bool:
        return any(_alive(pid, name) for name, pid in self._state().get("processes", {}).items())

    def env(self) -> dict[str, str]:
        """Environment of Airflow's processes: configuration by variables, nothing in airflow.cfg."""
        airflow_home = self.folder / "airflow"
        passwords = airflow_home / "passwords.json"
        airflow_home.mkdir(parents=True, exist_ok=True)
        if not passwords.exists():
            passwords.touch(mode=0o600)
            passwords.write_text(json.dumps({"admin": self.password}))
        own = {
            "AIRFLOW_HOME": airflow_home,
            "AIRFLOW__CORE__DAGS_FOLDER": home() / "dags",
            "AIRFLOW__CORE__PLUGINS_FOLDER": home() / "plugins",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__MAX_MAP_LENGTH": "10000",  # accounts times regions
            "AIRFLOW__CORE__FERNET_KEY": self._setting("fernet_key", _fernet_key),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": passwords,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.airflow_url}/execution/",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self._state()["airflow_database_url"],
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": self.airflow_url.rpartition(":")[2],
            "AIRFLOW__API__BASE_URL": self.airflow_url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": self._setting("api_secret", secrets.token_hex),
            "AIRFLOW__API_AUTH__JWT_SECRET": self._setting("jwt_secret", secrets.token_hex),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": self.logs / "tasks",
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
            "AIRFLOW__TRIGGERER__DEFAULT_CAPACITY": "100",
            URL_VARIABLE: self.warehouse_url,
            "AMAZON_SUPPORT_DATA": self.folder,
            "GX_ANALYTICS_ENABLED": "false",
            "PYTHONUNBUFFERED": "1",
        }
        return {
            **os.environ,
            **{name: str(value) for name, value in own.items()},
            **self._state().get("environment", {}),
        }

    def add_environment(self, variables: Mapping[str, str]) -> None:
        """Further variables for the stack's processes, such as AIRFLOW_CONN_…; kept in its private state file."""
        self._remember(environment={**self._state().get("environment", {}), **variables})

    # ---------- Airflow's REST API

    def healthy(self) -> bool:
        """Whether scheduler and DAG processor report healthy."""
        try:  # logged in: another's Airflow may have taken the port first, and is well
            health = self._client.get("/api/v2/monitor/health").json()
        except (httpx.HTTPError, json.JSONDecodeError):
            return False
        return all(health.get(part, {}).get("status") == "healthy" for part in ("scheduler", "dag_processor"))

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Calls Airflow's public REST API as admin. `path` begins behind /api/v2."""
        answer = self._client.request(method, f"/api/v2{path}", json=body)
        return answer.raise_for_status().json()

    @cached_property
    def _client(self) -> httpx.Client:
        client = httpx.Client(base_url=self.airflow_url, timeout=120)  # a busy machine answers late
        login = {"username": "admin", "password": self.password}
        token = client.post("/auth/token", json=login).raise_for_status().json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    # ---------- inside

    def _start_postgres(self) -> None:
        server = EmbeddedServer(self.folder, keep_running=True)
        server.start()
        self._remember(
            warehouse_url=server.ensure_database("warehouse"),
            airflow_database_url=server.ensure_database("airflow").replace("postgresql:", "postgresql+psycopg2:"),
        )

    def _finish(self, process: subprocess.Popen[bytes]) -> None:
        if process.wait():
            raise LocalError(f"{' '.join(map(str, process.args[1:]))} failed; log: {self.logs}")  # type: ignore[index]

    def _state(self) -> dict[str, Any]:
        return json.loads(self._state_file.read_text()) if self._state_file.exists() else {}

    def _setting(self, name: str, default: Callable[[], Any]) -> Any:
        """A setting chosen once for this folder."""
        if name not in self._state():
            self._remember(**{name: default()})
        return self._state()[name]

    def _remember(self, **values: Any) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        scratch = self._state_file.with_suffix(".tmp")
        scratch.touch(mode=0o600)
        scratch.write_text(json.dumps({**self._state(), **values}, indent=1))
        scratch.replace(self._state_file)


def running_stack() -> LocalStack | None:
    """The local installation that runs now, if one does: your own before the demo."""
    stacks = (LocalStack(home() / ".data" / name) for name in ("local", "demo"))
    return next((stack for stack in stacks if stack.is_running), None)


def wipe(folder: Path) -> None:
    """Stops what runs in the folder and removes it."""
    if folder.exists():
        LocalStack(folder).stop(grace=0)
        shutil.rmtree(folder)


def _signal(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)


def _airflow() -> list[str]:
    return [sys.executable, "-m", "airflow"]


def _fernet_key() -> str:
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def _alive(pid: int, name: str) -> psutil.Process | None:
    """The process, if it is still the one we started (a pid can be given to another)."""
    try:
        process = psutil.Process(pid)
        ours = process.status() != psutil.STATUS_ZOMBIE and (
            name in " ".join(process.cmdline()) or "airflow" in process.name()
        )
    except psutil.NoSuchProcess:
        return None
    return process if ours else None


def free_port(wanted: int) -> int:
    """The port, if nobody has it; else any other. 0: any."""
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise LocalError("no free port on 127.0.0.1")
