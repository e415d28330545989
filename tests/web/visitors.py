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
def browser(warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """`browser("ana")`: what ana gets, at noon of 10 March 2026."""
    (tmp_path / "agents.yaml").write_text(yaml.safe_dump({"agents": AGENTS}))
    (tmp_path / "access.yaml").write_text(yaml.safe_dump({"access": {"users": USERS}}))
    yield from visiting(tmp_path, monkeypatch)


def visiting(settings: Path, patch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Browsers of the pages with the settings in that folder."""
    patch.setenv("AMAZON_SUPPORT_SETTINGS", str(settings))
    patch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())

    def of(user: str, at: datetime = NOW) -> TestClient:
        app.dependency_overrides[get_user] = lambda: SimpleNamespace(get_name=lambda: user)
        app.dependency_overrides[now] = lambda: at
        return TestClient(app, headers={"accept": "text/html"}, raise_server_exceptions=True)

    yield of
    app.dependency_overrides.clear()
