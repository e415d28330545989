"""The demo: the real hourly job on a real Airflow, over invented history served by stand-ins."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from amazon_support import settings
from amazon_support.local import LocalError, LocalStack, Progress, wipe
from amazon_support.outputs import summary
from amazon_support.warehouse import connect

DAG, DAILY = "support_hourly", "support_daily"
RATE_FACTOR = 20  # how much more than Amazon the stand-in allows, and how much faster it makes reports
AGENTS = [
    {"name": "Ana Lima", "email": "ana@shop.example", "marketplaces": ["US", "CA", "MX"]},
    {"name": "Jonas Weber", "email": "jonas@shop.example", "marketplaces": ["UK", "DE", "FR", "IT", "ES"]},
    {"name": "Yuki Tan", "email": "yuki@shop.example", "marketplaces": ["JP", "AU", "SG"]},
]
RUN_TIMEOUT = 600  # seconds for one run of the DAG
FINISHED = ("success", "failed")


@dataclass(frozen=True)
class DemoResult:
    """What the demo made, for printing and for tests."""

    stack: LocalStack
    as_of: datetime
    worklists: list[Path]
    mails: list[Path]
    states: dict[str, str]
    seconds_to_worklist: float


def run(folder: Path, *, days: int, hours: int, seed: int, progress: Progress, port: int = 8080) -> DemoResult:
    """Starts everything afresh in `folder` and runs the newest `hours` of the job through the scheduler.

    The newest hour is a scheduled run and mails the agents; the hours before it are a backfill, which computes
    the worklists that each hour would have had and mails nobody. Then the daily job runs once, for feedback and
    account health. Everything keeps running at the end.

    Args:
        port: of Airflow's pages; any other if it is taken. 0: any.

    Raises: LocalError if a part does not start or a run fails.
    """
    began = time.monotonic()
    wipe(folder)
    stack = LocalStack(folder, port=port)
    try:
        servers_file = _start_stand_ins(stack, days=days, seed=seed)
        stack.prepare(progress)
        stack.wait(servers_file.exists, "The stand-ins for Amazon and the mail servers", 60)
        configure(stack, json.loads(servers_file.read_text()))
        stack.start(progress)
        _unpause(stack, DAG, progress)
        newest = _follow(stack, DAG, "the newest hour", _scheduled_run(stack, DAG), progress)
        seconds = time.monotonic() - began
        states = {newest["dag_run_id"]: newest["state"]}
        progress(f"Worklists of the newest hour are there after {seconds:.0f} s")
        states |= _recompute(stack, newest, hours - 1, progress)
        _unpause(stack, DAILY, progress)
        daily = _follow(stack, DAILY, "the daily job", _scheduled_run(stack, DAILY), progress)
    except BaseException:
        stack.stop()
        raise
    return DemoResult(
        stack=stack,
        as_of=_moment(newest["data_interval_end"]),
        worklists=sorted((folder / "worklists").glob("*")),
        mails=sorted((folder / "mail").glob("*.eml")),
        states=states | {f"{DAILY} {daily['dag_run_id']}": daily["state"]},
        seconds_to_worklist=seconds,
    )


def report(result: DemoResult) -> str:
    """Where to look, and the summary, as lined-up text."""
    pages = [path for path in result.worklists if path.suffix == ".html"]
    newest = [path for path in pages if result.as_of.strftime("%Y%m%dT%H") in path.name]
    lines = ["", f"Hours run        {', '.join(f'{run} ({state})' for run, state in result.states.items())}"]
    lines += [f"Worklist         {path}" for path in newest]
    lines += [f"Mail sent        {path}" for path in result.mails]
    lines += [
        f"Support pages    {result.stack.airflow_url}/support/worklist",
        f"Airflow          {result.stack.airflow_url}   user admin, password {result.stack.password}",
        "Warehouse        python -m amazon_support db psql",
        "",
    ]
    with connect(result.stack.warehouse_url) as connection:
        lines.append(summary.render(summary.summary(connection, settings.load().policy, as_of=result.as_of)))
    lines += ["", "Everything keeps running; `make demo-stop` ends it."]
    return "\n".join(lines)


# ---------- the parts


def _start_stand_ins(stack: LocalStack, *, days: int, seed: int) -> Path:
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    stack.folder.mkdir(parents=True, exist_ok=True)
    arguments = [
        "--folder",
        str(stack.folder),
        "--until",
        until.isoformat(),
        "--days",
        str(days),
        "--seed",
        str(seed),
        "--rate-factor",
        str(RATE_FACTOR),
    ]
    stack.spawn("sandbox", [sys.executable, "-m", "sandbox", "serve", *arguments], keep=True, bare=True)
    return stack.folder / "servers.json"


def configure(stack: LocalStack, servers: dict[str, Any]) -> None:
    """Settings and connections of the invented accounts: what a user would enter for real ones."""
    settings_folder = stack.folder / "settings"
    settings_folder.mkdir(exist_ok=True)
    names = sorted({seller["account"] for seller in servers["sellers"]})
    accounts = [
        {
            "name": name,
            "amazon_connections": [_amazon(s) for s in servers["sellers"] if s["account"] == name],
            "mailboxes": [{"connection": f"mailbox_{name}"}],
        }
        for name in names
    ]
    _write_yaml(settings_folder / "accounts.yaml", {"accounts": accounts})
    _write_yaml(settings_folder / "agents.yaml", {"agents": AGENTS})
    _write_yaml(settings_folder / "desk_files.yaml", _desk_files(servers.get("review_requests", {})))
    stack.add_environment(
        {
            "AMAZON_SUPPORT_SETTINGS": str(settings_folder),
            **_connections(servers, names),
        }
    )


def _connections(servers: dict[str, Any], accounts: list[str]) -> dict[str, str]:
    imap, smtp = servers["imap"], servers["smtp"]
    connections: dict[str, dict[str, Any]] = {
        "smtp_default": {
            "conn_type": "smtp",
            "host": smtp["host"],
            "port": smtp["port"],
            "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "support-desk@shop.example"},
        }
    }
    for seller in servers["sellers"]:
        fields = ("client_id", "client_secret", "refresh_token", "region")
        extra = {name: seller[name] for name in fields}
        places = {"endpoint": servers["amazon_url"], "token_url": servers["token_url"]}
        connections[_amazon(seller)] = {"conn_type": "amazon_sp_api", "extra": {**extra, **places}}
    for account in accounts:
        user = imap["users"][account]
        connections[f"mailbox_{account}"] = {
            "conn_type": "imap",
            "host": imap["host"],
            "port": imap["port"],
            "login": user["user"],
            "password": user["password"],
            "extra": {"use_ssl": False},
        }
    return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(fields) for name, fields in connections.items()}


def _desk_files(review_requests: dict[str, str]) -> dict[str, Any]:
    """The shipped formats, and by account a folder of requests for reviews."""
    desk_files: dict[str, Any] = yaml.safe_load((settings.home() / "include/settings/desk_files.yaml").read_text())
    desk_files["desk_files"]["folders"] = [
        {"account": account, "desk": "bqool_reviews", "url": folder, "format": "review_requests"}
        for account, folder in review_requests.items()
    ]
    return desk_files


def _amazon(seller: dict[str, Any]) -> str:
    return f"amazon_{seller['account']}_{seller['region']}"


def _write_yaml(path: Path, document: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


# ---------- following runs


def _unpause(stack: LocalStack, dag: str, progress: Progress) -> None:
    """Switches the DAG on, as soon as Airflow knows it.

    Raises: LocalError if a DAG cannot be imported.
    """

    def known() -> bool:
        progress(f"Waiting for Airflow to read {dag}")
        if errors := stack.api("GET", "/importErrors")["import_errors"]:
            raise LocalError(f"{errors[0]['filename']} cannot be imported: {errors[0]['stack_trace']}")
        return dag in {found["dag_id"] for found in stack.api("GET", "/dags")["dags"]}

    stack.wait(known, f"The DAG {dag}", RUN_TIMEOUT)
    stack.api("PATCH", f"/dags/{dag}", {"is_paused": False})


def _scheduled_run(stack: LocalStack, dag: str) -> Callable[[], dict[str, Any] | None]:
    return partial(_first_run, stack, dag, {"run_type": "scheduled", "order_by": "-run_after"})


def _recompute(stack: LocalStack, newest: dict[str, Any], hours: int, progress: Progress) -> dict[str, str]:
    """Backfills the hours before the newest one, newest first. Returns each run's state."""
    moments = [_moment(newest["logical_date"]) - timedelta(hours=number) for number in range(1, hours + 1)]
    if not moments:
        return {}
    span = {"from_date": moments[-1].isoformat(), "to_date": moments[0].isoformat(), "run_backwards": True}
    stack.api("POST", "/backfills", {"dag_id": DAG, **span, "max_active_runs": 2, "dag_run_conf": {}})
    states = {}
    for number, moment in enumerate(moments, start=1):
        query = {"run_type": "backfill", "logical_date_gte": moment.isoformat(), "logical_date_lte": moment.isoformat()}
        what = f"{number} hour{'s' if number > 1 else ''} earlier, as a backfill"
        finished = _follow(stack, DAG, what, partial(_first_run, stack, DAG, query), progress)
        states[finished["dag_run_id"]] = finished["state"]
    return states


