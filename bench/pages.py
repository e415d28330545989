"""How long the pages take with five million tickets in store: 20 requests a second on Airflow's own api-server, next to
a running scheduler, as agents, leads and viewers, whether or not those before have been answered (open loop). Three
times: worklist and ticket pages alone, which the limit is for; the same while a job starts its tasks on the same
processors; and all kinds of pages mixed, a quarter as many.

Part `pages` of `make bench` with few tickets. For five million run it alone; inventing them takes 60 GB of disk and the
better part of an hour: python bench/pages.py [--tickets N] [--folder DIR]. With a folder the warehouse stays there for
the next time. Writes bench/pages.md.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import httpx
import psutil
import yaml
from many_tickets import ACCOUNTS, AGENTS, LONG_TICKETS, invent_long_tickets, invent_tickets, marketplaces_of
from result import Result
from sqlalchemy import Connection, Engine

from amazon_support.local import LocalStack
from amazon_support.warehouse import engine

TICKETS, SECONDS, RATE = 5_000_000, 60, 20
RUNS = 3  # of the load that the limit is for, as others use the machine, too; the one in the middle counts
FEW_TICKETS, FEW_SECONDS = 50_000, 30
LIMIT = 0.150  # seconds: 95 of 100 worklist and ticket pages are quicker
USERS = {
    **{f"agent_{number}": {"role": "agent", "agent": AGENTS[number]} for number in range(0, 200, 20)},
    "lead": {"role": "lead", "agent": AGENTS[1]},
    "viewer": {"role": "viewer"},
}
RESULTS = Path(__file__).with_suffix(".md")
LIMITED = ("worklist", "worklist of everybody", "ticket", "ticket of 1,000 events")  # what the limit is for
SETTLED = 300  # seconds after which all code is loaded, and no longer searched for garbage (web/app.py)
# Of 100 requests so many are of this kind. There is a lead for fifteen agents, who looks at everybody's list as often
# as an agent at the own.
MIX = {
    "worklist": 32,
    "worklist of everybody": 2,
    "ticket": 36,
    "ticket of 1,000 events": 1,
    "tickets": 5,
    "tickets, filtered": 5,
    "search by order": 5,
    "search by words": 2,
    "service levels": 3,
    "service levels, tickets behind": 2,
    "feedback": 2,
    "account health": 2,
    "pipeline": 2,
    "worklist as CSV": 1,
}


@dataclass(frozen=True)
class Answer:
    """seconds: from when the request was due until its last byte. status: of HTTP; 0: none came within a minute."""

    kind: str
    status: int
    seconds: float
    bytes: int


def fill(stack: LocalStack, tickets: int) -> None:
    """Invents the tickets, unless the warehouse has some."""
    bound = engine(stack.warehouse_url)
    with bound.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.exec_driver_sql("select exists (select 1 from mart.ticket)").scalar():
            now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
            # What is half written when the machine dies is invented anew.
            for statement in ("fsync = off", "autovacuum = off", "max_wal_size = '8GB'"):
                connection.exec_driver_sql(f"alter system set {statement}")
            connection.exec_driver_sql("select pg_reload_conf()")
            invent_tickets(bound, tickets, until=now, progress=lambda step: print(f"{datetime.now(UTC):%X} {step}"))
            invent_long_tickets(connection, now)
        connection.exec_driver_sql("alter system reset all")
        connection.exec_driver_sql("select pg_reload_conf()")
        connection.exec_driver_sql("checkpoint")
    bound.dispose()


def configure(stack: LocalStack) -> None:
    settings = stack.folder / "settings"
    settings.mkdir(exist_ok=True)
    agents = [
        {"name": name, "email": f"{number}@example.com", "marketplaces": marketplaces_of(number)}
        for number, name in enumerate(AGENTS)
    ]
    accounts = [{"name": name, "regions": ["na", "eu", "fe"], "mailboxes": []} for name in ACCOUNTS]
    written = {
        "agents": {"agents": agents},
        "access": {"access": {"users": USERS}},
        "accounts": {"accounts": accounts},
    }
    for name, setting in written.items():
        (settings / f"{name}.yaml").write_text(yaml.safe_dump(setting))
    passwords = stack.folder / "airflow" / "passwords.json"
    passwords.write_text(json.dumps({"admin": stack.password, **dict.fromkeys(USERS, stack.password)}))
    users = ",".join(["admin:admin", *(f"{name}:viewer" for name in USERS)])
    stack.add_environment({"AMAZON_SUPPORT_SETTINGS": str(settings), "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": users})


# ---------- what is asked


def addresses(
    connection: Connection, count: int, drawn: random.Random, kinds: Collection[str]
) -> list[tuple[str, str, str]]:
    """(kind, user, path) of that many requests of these kinds, mixed."""
    query = (
        "select ticket.account, ticket.ticket_id, ticket.order_id from mart.worklist_item as item"
        " inner join mart.ticket as ticket on item.account = ticket.account and item.ticket_id = ticket.ticket_id"
        " where item.as_of = (select max(as_of) from mart.worklist_item) and item.position % 7 = 0"
        " union select account, ticket_id, order_id from mart.ticket tablesample system (0.02)"
    )
    known = connection.exec_driver_sql(query.replace("%", "%%"), {}).all()
    orders = [row.order_id for row in known if row.order_id]
    agents = [name for name in USERS if name.startswith("agent")]

    def ask(kind: str) -> tuple[str, str]:
        row, agent = drawn.choice(known), drawn.choice(agents)
        place = drawn.choice(("US", "DE", "UK", "FR"))
        asked = {
            "worklist": (drawn.choice([*agents, *agents, "lead"]), "/worklist"),
            "worklist of everybody": ("lead", drawn.choice(("/worklist", f"/worklist?marketplace={place}"))),
            "ticket": ("lead", f"/tickets/{row.account}/{quote(row.ticket_id, safe=':')}"),
            "ticket of 1,000 events": ("lead", f"/tickets/shop_1/{drawn.choice(LONG_TICKETS)}"),
            "tickets": (drawn.choice((agent, "lead")), "/tickets"),
            "tickets, filtered": (
                "lead",
                f"/tickets?marketplace={place}&status={drawn.choice(('new,open', 'on_hold'))}",
            ),
            "search by order": ("lead", f"/search?q={drawn.choice(orders)}"),
            "search by words": ("lead", f"/search?q=word{drawn.randrange(4000)}+word{drawn.randrange(400)}"),
            "service levels": ("viewer", f"/levels?days={drawn.choice((7, 30, 30, 90))}"),
            "service levels, tickets behind": ("lead", f"/levels/tickets?days=30&by=marketplace&name={place}"),
            "feedback": ("lead", "/feedback"),
            "account health": ("viewer", "/health"),
            "pipeline": ("viewer", "/pipeline"),
            "worklist as CSV": (agent, "/worklist?format=csv"),
        }
        user, path = asked[kind]
        if kind == "worklist" and user == "lead":
            path += f"?agent={quote(drawn.choice(AGENTS))}"
        return user, path

    weights = [MIX[kind] for kind in kinds]
    return [(kind, *ask(kind)) for kind in drawn.choices(list(kinds), weights=weights, k=count)]


async def load(url: str, tokens: dict[str, str], asked: list[tuple[str, str, str]], rate: float) -> list[Answer]:
    """Sends a request each 1/rate seconds, whether or not those before have been answered."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    async with httpx.AsyncClient(base_url=f"{url}/support", limits=limits, timeout=60) as client:

        async def get(user: str, path: str) -> httpx.Response:
            answer = await client.get(path, headers={"accept": "text/html", "cookie": f"_token={tokens[user]}"})
            if answer.status_code == 307:  # a search that found one ticket
                return await get(user, answer.headers["location"].removeprefix("/support"))
            return answer

        async def ask(kind: str, user: str, path: str, due: float) -> Answer:
            try:
                answer = await get(user, path)
            except httpx.HTTPError:
                return Answer(kind, 0, time.perf_counter() - due, 0)
            return Answer(kind, answer.status_code, time.perf_counter() - due, len(answer.content))

        began, tasks = time.perf_counter(), []
        for number, one in enumerate(asked):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(ask(*one, due)))
        return list(await asyncio.gather(*tasks))


