"""What a monitor outside is told: whether the pipeline does its work, and nothing that is anybody's."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from ticket_histories import moment

from amazon_support.outputs import alerts, outbox_desk
from amazon_support.outputs.messages import Rendered
from amazon_support.outputs.outbox import Message, enqueue
from amazon_support.sources import positions
from amazon_support.web import app, healthz
from amazon_support.window import Window

NOON = moment("2026-03-10 12:00")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture(autouse=True)
def airflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Airflow's own answer, which needs its database."""
    found: dict[str, Any] = {name: {"status": "healthy"} for name in ("metadatabase", "scheduler", "triggerer")}
    monkeypatch.setattr("airflow.api.common.airflow_health.get_airflow_health", lambda: found)
    monkeypatch.setattr(healthz, "_answer", None)
    yield found


def asked(at: datetime = NOON) -> dict[str, Any]:
    return healthz.examine(at)


def bad(answer: dict[str, Any]) -> set[str]:
    assert answer["ok"] == all(part["ok"] for part in answer["parts"].values())
    return {name for name, part in answer["parts"].items() if not part["ok"]}


def test_a_new_installation_is_well_and_a_monitor_need_not_sign_in(warehouse: Engine) -> None:
    answer = TestClient(app).get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["parts"]["worklists"] == {"ok": True, "age_seconds": None}
    assert answer.headers["cache-control"] == "no-store"


def test_worklists_are_late_when_the_policy_says_so(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        alerts.note_hour(connection, as_of=NOON, now=NOON)
    assert bad(asked(NOON + HOUR + 19 * MINUTE)) == set()
    late = asked(NOON + HOUR + 20 * MINUTE)
    assert bad(late) == {"worklists"}
    assert late["parts"]["worklists"]["age_seconds"] == 80 * 60


def test_a_source_that_is_not_read_is_counted_and_not_named(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        positions.note_pulled(connection, "main", "orders", "eu", Window(NOON - HOUR, NOON, live=True))
        positions.note_pulled(connection, "main", "feedback", "DE", Window(NOON - HOUR, NOON, live=True))
        positions.note_read(connection, "main", "mailbox", "imap_default", read_at=NOON + HOUR)
        positions.note_pulled(connection, "gone", "orders", "eu", Window(NOON - 99 * HOUR, NOON, live=True))
    assert bad(asked(NOON + 3 * HOUR)) == set()
    late = asked(NOON + 3 * HOUR + MINUTE)
    assert late["parts"]["sources"] == {"ok": False, "late": 1, "longest_lag_seconds": 181 * 60}
    assert "main" not in json.dumps(late)
    assert asked(NOON + 4 * HOUR + MINUTE)["parts"]["sources"]["late"] == 2, "the mailbox, too"


def test_orders_that_came_by_report_are_as_fresh_as_those_of_a_search(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        positions.note_pulled(connection, "main", "orders", "eu", Window(NOON - 9 * HOUR, NOON - 8 * HOUR, live=True))
        positions.note_pulled(connection, "main", "order_report", "eu", Window(NOON - 8 * HOUR, NOON, live=True))
    assert bad(asked(NOON + HOUR)) == set()


def test_messages_that_nobody_takes_are_a_trouble_unless_a_person_holds_them(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        enqueue(connection, Message("worklist", "ana@example.com", NOON, Rendered("s", "h", "p")))
    assert bad(asked(NOON + HOUR)) == set()
    assert bad(asked(NOON + HOUR + MINUTE)) == {"outbox"}
    with warehouse.begin() as connection:
        outbox_desk.hold(connection, "a move", at=NOON)
    held = asked(NOON + HOUR + MINUTE)["parts"]["outbox"]
    assert held == {"ok": True, "held": True, "oldest_seconds": 3660}


def test_airflows_own_processes_are_parts(warehouse: Engine, airflow: dict[str, Any]) -> None:
    airflow["triggerer"] = {"status": "unhealthy", "latest_triggerer_heartbeat": "2026-03-10T11:00:00+00:00"}
    answer = TestClient(app).get("/healthz")
    assert answer.status_code == 503
    assert bad(answer.json()) == {"triggerer"}


def test_an_unreachable_warehouse_is_told_without_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMAZON_SUPPORT_WAREHOUSE", "postgresql://secretuser@127.0.0.1:1/x")
    answer = TestClient(app).get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["warehouse"] == {"ok": False, "error": "OperationalError"}
    assert "secretuser" not in answer.text


def test_a_schema_of_another_version_is_told(warehouse: Engine) -> None:
    with warehouse.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '0001'")
    assert bad(asked()) == {"warehouse"}


def test_a_monitor_gone_wild_asks_the_warehouse_once(warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    times: list[datetime] = []
    monkeypatch.setattr(healthz, "examine", lambda at: times.append(at) or {"ok": True, "parts": {}})
    for _ in range(50):
        TestClient(app).get("/healthz")
    assert len(times) == 1
