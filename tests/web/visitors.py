"""The pages as a visitor's browser asks for them; who the visitor is, Airflow would know."""

from collections.abc import Callable, Iterator
from datetime import datetime
from types import SimpleNamespace

import pytest
import yaml
from airflow.api_fastapi.core_api.security import get_user
from cryptography.fernet import Fernet
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from ticket_histories import moment

from amazon_support.web import app
from amazon_support.web.state import now

NOW = moment("2026-03-10 12:00")
AGENTS = [
    {"name": "Ana Lima", "email": "ana@example.com", "marketplaces": ["DE", "FR"]},
    {"name": "Bo Berg", "email": "bo@example.com", "marketplaces": ["US"]},
]
USERS = {
    "ana": {"role": "agent", "agent": "Ana Lima"},
    "bo": {"role": "agent", "agent": "Bo Berg"},
    "lea": {"role": "lead"},
    "vic": {"role": "viewer"},
}
Browser = Callable[..., TestClient]


@pytest.fixture
def browser(warehouse: Engine, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """`browser("ana")`: what ana gets, at noon of 10 March 2026."""
    (tmp_path / "agents.yaml").write_text(yaml.safe_dump({"agents": AGENTS}))
    (tmp_path / "access.yaml").write_text(yaml.safe_dump({"access": {"users": USERS}}))
    monkeypatch.setenv("AMAZON_SUPPORT_SETTINGS", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())

    def of(user: str, at: datetime = NOW) -> TestClient:
        app.dependency_overrides[get_user] = lambda: SimpleNamespace(get_name=lambda: user)
        app.dependency_overrides[now] = lambda: at
        return TestClient(app, headers={"accept": "text/html"}, raise_server_exceptions=True)

    yield of
    app.dependency_overrides.clear()
