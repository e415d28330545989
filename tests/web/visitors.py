"""The pages as a visitor's browser asks for them; who the visitor is, Airflow would know."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from airflow.api_fastapi.core_api.security import get_user
from cryptography.fernet import Fernet
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from ticket_histories import moment

from amazon_support.web import app
from amazon_support.web.airflow_runs import fetching, runs
from amazon_support.web.state import now

NOW = moment("2026-03-10 12:00")
AGENTS = [
    {"name": "Ana Lima", "email": "ana@example.com", "marketplaces": ["DE", "FR"]},
    {"name": "Bo Berg", "email": "bo@example.com", "marketplaces": ["US"]},
    {"name": "Sam Sol", "email": "sam@example.com"},
]
TEAMS = [{"name": "overseas", "agents": ["Bo Berg", "Sam Sol"]}]
USERS = {
    "ana": {"role": "agent", "agent": "Ana Lima"},
    "bo": {"role": "agent", "agent": "Bo Berg"},
    "sam": {"role": "agent", "agent": "Sam Sol"},
    "lea": {"role": "lead"},
    "vic": {"role": "viewer"},
}
RUNS = [
    {
        "dag_id": "support_hourly",
        "run_id": "scheduled__2026-03-10T11:00:00+00:00",
        "run_type": "scheduled",
        "state": "failed",
        "queued_at": moment("2026-03-10 12:00"),
        "start_date": moment("2026-03-10 12:00"),
        "end_date": moment("2026-03-10 12:04"),
    }
]
Browser = Callable[..., TestClient]
fetched: list[str] = []  # who attached an order that Amazon is to be asked for


@pytest.fixture
def browser(warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """`browser("ana")`: what ana gets, at noon of 10 March 2026. The pages have no more rights than they need."""
    monkeypatch.setenv("AMAZON_SUPPORT_WAREHOUSE", warehouse.url.set(username="pages").render_as_string(False))
    (tmp_path / "agents.yaml").write_text(yaml.safe_dump({"agents": AGENTS}))
    (tmp_path / "assignment.yaml").write_text(yaml.safe_dump({"assignment": {"teams": TEAMS}}))
    (tmp_path / "access.yaml").write_text(yaml.safe_dump({"access": {"users": USERS}}))
    yield from visiting(tmp_path, monkeypatch)


def visiting(settings: Path, patch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Browsers of the pages with the settings in that folder."""
    patch.setenv("AMAZON_SUPPORT_SETTINGS", str(settings))
    patch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())

    def of(user: str, at: datetime = NOW) -> TestClient:
        app.dependency_overrides[get_user] = lambda: SimpleNamespace(get_name=lambda: user)
        app.dependency_overrides[now] = lambda: at
        app.dependency_overrides[fetching] = lambda: lambda: fetched.append(user)
        app.dependency_overrides[runs] = lambda: RUNS
        return TestClient(app, headers={"accept": "text/html"}, raise_server_exceptions=True)

    yield of
    app.dependency_overrides.clear()
