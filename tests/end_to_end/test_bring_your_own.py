"""README's "Bring your own", typed in as it stands: two connections, and the same DAG pulls, reads and writes."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from amazon_support.demo import DAG, RATE_FACTOR
from amazon_support.local import LocalStack
from amazon_support.settings import home
from amazon_support.warehouse import connect
from sandbox.amazon import TOKEN_PATH, create_app
from sandbox.http import serve
from sandbox.mail_servers import imap_server
from sandbox.world import Seller, generate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SELLER = Seller("main", "eu", ("DE", "FR"), "amzn1.id", "a-secret", "Atzr|own", "AOWN")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """What `amazon-support up` starts, in a folder of its own."""
    stack = LocalStack(tmp_path_factory.mktemp("own"), port=0)
    try:
        stack.prepare(print)
        stack.start(print)
        yield stack
    finally:
        stack.stop()


def airflow(stack: LocalStack, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "airflow", *arguments], env=stack.env(), check=True, capture_output=True)


def test_readme_adds_the_connections_that_the_shipped_settings_name() -> None:
    added = re.findall(r"connections add (\w+)", (home() / "README.md").read_text())
    assert added == ["amazon_sp_api_default", "imap_default"]


def test_before_that_the_doctor_says_what_is_missing(stack: LocalStack) -> None:
    command = [sys.executable, "-m", "amazon_support", "doctor"]
    answer = subprocess.run(command, env=stack.env(), capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "There is no Airflow connection amazon_sp_api_default" in answer.stdout
    assert "-> see README, Bring your own: connection of type imap" in answer.stdout


def test_two_connections_are_enough(stack: LocalStack) -> None:
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    world = generate(seed=5, until=until, days=5, sellers=[SELLER], orders_per_day=6)
    with serve(create_app(world, rate_factor=RATE_FACTOR)) as url, imap_server({"main": world.mails}) as imap:
        access = {"region": "eu", "refresh_token": "Atzr|own", "client_id": "amzn1.id", "client_secret": "a-secret"}
        access |= {"endpoint": url, "token_url": url + TOKEN_PATH}
        login = imap.users["main"]
        airflow(
            stack, "connections", "add", "amazon_sp_api_default", "--conn-type", "amazon_sp_api",
            "--conn-extra", json.dumps(access),
        )  # fmt: skip
        airflow(
            stack, "connections", "add", "imap_default", "--conn-type", "imap", "--conn-host", imap.host,
            "--conn-port", str(imap.port), "--conn-login", login.user, "--conn-password", login.password,
            "--conn-extra", '{"use_ssl": false}',
        )  # fmt: skip
        airflow(stack, "dags", "unpause", DAG)
        state = _ended(stack)
    assert state == "success"
    with connect(stack.warehouse_url) as connection:
        orders = connection.execute(text("select count(*) from core.amazon_order where not is_placeholder")).scalar()
        waiting = connection.execute(text("select count(*) from pii.outbox where sent_at is null")).scalar()
    assert orders == 30
    assert waiting, "without a connection for outgoing mail it waits"
    assert _worklists(stack.folder)


def _ended(stack: LocalStack) -> str:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        runs = stack.api("GET", f"/dags/{DAG}/dagRuns")["dag_runs"]
        if runs and runs[0]["state"] in ("success", "failed"):
            return str(runs[0]["state"])
        time.sleep(1)
    return "still running"


def _worklists(folder: Path) -> list[Path]:
    return sorted((folder / "worklists").glob("*.html"))