def token(stack: LocalStack, user: str) -> str:
    login = {"username": user, "password": stack.password}
    answer = httpx.post(f"{stack.airflow_url}/auth/token", json=login, timeout=60)
    return str(answer.raise_for_status().json()["access_token"])


# ---------- what it took


def processor_seconds(stack: LocalStack) -> Counter[str]:
    """So far, of the api-server, of the warehouse's and Airflow's PostgreSQL, and of the whole machine."""
    state = json.loads((stack.folder / "stack.json").read_text())
    server = psutil.Process(state["processes"]["api-server"])
    postmaster = psutil.Process(int((stack.folder / "pg" / "postmaster.pid").read_text().split()[0]))
    busy = psutil.cpu_times()
    return Counter(
        {
            "api-server": _of(server),
            "PostgreSQL": _of(postmaster),
            "machine": busy.user + busy.nice + busy.system,
        }
    )


def _of(process: psutil.Process) -> float:
    processes = [process, *process.children(recursive=True)]
    return sum(sum(each.cpu_times()) for each in processes if each.is_running())


def percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(frozen=True)
class Load:
    """One minute of requests.

    what: in words. spent: processor seconds by whom. seconds: that it took. runs: `limited` of each of the runs of
    which this is the one in the middle.
    """

    what: str
    answers: list[Answer]
    spent: Counter[str]
    seconds: float
    runs: tuple[float, ...] = ()

    @property
    def limited(self) -> float:
        """Seconds within which 95 of 100 worklist and ticket pages came."""
        return percentile(sorted(answer.seconds for answer in self.answers if answer.kind in LIMITED), 0.95)

    @property
    def failed(self) -> int:
        return sum(answer.status != 200 for answer in self.answers)

    def report(self) -> list[str]:
        by_kind: dict[str, list[Answer]] = defaultdict(list)
        for answer in self.answers:
            by_kind[answer.kind].append(answer)
        lines = [
            f"## {self.what}",
            "",
            "| page | requests | median | 95 % | 99 % | largest |",
            "|---|--:|--:|--:|--:|--:|",
        ]
        for kind in MIX:
            if found := by_kind.get(kind):
                took = sorted(answer.seconds for answer in found)
                figures = [f"{1000 * percentile(took, share):.0f}" for share in (0.5, 0.95, 0.99)]
                lines.append(
                    f"| {kind} | {len(found)} | {' | '.join(figures)} | {max(a.bytes for a in found) / 1000:.0f} kB |"
                )
        count, own = len(self.answers), self.spent["api-server"] + self.spent["PostgreSQL"]
        return [
            *lines,
            "",
            "| what | figure | limit |",
            "|---|--:|--:|",
            f"| worklist and ticket pages, 95 % | {1000 * self.limited:.0f} ms | {1000 * LIMIT:.0f} ms"
            f"{'' if self.limited <= LIMIT else ' **over the limit**'} |",
            *([f"| the same, run by run | {self._run_by_run()} | |"] if self.runs else []),
            f"| requests that failed | {self.failed} | 0 |",
            f"| processor time of the api-server for a request | {1000 * self.spent['api-server'] / count:.0f} ms | |",
            f"| processor time of PostgreSQL, Airflow's database included, for a request "
            f"| {1000 * self.spent['PostgreSQL'] / count:.0f} ms | |",
            f"| processors that everything else on the machine used meanwhile "
            f"| {(self.spent['machine'] - own) / self.seconds:.2f} | |",
            "",
        ]

    def _run_by_run(self) -> str:
        return ", ".join(f"{1000 * each:.0f}" for each in self.runs) + " ms"


