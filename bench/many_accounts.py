"""Many accounts on one machine: 300 sellers in three regions each are parsed, mapped, scheduled and pulled once.

Not part of `make bench`: it takes half an hour on two cores. Run it alone: python bench/many_accounts.py [ACCOUNTS].
Writes bench/many_accounts.md.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from amazon_support.local import LocalStack
from amazon_support.settings import home
from sandbox.amazon import TOKEN_PATH, create_app
from sandbox.http import serve
from sandbox.world import Seller, World

REGIONS = {"na": ("US", "CA", "MX"), "eu": ("UK", "DE", "FR", "IT", "ES"), "fe": ("JP", "AU", "SG")}
DAG = "support_hourly"
RESULTS = Path(__file__).with_suffix(".md")
REVOKED = "shop_1"


def sellers(accounts: int) -> list[Seller]:
    return [
        Seller(
            account=f"shop_{number}",
            region=region,
            marketplaces=countries,
            client_id=f"client-{number}",
            client_secret=f"secret-{number}",
            refresh_token=f"Atzr|{number}-{region}",
            merchant_id=f"A{number:05}{region.upper()}",
        )
        for number in range(1, accounts + 1)
        for region, countries in REGIONS.items()
    ]


def configure(stack: LocalStack, known: list[Seller], amazon_url: str) -> None:
    """Accounts in the short form of accounts.yaml, and their connections, one of which is revoked."""
    names = sorted({seller.account for seller in known})
    folder = stack.folder / "settings"
    folder.mkdir(parents=True, exist_ok=True)
    accounts = [{"name": name, "regions": list(REGIONS), "mailboxes": []} for name in names]
    (folder / "accounts.yaml").write_text(yaml.safe_dump({"accounts": accounts}))
    connections = {
        f"amazon_sp_api_{seller.account}_{seller.region}": {
            "conn_type": "amazon_sp_api",
            "extra": {
                "region": seller.region,
                "client_id": seller.client_id,
                "client_secret": seller.client_secret,
                "refresh_token": "revoked" if seller.account == REVOKED else seller.refresh_token,
                "endpoint": amazon_url,
                "token_url": amazon_url + TOKEN_PATH,
            },
        }
        for seller in known
    }
    file = stack.folder / "connections.json"
    file.write_text(json.dumps(connections))
    stack.add_environment({"AMAZON_SUPPORT_SETTINGS": str(folder), "AIRFLOW__CORE__PARALLELISM": "8"})
    command = [sys.executable, "-m", "airflow", "connections", "import", str(file)]
    subprocess.run(command, env=stack.env(), check=True, capture_output=True)


def run_once(stack: LocalStack) -> dict[str, Any]:
    """Follows the scheduled run of the newest hour to its end. Returns what was seen on the way, in seconds."""
    stack.wait(lambda: any(d["dag_id"] == DAG for d in stack.api("GET", "/dags")["dags"]), "The DAG", 120)
    began = time.monotonic()
    stack.api("PATCH", f"/dags/{DAG}", {"is_paused": False})
    stack.wait(lambda: stack.api("GET", f"/dags/{DAG}/dagRuns")["dag_runs"], "The scheduled run", 120)
    run_id = quote(stack.api("GET", f"/dags/{DAG}/dagRuns?run_type=scheduled")["dag_runs"][0]["dag_run_id"])
    seen: dict[str, Any] = {}
    while True:
        run = stack.api("GET", f"/dags/{DAG}/dagRuns/{run_id}")
        counts = _pulls(stack, run_id)
        seen["pulls"] = counts
        done = counts["success"] + counts["failed"]
        if sum(counts.values()) > 1:
            seen.setdefault("mapped", time.monotonic() - began)
        print(f"{time.monotonic() - began:5.0f} s  {done} of {sum(counts.values())} pulls", flush=True)
        if run["state"] in ("success", "failed"):
            return {**seen, "state": run["state"], "run": time.monotonic() - began}
        time.sleep(10)


def _pulls(stack: LocalStack, run_id: str) -> Counter[str]:
    """States of the mapped tasks that pull orders."""
    counts: Counter[str] = Counter()
    while True:
        path = f"/dags/{DAG}/dagRuns/{run_id}/taskInstances?task_id=orders.pull&limit=100&offset={sum(counts.values())}"
        tasks = stack.api("GET", path)["task_instances"]
        counts.update(task["state"] or "waiting" for task in tasks)
        if len(tasks) < 100:
            return counts


def parse_seconds(stack: LocalStack) -> float:
    """Processor time to import the DAG file with these settings, without Airflow itself."""
    code = (
        "import time, airflow.sdk, runpy; began = time.process_time(); "
        f"runpy.run_path({str(home() / 'dags/support_hourly.py')!r}); print(time.process_time() - began)"
    )
    answer = subprocess.run([sys.executable, "-c", code], env=stack.env(), check=True, capture_output=True, text=True)
    return float(answer.stdout.split()[-1])


def main(accounts: int) -> None:
    known = sellers(accounts)
    world = World(tuple(known), {(seller.account, seller.region): [] for seller in known}, [])
    with tempfile.TemporaryDirectory() as folder, serve(create_app(world)) as amazon_url:
        stack = LocalStack(Path(folder))
        try:
            stack.prepare(print)
            configure(stack, known, amazon_url)
            stack.start(print)
            parsed = parse_seconds(stack)
            seen = run_once(stack)
        finally:
            stack.stop()
    pulls = seen["pulls"]
    RESULTS.write_text(
        f"# {accounts} accounts, {len(REGIONS)} regions\n\n"
        f"`python bench/many_accounts.py {accounts}`, {datetime.now(UTC):%Y-%m-%d}, "
        f"{len(os.sched_getaffinity(0))} processors, LocalExecutor with 8 slots; accounts without new orders.\n\n"
        "| what | figure |\n|---|--:|\n"
        f"| processor time to parse the hourly DAG | {parsed:.2f} s |\n"
        f"| switching the DAG on until the pulls are mapped | {seen['mapped']:.0f} s |\n"
        f"| pulls done | {pulls['success']} |\n"
        f"| pulls failed (one account's tokens are revoked) | {pulls['failed']} |\n"
        f"| the whole run | {seen['run']:.0f} s |\n"
        f"| for each pull | {seen['run'] / sum(pulls.values()):.2f} s |\n",
        encoding="utf-8",
    )
    print(RESULTS.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