def _first_run(stack: LocalStack, dag: str, query: dict[str, str]) -> dict[str, Any] | None:
    """The first run that fits."""
    runs = stack.api("GET", f"/dags/{dag}/dagRuns?{urlencode(query)}")["dag_runs"]
    return runs[0] if runs else None


def _follow(
    stack: LocalStack, dag: str, what: str, find: Callable[[], dict[str, Any] | None], progress: Progress
) -> dict[str, Any]:
    """Waits until the run has ended, saying what it does.

    Raises: LocalError naming the failed tasks.
    """
    state: dict[str, Any] = {}

    def ended() -> bool:
        nonlocal state
        found = find()
        if found is None:
            progress(f"Waiting for the scheduler to start {what}")
            return False
        state = found
        tasks = _tasks(stack, dag, found)
        done = sum(task["state"] in ("success", "skipped", *FINISHED) for task in tasks)
        running = sorted({task["task_id"] for task in tasks if task["state"] == "running"})
        progress(f"Running {what}: {done} of {len(tasks)} tasks done{'; now ' + ', '.join(running) if running else ''}")
        return bool(found["state"] in FINISHED)

    stack.wait(ended, f"The run of {what}", RUN_TIMEOUT)
    if state["state"] != "success":
        failed = sorted({task["task_id"] for task in _tasks(stack, dag, state) if task["state"] == "failed"})
        raise LocalError(f"The run of {what} failed at {', '.join(failed)}; logs: {stack.logs / 'tasks'}")
    return state


def _tasks(stack: LocalStack, dag: str, run: dict[str, Any]) -> list[dict[str, Any]]:
    path = f"/dags/{dag}/dagRuns/{quote(run['dag_run_id'])}/taskInstances?limit=200"
    tasks: list[dict[str, Any]] = stack.api("GET", path)["task_instances"]
    return tasks


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