@dataclass(frozen=True)
class Measured:
    """tickets: in store. size: bytes of the warehouse."""

    loads: list[Load]
    tickets: int
    size: int


def report(measured: Measured, rate: float) -> str:
    lines = [
        f"# The pages with {measured.tickets:,} tickets in store",
        "",
        f"`python bench/pages.py --tickets {measured.tickets}`, {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, "
        f"{len(os.sched_getaffinity(0))} processors, Python {platform.python_version()}, PostgreSQL 18 embedded as it "
        f"comes (128 MB shared buffers), a warehouse of {measured.size / 1e9:.1f} GB. {rate:.0f} requests a second for "
        f"{measured.loads[0].seconds:.0f} s on Airflow's api-server with one worker, next to scheduler, DAG processor "
        "and triggerer and the requests' own sender. Milliseconds from when a request was due until its last byte had "
        "come.",
        "",
    ]
    return "\n".join([*lines, *(line for load in measured.loads for line in load.report())])


def pages(url: str, bound: Engine) -> list[Result]:
    """The part of `make bench`: few tickets, a short load."""
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(Path(folder), FEW_TICKETS, FEW_SECONDS, RATE)
    what = f"95 % of worklist and ticket pages at {RATE} requests a second with {measured.tickets:,} tickets in store"
    return [Result(what, measured.loads[0].limited, 1, LIMIT, "the limit; five million: bench/pages.md")]


