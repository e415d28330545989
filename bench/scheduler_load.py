"""What thousands of accounts ask of Airflow's scheduler: a real one maps and schedules the hourly job's pulls.

What is real: scheduler, api-server, DAG processor, Airflow's database, the hourly DAG as it is, every task but the
pulls. What is not: the pulls end at once (bench/instant_pulls.py), since thousands of real ones take hours here. Not
part of `make bench`. Run it alone: python bench/scheduler_load.py [ACCOUNTS [SLOTS [MINUTES]]]; it stops so many
minutes after the first pull has ended and says how far it came. Writes a section of bench/scheduler_load.md.
"""

import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil
import yaml
from many_accounts import DAG, REGIONS
from sqlalchemy import Connection, text

from amazon_support.local import LocalStack
from amazon_support.warehouse import connect

PULL = "orders.pull"
RESULTS = Path(__file__).with_suffix(".md")
HEADING = (
    "# The scheduler with thousands of accounts\n\n"
    "`python bench/scheduler_load.py ACCOUNTS SLOTS MINUTES`: a real scheduler, api-server and database run the\n"
    "hourly DAG; the pulls end at once, without a process of their own and without Amazon; other tasks really run.\n"
    "What a pull itself costs: [many_accounts.md](many_accounts.md).\n"
)


@dataclass
class Seen:
    """What was seen of one run, in seconds and bytes."""

    mapped: float = 0
    mapping: float = 0  # processor seconds of the scheduler until then, its start included
    pulls: dict[str, int] = field(default_factory=dict)
    before: int = 0  # pulls that had ended when the first were seen
    took: float = 0  # since then, until the last ended or it was stopped
    loops: list[tuple[float, float, int]] = field(default_factory=list)  # start, seconds of decisions, tasks queued
    scheduler: int = 0
    api_server: int = 0
    database: dict[str, int] = field(default_factory=dict)
    hour: float | None = None  # the whole run, if it ended

    @property
    def done(self) -> int:
        return self.pulls.get("success", 0)


def configure(stack: LocalStack, accounts: int, slots: int) -> None:
    folder = stack.folder / "settings"
    folder.mkdir(parents=True, exist_ok=True)
    known = [{"name": f"shop_{n}", "regions": list(REGIONS), "mailboxes": []} for n in range(1, accounts + 1)]
    (folder / "accounts.yaml").write_text(yaml.safe_dump({"accounts": known}))
    stack.add_environment(
        {
            "AMAZON_SUPPORT_SETTINGS": str(folder),
            "PYTHONPATH": str(Path(__file__).parent),
            "SCHEDULER_LOOPS": str(stack.folder / "loops"),
            "AIRFLOW__CORE__EXECUTOR": "instant_pulls.InstantPulls",
            "AIRFLOW__CORE__PARALLELISM": str(max(slots, 4)),
            "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": str(max(slots, 16)),
            "AIRFLOW__SCHEDULER__MAX_TIS_PER_QUERY": str(max(slots, 16)),
            "AIRFLOW__CORE__MAX_MAP_LENGTH": str(max(accounts * len(REGIONS), 1024)),
        }
    )


def follow(stack: LocalStack, minutes: float, slots: int) -> Seen:
    """Switches the hourly DAG on and follows its newest run to its end, or for so many minutes."""
    seen = Seen()
    stack.wait(lambda: any(d["dag_id"] == DAG for d in stack.api("GET", "/dags")["dags"]), "The DAG", 300)
    pool = {"name": "amazon_api", "slots": slots, "include_deferred": False}
    stack.api("PATCH", "/pools/amazon_api?update_mask=slots", pool)
    stack.api("PATCH", f"/dags/{DAG}", {"is_paused": False})
    began, first = time.monotonic(), 0.0
    airflow = stack.warehouse_url.replace("/warehouse", "/airflow")
    while not seen.hour and (not first or seen.took < minutes * 60):
        time.sleep(5)
        with connect(airflow) as connection:
            seen.pulls, state = _state(connection)
        now = time.monotonic()
        if not seen.mapped and sum(seen.pulls.values()) > 1:
            seen.mapped, seen.mapping = now - began, _seconds(stack)
        if not first and seen.done:
            first, seen.before = now, seen.done
        if first and seen.done < sum(seen.pulls.values()):
            seen.took = now - first
        seen.scheduler = max(seen.scheduler, _memory(stack, "scheduler"))
        seen.api_server = max(seen.api_server, _memory(stack, "api-server"))
        print(f"{now - began:5.0f} s  {dict(seen.pulls)}  {seen.scheduler / 2**20:.0f} MB", flush=True)
        if state in ("success", "failed"):
            seen.hour = now - began
    with connect(airflow) as connection:
        seen.database = _database(connection)
    lines = (stack.folder / "loops").read_text().splitlines()
    seen.loops = [(float(a), float(b), int(c)) for a, b, c in (line.split() for line in lines)]
    return seen