def measure(folder: Path, tickets: int, seconds: int, rate: float) -> Measured:
    """Starts all of Airflow on a warehouse with that many tickets, and puts the loads on it."""
    stack = LocalStack(folder, port=0)
    try:
        stack.prepare(print)
        fill(stack, tickets)
        configure(stack)
        stack.start(print)
        return under_load(stack, seconds, rate)
    finally:
        stack.stop()


def under_load(stack: LocalStack, seconds: int, rate: float) -> Measured:
    bound = engine(stack.warehouse_url)
    with bound.connect() as connection:
        limited = addresses(connection, int(rate * seconds), random.Random(7), LIMITED)
        mixed = addresses(connection, int(rate * seconds), random.Random(8), MIX)
        tickets = connection.exec_driver_sql("select count(*) from mart.ticket").scalar_one()
        size = connection.exec_driver_sql("select pg_database_size(current_database())").scalar_one()
    bound.dispose()
    tokens = {user: token(stack, user) for user in USERS}
    first = time.monotonic()
    _put_on(stack, tokens, "Warming up", mixed[: int(rate * 10)], rate / 4)
    _run(stack)  # so that Airflow has loaded what it needs for a task
    if seconds >= SECONDS:
        time.sleep(max(0.0, first + SETTLED - time.monotonic()))
    _put_on(stack, tokens, "Warming up", limited[: int(rate * 10)], rate / 2)
    loads = [_middle([_put_on(stack, tokens, "Worklist and ticket pages", limited, rate) for _ in range(RUNS)])]
    with ThreadPoolExecutor() as beside:
        run = beside.submit(_run, stack)
        loads.append(
            _put_on(
                stack,
                tokens,
                "The same while the job support_messages starts its tasks on these processors",
                limited,
                rate,
            )
        )
        run.result()
    # A few of the others' figures take as long as twenty worklists: at the same rate they would only wait.
    calm = rate / 4
    loads.append(_put_on(stack, tokens, f"All pages mixed, {calm:g} a second", mixed[: int(calm * seconds)], calm))
    return Measured(loads, tickets - len(LONG_TICKETS), size)


def _middle(loads: list[Load]) -> Load:
    ordered = sorted(loads, key=lambda load: load.limited)
    return replace(ordered[len(ordered) // 2], runs=tuple(load.limited for load in loads))


def _run(stack: LocalStack) -> None:
    """The job that delivers messages, to the end of a run that is asked for; the run that is due comes with it."""
    stack.api("PATCH", "/dags/support_messages", {"is_paused": False})
    started = stack.api("POST", "/dags/support_messages/dagRuns", {"logical_date": None})
    path = f"/dags/support_messages/dagRuns/{quote(started['dag_run_id'])}"
    while stack.api("GET", path)["state"] in ("queued", "running"):
        time.sleep(1)
    stack.api("PATCH", "/dags/support_messages", {"is_paused": True})


def _put_on(
    stack: LocalStack, tokens: dict[str, str], what: str, asked: list[tuple[str, str, str]], rate: float
) -> Load:
    before, began = processor_seconds(stack), time.perf_counter()
    answers = asyncio.run(load(stack.airflow_url, tokens, asked, rate))
    took = time.perf_counter() - began
    spent = processor_seconds(stack)
    spent.subtract(before)
    done = Load(what, answers, spent, took)
    print(
        f"{datetime.now(UTC):%X} {what}: 95 % of worklist and ticket pages within {1000 * done.limited:.0f} ms",
        flush=True,
    )
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0] if __doc__ else None)
    parser.add_argument(
        "--tickets", type=int, default=TICKETS, help=f"in store, where the folder has none: {TICKETS:,}"
    )
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"of each load: {SECONDS}")
    parser.add_argument("--rate", type=float, default=RATE, help=f"requests a second: {RATE}")
    parser.add_argument("--folder", type=Path, help="keeps the warehouse there; default: a temporary one")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(asked.folder or Path(folder), asked.tickets, asked.seconds, asked.rate)
    RESULTS.write_text(report(measured, asked.rate), encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