def _state(airflow: Connection) -> tuple[dict[str, int], str]:
    counts = "select coalesce(state, 'waiting') as state, count(*) from task_instance where task_id = :task group by 1"
    pulls = {row.state: row.count for row in airflow.execute(text(counts), {"task": PULL})}
    states = airflow.execute(text("select state from dag_run where dag_id = :dag"), {"dag": DAG}).scalars().all()
    return pulls, states[0] if states else ""


def _database(airflow: Connection) -> dict[str, int]:
    query = (
        "select relname, pg_total_relation_size(oid) as size from pg_class where relkind = 'r' and relname in "
        "('task_instance', 'xcom', 'rendered_task_instance_fields', 'log', 'task_map')"
    )
    return {row.relname: row.size for row in airflow.execute(text(query))}


def _seconds(stack: LocalStack) -> float:
    """Processor time of the scheduler so far."""
    return float(sum(psutil.Process(stack._state()["processes"]["scheduler"]).cpu_times()[:2]))


def _memory(stack: LocalStack, name: str) -> int:
    try:
        return int(psutil.Process(stack._state()["processes"][name]).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def told(accounts: int, slots: int, seen: Seen) -> str:
    """The section of the results."""
    total = sum(seen.pulls.values())
    rate = (seen.done - seen.before) / seen.took
    size = sum(seen.database.values())
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {len(os.sched_getaffinity(0))} processors, one scheduler, one api-server; pool "
        f"of {slots} slots, `max_active_tasks_per_dag` and `max_tis_per_query` {max(slots, 16)}.\n\n"
        "| what | figure |\n|---|--:|\n"
        f"| mapped pulls | {total:,} |\n"
        f"| from switching on to the pulls being mapped | {seen.mapped:.0f} s, {seen.mapping:.0f} processor seconds |\n"
        f"| the loop in which they were mapped | {max(loop[1] for loop in seen.loops):.0f} s |\n"
        f"| pulls ended | {seen.done:,} in {seen.took:,.0f} s, {rate:.1f} a second |\n"
        f"| all {total:,} at that rate | {total / rate / 60:,.0f} minutes |\n"
        f"| the whole run | {'not ended when stopped' if seen.hour is None else f'{seen.hour:,.0f} s'} |\n"
        f"| memory of the scheduler, of the api-server (peak) | {seen.scheduler / 2**20:,.0f} MB, "
        f"{seen.api_server / 2**20:,.0f} MB |\n"
        f"| Airflow's database for this run | {size / 2**20:,.1f} MB, {size / total / 1000:.1f} kB a pull |\n"
    )


def main(accounts: int, slots: int, minutes: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stack = LocalStack(Path(folder))
        try:
            stack.prepare(print)
            configure(stack, accounts, slots)
            stack.start(print)
            seen = follow(stack, minutes, slots)
        finally:
            stack.stop(grace=5)
    name, section = f"{accounts:,} accounts in {len(REGIONS)} regions, {slots} slots", told(accounts, slots, seen)
    old = RESULTS.read_text(encoding="utf-8").split("\n## ")[1:] if RESULTS.exists() else []
    kept = [each for each in old if not each.startswith(f"{name}\n")]
    RESULTS.write_text("\n## ".join([HEADING, *kept, f"{name}\n\n{section}"]), encoding="utf-8")
    print(section)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 3000, int(given[1]) if given[1:] else 8, float(given[2]) if given[2:] else 15)
